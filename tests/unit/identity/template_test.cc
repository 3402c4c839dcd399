// What is written for the user is what anubisd reads: these configurations are loaded.
#include "lib/identity/template.h"

#include <gmock/gmock.h>

#include "lib/base/random.h"
#include "lib/config/config.h"
#include "tests/unit/config/folder.h"

namespace anubis::identity {
namespace {

using config::Folder;
using testing::ElementsAre;
using testing::IsEmpty;

class Template : public testing::Test {
 protected:
  Template() {
    crypto::initialise();
    base::SystemRandom random;
    for (const char* name : {"xena.key", "xena-side.key"}) {
      const auto text = crypto::format_secret(crypto::generate_private_key(random).view());
      folder_.write(name, {reinterpret_cast<const char*>(text.view().data()), text.view().size()});
    }
  }

  base::Result<config::Config> load(const HostText& host, std::string_view peers = "") {
    if (!peers.empty()) folder_.write("conf.d/peers.toml", peers);
    return config::load(folder_.write("anubis.toml", host_toml(host)));
  }

  HostText host_{
      .name = "xena", .key_file = "xena.key", .side_key_file = "xena-side.key", .addresses = {}, .endpoint = {}};
  Folder folder_;
};

crypto::PublicKey fresh_key() {
  base::SystemRandom random;
  return crypto::PrivateKey(crypto::generate_private_key(random)).derive_public_key();
}

TEST(FitName, TakesTheFirstLabelAndReplacesWhatNoNameMayHave) {
  EXPECT_EQ(fit_name("xena"), "xena");
  EXPECT_EQ(fit_name("xena.example.net"), "xena");
  EXPECT_EQ(fit_name("my host!"), "my-host-");
  EXPECT_EQ(fit_name("-xena"), "xena");
  EXPECT_EQ(fit_name(""), "host");
  EXPECT_EQ(fit_name("(none)"), "none-");
  EXPECT_EQ(fit_name("..."), "host");
  EXPECT_EQ(fit_name(std::string(200, 'a')).size(), 63u);
}

TEST_F(Template, AHostWithNothingButANameLoads) {
  const auto config = load(host_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name, "xena");
  EXPECT_THAT(config->production.addresses, IsEmpty());
  EXPECT_FALSE(config->endpoint);
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST_F(Template, AHostWithAllOfItLoads) {
  host_.addresses = {*model::InterfaceAddress::parse("10.44.0.7/24"), *model::InterfaceAddress::parse("fd44::7/64")};
  host_.endpoint = *model::HostPort::parse("[2001:db8::7]:4296");
  const auto config = load(host_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->production.addresses, host_.addresses);
  EXPECT_EQ(config->endpoint, host_.endpoint);
}

TEST_F(Template, APeerIsReadAsItWasMeant) {
  const PeerText peer{.name = "jacinth",
                      .public_key = crypto::ProductionPublicKey(fresh_key()),
                      .side_public_key = crypto::SidePublicKey(fresh_key()),
                      .side_address = {},
                      .endpoint = *model::HostPort::parse("jacinth.example.net:4300"),
                      .side_endpoint = *model::HostPort::parse("jacinth.example.net:4301"),
                      .allowed_ips = {*model::IpPrefix::parse("10.44.0.1"), *model::IpPrefix::parse("192.168.7.0/24")},
                      .addresses = {*model::IpAddress::parse("10.44.0.1")},
                      .persistent_keepalive = 25};
  const auto config = load(host_, peer_toml(peer));
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->peers.size(), 1u);
  const model::Peer& read = config->peers[0];
  EXPECT_EQ(read.name, peer.name);
  EXPECT_EQ(read.public_key, peer.public_key);
  EXPECT_EQ(read.side_public_key, peer.side_public_key);
  EXPECT_EQ(read.endpoint, peer.endpoint);
  EXPECT_EQ(read.side_endpoint, peer.side_endpoint);
  EXPECT_EQ(read.allowed_ips, peer.allowed_ips);
  EXPECT_EQ(read.addresses, peer.addresses);
  EXPECT_EQ(read.persistent_keepalive, 25);
}

// The usual ports are not spelt out, and mean the same.
TEST_F(Template, UsualPortsAreLeftOut) {
  PeerText peer{.name = "jacinth",
                .public_key = crypto::ProductionPublicKey(fresh_key()),
                .side_public_key = crypto::SidePublicKey(fresh_key()),
                .side_address = {},
                .endpoint = *model::HostPort::parse("jacinth.example.net:4296"),
                .side_endpoint = *model::HostPort::parse("jacinth.example.net:4297"),
                .allowed_ips = {*model::IpPrefix::parse("10.44.0.1")},
                .addresses = {}};
  const std::string text = peer_toml(peer);
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("side_endpoint")));
  EXPECT_THAT(text, testing::HasSubstr("endpoint = \"jacinth.example.net\"\n"));
  const auto config = load(host_, text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->peers[0].endpoint, peer.endpoint);
  EXPECT_EQ(config->peers[0].side_endpoint, peer.side_endpoint);
}

}  // namespace
}  // namespace anubis::identity
