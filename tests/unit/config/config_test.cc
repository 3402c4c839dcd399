#include "lib/config/config.h"

#include <chrono>
#include <string>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ConfigTest, HasDefaultsForAllButTheKeys) {
  const auto loaded = load_text(R"(
    [production]
    private_key_file = "xena.key"
    [side]
    private_key_file = "xena-side.key"
  )");
  ASSERT_TRUE(loaded) << loaded.error().message;
  char host[256];
  ASSERT_EQ(gethostname(host, sizeof host), 0);
  EXPECT_EQ(loaded->name, host);
  EXPECT_EQ(loaded->production.interface, "wg0");
  EXPECT_EQ(loaded->production.public_key.to_base64(), public_key(kOwnProduction));
  EXPECT_EQ(loaded->production.listen_port, 4296);
  EXPECT_THAT(loaded->production.addresses, IsEmpty());
  EXPECT_EQ(loaded->production.table, 214u);
  EXPECT_THAT(loaded->production.throw_ranges, IsEmpty());
  EXPECT_FALSE(loaded->production.mtu);
  EXPECT_EQ(loaded->production.backend, Backend::kAuto);
  EXPECT_EQ(loaded->side.interface, "anubis0");
  EXPECT_EQ(loaded->side.public_key.to_base64(), public_key(kOwnSide));
  EXPECT_EQ(loaded->side.listen_port, 4297);
  EXPECT_EQ(loaded->side.service_port, 4298);
  EXPECT_EQ(loaded->side.prefix.to_string(), "fd77::/16");
  EXPECT_TRUE(loaded->side.prefix.contains(loaded->side.address));
  EXPECT_EQ(loaded->control.socket, "/run/anubis/control.sock");
  EXPECT_EQ(loaded->control.group, "anubis");
  EXPECT_THAT(loaded->peers, IsEmpty());
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(ConfigTest, TakesEveryKey) {
  folder_.write("jacinth.psk", private_key(7));
  const auto loaded = load_text(R"(
    name = "xena"
    [production]
    interface = "wg7"
    private_key_file = "xena.key"
    listen_port = 1
    addresses = ["10.44.0.7/24", "fd44::7/64"]
    table = 4294967295
    throw = ["192.168.122.0/24"]
    mtu = 1280
    backend = "userspace"
    [side]
    interface = "side7"
    private_key_file = "xena-side.key"
    listen_port = 2
    service_port = 65535
    address = "10.77.0.7"
    prefix = "fd78::/16"
    [control]
    socket = "/run/x.sock"
    group = "wheel"
    [[peer]]
    name = "jacinth"
    public_key = "KEY1"
    side_public_key = "KEY2"
    side_address = "10.77.0.1"
    endpoint = "jacinth.example.net"
    side_endpoint = "[2001:db8::1]:7"
    allowed_ips = ["0.0.0.0/0", "::/0"]
    nested = true
    persistent_keepalive = 25
    preshared_key_file = "jacinth.psk"
    lease = "1h"
    group = "gateways"
  )");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->name, "xena");
  const Production& production = loaded->production;
  EXPECT_EQ(production.interface, "wg7");
  EXPECT_EQ(production.listen_port, 1);
  ASSERT_EQ(production.addresses.size(), 2u);
  EXPECT_EQ(production.addresses[0].to_string(), "10.44.0.7/24");
  EXPECT_EQ(production.addresses[1].to_string(), "fd44::7/64");
  EXPECT_EQ(production.table, 4'294'967'295u);
  EXPECT_THAT(production.throw_ranges, ElementsAre(*model::IpPrefix::parse("192.168.122.0/24")));
  EXPECT_EQ(production.mtu, 1280u);
  EXPECT_EQ(production.backend, Backend::kUserspace);
  EXPECT_EQ(loaded->side.interface, "side7");
  EXPECT_EQ(loaded->side.listen_port, 2);
  EXPECT_EQ(loaded->side.service_port, 65535);
  EXPECT_EQ(loaded->side.address.to_string(), "10.77.0.7");
  EXPECT_EQ(loaded->side.prefix.to_string(), "fd78::/16");
  EXPECT_EQ(loaded->control.socket, "/run/x.sock");
  EXPECT_EQ(loaded->control.group, "wheel");
  ASSERT_EQ(loaded->peers.size(), 1u);
  const model::Peer& peer = loaded->peers[0];
  EXPECT_EQ(peer.name, "jacinth");
  EXPECT_EQ(peer.public_key.to_base64(), public_key(1));
  EXPECT_EQ(peer.side_public_key.to_base64(), public_key(2));
  EXPECT_EQ(peer.side_address.to_string(), "10.77.0.1");
  EXPECT_EQ(peer.endpoint->to_string(), "jacinth.example.net:4296");
  EXPECT_EQ(peer.side_endpoint->to_string(), "[2001:db8::1]:7");
  EXPECT_THAT(peer.allowed_ips, ElementsAre(*model::IpPrefix::parse("0.0.0.0/0"), *model::IpPrefix::parse("::/0")));
  EXPECT_EQ(peer.persistent_keepalive, 25);
  ASSERT_TRUE(peer.preshared_key);
  EXPECT_TRUE(peer.preshared_key->equals(crypto::PresharedKey(*crypto::parse_secret(private_key(7)))));
  EXPECT_EQ(peer.lease, 1h);
  EXPECT_EQ(peer.group, "gateways");
}

}  // namespace
}  // namespace anubis::config
