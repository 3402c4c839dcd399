#include "anubisd/netd/udp_table.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

namespace anubis::netd {
namespace {

constexpr const char* kTable =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
    "drops\n"
    "  101: 0100007F:10C8 00000000:0035 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 "
    "0\n"
    "99999: 00000000000000000000000000000000:0044 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 1 2 0 0\n";

TEST(UdpTable, LocalPortsAreInUseAndOthersAreNot) {
  EXPECT_TRUE(has_port(kTable, 0x10c8));
  EXPECT_TRUE(has_port(kTable, 0x44));
  EXPECT_FALSE(has_port(kTable, 0x35));  // of the other end
  EXPECT_FALSE(has_port(kTable, 0));
  EXPECT_FALSE(has_port("", 0x44));
  EXPECT_FALSE(has_port("nonsense: 0:\n:::\n\n1: 0", 0));
}

class PortInUse : public testing::TestWithParam<int> {};

TEST_P(PortInUse, IsSeenUntilItsSocketIsClosed) {
  base::Fd fd(socket(GetParam(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(GetParam());
  socklen_t size = GetParam() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) GTEST_SKIP() << "no such family";
  ASSERT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  // The port stands at the same place in both.
  const std::uint16_t port = ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  EXPECT_TRUE(is_udp_port_in_use(port).value());
  fd.reset();
  EXPECT_FALSE(is_udp_port_in_use(port).value());
}

INSTANTIATE_TEST_SUITE_P(Families, PortInUse, testing::Values(AF_INET, AF_INET6));

}  // namespace
}  // namespace anubis::netd
