#include "lib/config/config.h"

#include <chrono>
#include <string>
#include <string_view>

#include <unistd.h>

#include "lib/crypto/side_address.h"
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
  EXPECT_EQ(loaded->production.fwmark, 214u);
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
    direct = ["192.168.7.0/24", "fd07::/64"]
    mtu = 1280
    fwmark = 0xffffffff
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
    endpoint_ports = [53, 443]
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
  EXPECT_THAT(production.direct_ranges,
              ElementsAre(*model::IpPrefix::parse("192.168.7.0/24"), *model::IpPrefix::parse("fd07::/64")));
  EXPECT_EQ(production.mtu, 1280u);
  EXPECT_EQ(production.fwmark, 0xffffffffu);
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
  EXPECT_THAT(peer.endpoint_ports, ElementsAre(53, 443));
  EXPECT_THAT(peer.allowed_ips, ElementsAre(*model::IpPrefix::parse("0.0.0.0/0"), *model::IpPrefix::parse("::/0")));
  EXPECT_EQ(peer.persistent_keepalive, 25);
  ASSERT_TRUE(peer.preshared_key);
  EXPECT_TRUE(peer.preshared_key->equals(crypto::PresharedKey(*crypto::parse_secret(private_key(7)))));
  EXPECT_EQ(peer.lease, 1h);
  EXPECT_EQ(peer.group, "gateways");
}

TEST_F(ConfigTest, EndpointsGetTheirPortsAndTheSideEndpointTheHost) {
  const struct {
    std::string_view endpoint;
    std::string_view side_endpoint;
    std::string_view expected;
    std::string_view expected_side;
  } cases[] = {
      {"jacinth.example.net", "", "jacinth.example.net:4296", "jacinth.example.net:4297"},
      {"jacinth.example.net:7", "", "jacinth.example.net:7", "jacinth.example.net:4297"},
      {"192.0.2.1", "", "192.0.2.1:4296", "192.0.2.1:4297"},
      {"2001:db8::1", "", "[2001:db8::1]:4296", "[2001:db8::1]:4297"},
      {"[2001:db8::1]:7", "", "[2001:db8::1]:7", "[2001:db8::1]:4297"},
      {"192.0.2.1", "side.example.net", "192.0.2.1:4296", "side.example.net:4297"},
      {"192.0.2.1", "192.0.2.1:7", "192.0.2.1:4296", "192.0.2.1:7"},
      {"", "192.0.2.1:7", "", "192.0.2.1:7"},
      {"", "", "", ""},  // a roamer
  };
  for (const auto& [endpoint, side_endpoint, expected, expected_side] : cases) {
    std::string text = R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
)";
    if (!endpoint.empty()) text.append("endpoint = \"").append(endpoint).append("\"\n");
    if (!side_endpoint.empty()) text.append("side_endpoint = \"").append(side_endpoint).append("\"\n");
    const auto loaded = load_xena_and(text);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const model::Peer& peer = loaded->peers[0];
    EXPECT_EQ(peer.endpoint ? peer.endpoint->to_string() : "", expected) << text;
    EXPECT_EQ(peer.side_endpoint ? peer.side_endpoint->to_string() : "", expected_side) << text;
  }
}

TEST_F(ConfigTest, SideAddressesComeFromTheKeysAndThePrefix) {
  const auto loaded = load_text(R"(
    [production]
    private_key_file = "xena.key"
    [side]
    private_key_file = "xena-side.key"
    prefix = "fd00::/16"
    [[peer]]
    name = "jacinth"
    public_key = "KEY1"
    side_public_key = "KEY2"
  )");
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto derived = [](const crypto::SidePublicKey& key) {
    return model::IpAddress::v6(crypto::derive_side_address(key, {0xfd, 0x00}));
  };
  EXPECT_EQ(loaded->side.address, derived(loaded->side.public_key));
  EXPECT_EQ(loaded->peers[0].side_address, derived(loaded->peers[0].side_public_key));
}

TEST_F(ConfigTest, TableMainIsTheMainTable) {
  const auto loaded = load_text(R"(
    [production]
    private_key_file = "xena.key"
    table = "main"
    [side]
    private_key_file = "xena-side.key"
  )");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->production.table, kMainTable);
}

TEST_F(ConfigTest, PersistentKeepaliveCanBeOff) {
  const auto loaded = load_xena_and(R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
persistent_keepalive = "off"
)");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->peers[0].persistent_keepalive, 0);
}

TEST_F(ConfigTest, AllowedIpsWithHostBitsAreMaskedWithAWarning) {
  const auto loaded = load_xena_and(R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
allowed_ips = ["10.44.0.7/24", "10.45.0.0/24", "10.46.0.1"]
)");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->peers[0].allowed_ips[0].to_string(), "10.44.0.0/24");
  ASSERT_EQ(loaded->warnings.size(), 1u);
  EXPECT_EQ(folder_.strip(loaded->warnings[0]),
            "anubis.toml:13:16: key peer[1].allowed_ips: 10.44.0.7/24 means 10.44.0.0/24; write that");
}

}  // namespace
}  // namespace anubis::config
