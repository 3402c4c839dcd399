#include "lib/interop/phone.h"

#include "lib/interop/companion_link.h"
#include "lib/interop/entry.h"
#include "tests/unit/interop/folder_fixture.h"

namespace anubis::interop {
namespace {

using model::IpAddress;
using model::IpPrefix;

class PhoneTest : public FolderTest {
 protected:
  static Phone selen() {
    return {.name = "selen",
            .public_key = private_key(5).derive_public_key(),
            .addresses = {*IpAddress::parse("10.44.0.8"), *IpAddress::parse("fd44::8")},
            .side_address = {},
            .reaches = {*IpPrefix::parse("10.44.0.0/24"), *IpPrefix::parse("192.168.7.0/24")},
            .endpoint = {*IpAddress::parse("192.0.2.1"), 4296},
            .side_endpoint = {*IpAddress::parse("2001:db8::1"), 4297},
            .dns_servers = {*IpAddress::parse("10.44.0.1")},
            .dns_search = {"example.net"},
            .persistent_keepalive = 0,
            .lease = std::chrono::hours(8)};
  }
};

TEST_F(PhoneTest, HasThisHostTwiceInOneTunnel) {
  const auto server = load(R"(addresses = ["10.44.0.1/24"])"
                           "\nmtu = 1380");
  const Phone phone = selen();
  const auto tunnel = tunnel_of(phone, private_key(5), server);
  ASSERT_EQ(tunnel.peers.size(), 2u);
  EXPECT_EQ(tunnel.peers[0].public_key, server.side.public_key);
  EXPECT_EQ(tunnel.peers[1].public_key, server.production.public_key);

  // The whole text, for it is what phones get.
  const auto text = config::format_wg_quick(tunnel);
  const auto again = load(R"(addresses = ["10.44.0.1/24"])", format_entry(entry_of(phone)));
  const std::string side = again.peers.at(0).side_address.to_string();
  EXPECT_EQ(text.view(), "[Interface]\nPrivateKey = " + private_text(5) + "\nAddress = 10.44.0.8/32, fd44::8/128, " +
                             side + "/128\nDNS = 10.44.0.1\nDNS = example.net\nMTU = 1380\n\n[Peer]\nPublicKey = " +
                             public_text(101) + "\nAllowedIPs = " + server.side.address.to_string() +
                             "/128\nEndpoint = [2001:db8::1]:4297\n\n[Peer]\nPublicKey = " + public_text(100) +
                             "\nAllowedIPs = 10.44.0.0/24, 192.168.7.0/24\nEndpoint = 192.0.2.1:4296\n");
}

TEST_F(PhoneTest, ItsCompactTextSaysTheSame) {
  const auto server = load(R"(addresses = ["10.44.0.1/24"])");
  const auto tunnel = tunnel_of(selen(), private_key(5), server);
  const auto compact = config::format_wg_quick(tunnel, config::WgQuickStyle::kCompact);
  const auto read = config::parse_wg_quick(compact.view(), "compact");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(config::format_wg_quick(*read).view(), config::format_wg_quick(tunnel).view());
  EXPECT_EQ(compact.view().find(' '), std::string_view::npos);
  EXPECT_LT(compact.view().size(), 500u);
}

TEST_F(PhoneTest, WithAKeyOfItsOwnHasNoPrivateKeyInTheText) {
  const auto tunnel = tunnel_of(selen(), {}, load(R"(addresses = ["10.44.0.1/24"])"));
  EXPECT_EQ(config::format_wg_quick(tunnel).view().find("PrivateKey"), std::string_view::npos);
}

TEST_F(PhoneTest, ItsEntryIsReadAsAPlainPeer) {
  const auto config = load(R"(addresses = ["10.44.0.1/24"])", format_entry(entry_of(selen())));
  ASSERT_EQ(config.peers.size(), 1u);
  const model::Peer& peer = config.peers[0];
  EXPECT_EQ(peer.name, "selen");
  EXPECT_TRUE(peer.is_plain);
  EXPECT_EQ(peer.public_key, crypto::ProductionPublicKey(selen().public_key));
  EXPECT_FALSE(peer.endpoint);
  EXPECT_EQ(format_list(peer.allowed_ips), R"(["10.44.0.8/32", "fd44::8/128"])");
  EXPECT_EQ(peer.lease, std::chrono::hours(8));
}

// For the page's script, which takes it apart (docs/protocol.md).
TEST_F(PhoneTest, TheLinkOfItsPageHoldsThePagesKeyAndTheServers) {
  const auto server = load(R"(addresses = ["10.44.0.1/24"])");
  const auto link = companion_link(server, private_key(5));
  const auto in_url = [](std::string key) {
    std::ranges::replace(key, '+', '-');
    std::ranges::replace(key, '/', '_');
    return key.substr(0, key.find('='));
  };
  EXPECT_EQ(link.view(), "http://[" + server.side.address.to_string() + "]:4299/#1." + in_url(private_text(5)) + "." +
                             in_url(public_text(100)));
  const auto with_ipv4 = load("", "address = \"10.77.0.1\"\n");
  EXPECT_TRUE(companion_link(with_ipv4, private_key(5)).view().starts_with("http://10.77.0.1:4299/#1."));
}

TEST_F(PhoneTest, ASideAddressOfItsOwnIsUsed) {
  auto phone = selen();
  phone.side_address = *IpAddress::parse("10.77.0.8");
  const auto server = load("", "address = \"10.77.0.1\"\n");
  const auto tunnel = tunnel_of(phone, private_key(5), server);
  EXPECT_EQ(tunnel.interface.addresses.back().to_string(), "10.77.0.8/32");
  EXPECT_EQ(tunnel.peers[0].allowed_ips.at(0).to_string(), "10.77.0.1/32");
}

}  // namespace
}  // namespace anubis::interop
