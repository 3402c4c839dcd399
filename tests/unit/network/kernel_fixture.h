// A network namespace for each test, made within the test's process: nothing outside is seen or touched. Needs root.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/network/rtnetlink_network.h"

namespace anubis::network {

// What a command printed, both streams; the look from outside.
inline std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "cannot run " + command;
  char part[4096];
  for (std::size_t size = 0; (size = fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, size);
  pclose(pipe);
  return output;
}

inline bool succeeds(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

inline model::IpPrefix prefix(std::string_view text) { return model::IpPrefix::parse(text).value(); }
inline model::IpAddress ip(std::string_view text) { return model::IpAddress::parse(text).value(); }
inline model::InterfaceAddress interface_address(std::string_view text) {
  return model::InterfaceAddress::parse(text).value();
}

class KernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, for a network namespace of its own";
    outside_ = base::Fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << strerror(errno);
    run("ip link set lo up");
    auto created = RtnetlinkNetwork::create();
    ASSERT_TRUE(created) << created.error().message;
    network_ = std::move(*created);
  }

  void TearDown() override {
    network_.reset();
    if (outside_) {
      ASSERT_EQ(setns(outside_.get(), CLONE_NEWNET), 0);
    }
  }

  // A step of the set-up, which must succeed.
  static void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

  // A tun device stands for a WireGuard one: no link layer, routes lead to the link.
  static void add_tunnel(const std::string& name, const std::string& address = {}) {
    run("ip tuntap add " + name + " mode tun");
    if (!address.empty()) run("ip address add " + address + " dev " + name);
    run("ip link set " + name + " up");
  }

  [[nodiscard]] std::uint32_t index_of(const std::string& name) {
    const auto link = network_->link(name);
    return link && *link ? (*link)->index : 0;
  }

  [[nodiscard]] Route route(std::string_view to, const std::string& link, std::uint32_t table = 214) {
    Route made;
    made.prefix = prefix(to);
    made.table = table;
    made.ifindex = index_of(link);
    return made;
  }

  [[nodiscard]] static Route throw_route(std::string_view to, std::uint32_t table = 214) {
    Route made;
    made.prefix = prefix(to);
    made.table = table;
    made.kind = RouteKind::kThrow;
    return made;
  }

  void expect_in_place(std::span<const Failure> failures) {
    const auto status = all_in_place(failures);
    EXPECT_TRUE(status) << status.error().message;
  }

  base::Fd outside_;
  std::unique_ptr<RtnetlinkNetwork> network_;
};

}  // namespace anubis::network
