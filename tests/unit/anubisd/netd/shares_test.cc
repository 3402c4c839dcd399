// Allowed IPs that several peers may have: who has them, and that they go over without a moment in which nobody does.
#include "tests/unit/anubisd/netd/fake_host.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kSideRoute = "fd77::/16 anubis0 254";

class SharesTest : public FakeHostTest {
 protected:
  static crypto::PublicKey key(unsigned number) { return public_key(2 * number); }
  [[nodiscard]] std::vector<model::IpPrefix> allowed_ips(unsigned number) {
    const auto state = production().peer(key(number));
    return state ? state->allowed_ips : std::vector<model::IpPrefix>{};
  }
  PeerIndex add(const char* name, unsigned number, const std::vector<std::string>& ranges, const char* group = "") {
    auto configured = peer(name, number, ranges);
    configured.group = group;
    return add_peer(configured);
  }
  static InstallRequest at(PeerIndex index) { return {.peer = index, .endpoint = endpoint("192.0.2.1:4296")}; }
  static InstallRequest instead(PeerIndex index) {
    InstallRequest request = at(index);
    request.take_over = true;
    return request;
  }
};

// --- a client, which uses one server of a group at a time

class Client : public SharesTest {
 protected:
  PeerIndex jacinth = add("jacinth", 1, {"10.44.0.0/24", "10.9.0.0/24"}, "gateways");
  PeerIndex surya = add("surya", 2, {"10.44.0.0/24", "10.9.0.0/24"}, "gateways");
};

TEST_F(Client, TheSecondIsAConflictAndTheUserHearsWhatToType) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  const auto refused = netd_->install(at(surya));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("anubis switch surya"));
  EXPECT_FALSE(production().peer(key(2)));
  EXPECT_EQ(allowed_ips(1).size(), 2u);
}

TEST_F(Client, WithoutRoutesTheSecondGetsNothingThatTheFirstHas) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  InstallRequest early = at(surya);
  early.with_routes = false;
  ASSERT_TRUE(netd_->install(early));
  EXPECT_TRUE(production().peer(key(2)));
  EXPECT_THAT(allowed_ips(2), IsEmpty());
  EXPECT_EQ(allowed_ips(1).size(), 2u);
}

TEST_F(Client, TakingOverMovesEverythingAndTheRoutesStay) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  const auto before = routes();
  ASSERT_TRUE(netd_->install(instead(surya)));
  EXPECT_THAT(allowed_ips(2), UnorderedElementsAre(prefix("10.44.0.0/24"), prefix("10.9.0.0/24")));
  EXPECT_THAT(allowed_ips(1), IsEmpty());
  EXPECT_EQ(routes(), before);
  ASSERT_TRUE(netd_->remove(jacinth));
  EXPECT_EQ(routes(), before) << "they are surya's now";
  EXPECT_EQ(allowed_ips(2).size(), 2u);
  ASSERT_TRUE(netd_->remove(surya));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Client, TheFirstHasItAllAgainWhenTheSecondGoes) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  const auto before = routes();
  ASSERT_TRUE(netd_->install(instead(surya)));
  ASSERT_TRUE(netd_->remove(surya));
  EXPECT_THAT(allowed_ips(1), UnorderedElementsAre(prefix("10.44.0.0/24"), prefix("10.9.0.0/24")));
  EXPECT_EQ(routes(), before);
}

TEST_F(Client, ARenewalOfTheFirstTakesNothingBack) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  ASSERT_TRUE(netd_->install(instead(surya)));
  EXPECT_TRUE(netd_->install(at(jacinth)));
  EXPECT_THAT(allowed_ips(1), IsEmpty());
  EXPECT_EQ(allowed_ips(2).size(), 2u);
}

TEST_F(Client, ATakeOverThatFailsLeavesAllAsItWas) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  const auto before = routes();
  production().fail_peer_at_allowed_ip(key(2), 1);
  EXPECT_FALSE(netd_->install(instead(surya)));
  EXPECT_FALSE(production().peer(key(2)));
  EXPECT_THAT(allowed_ips(1), UnorderedElementsAre(prefix("10.44.0.0/24"), prefix("10.9.0.0/24")));
  EXPECT_EQ(routes(), before);
}

TEST_F(Client, TheReconcilerSeesNoDriftInIt) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  ASSERT_TRUE(netd_->install(instead(surya)));
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  EXPECT_THAT(netd_->take_drift(), IsEmpty());
  EXPECT_EQ(allowed_ips(2).size(), 2u);
}

TEST_F(Client, ARestartInTheMiddleAdoptsBoth) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(jacinth)));
  ASSERT_TRUE(netd_->install(instead(surya)));
  for (const unsigned number : {1u, 2u})
    production().complete_handshake(key(number), wireguard::HandshakeTime(std::chrono::seconds(5)));
  netd_ = new_netd();
  bring_up();
  EXPECT_THAT(netd_->installed_peers().value(), UnorderedElementsAre(jacinth, surya));
  ASSERT_TRUE(netd_->remove(jacinth));
  EXPECT_EQ(allowed_ips(2).size(), 2u);
  EXPECT_EQ(routes().size(), 3u);
}

// --- a server, whose clients may be with another one

class Server : public SharesTest {
 protected:
  Server() { config_.group = "gateways"; }
  PeerIndex surya = add("surya", 1, {"10.44.0.2/32"}, "gateways");
  PeerIndex xena = add("xena", 2, {"10.44.0.3/32", "fd44::3/128"});
};

TEST_F(Server, WhatIsForAClientGoesToTheServerThatItIsWith) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  EXPECT_THAT(allowed_ips(1),
              UnorderedElementsAre(prefix("10.44.0.2/32"), prefix("10.44.0.3/32"), prefix("fd44::3/128")));
  EXPECT_THAT(routes(), Contains("10.44.0.3/32 wg0 214"));
  EXPECT_THAT(netd_->carried().value(), ElementsAre(Carried{xena, surya}));
  ASSERT_TRUE(netd_->carry(xena, std::nullopt));
  EXPECT_THAT(allowed_ips(1), ElementsAre(prefix("10.44.0.2/32")));
  EXPECT_THAT(routes(), Not(Contains("10.44.0.3/32 wg0 214")));
}

TEST_F(Server, AClientThatComesHereHasItBackAndItsRoutesStay) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  const auto before = routes();
  ASSERT_TRUE(netd_->install(at(xena)));
  EXPECT_EQ(allowed_ips(2).size(), 2u);
  EXPECT_THAT(allowed_ips(1), ElementsAre(prefix("10.44.0.2/32")));
  EXPECT_EQ(routes(), before);
  EXPECT_THAT(netd_->carried().value(), IsEmpty());
}

TEST_F(Server, AClientThatGoesTakesNothingAlongThatTheOtherServerHasByNow) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->install(at(xena)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  EXPECT_THAT(allowed_ips(2), IsEmpty());
  ASSERT_TRUE(netd_->remove(xena));
  EXPECT_EQ(allowed_ips(1).size(), 3u);
  EXPECT_THAT(routes(), Contains("10.44.0.3/32 wg0 214"));
}

TEST_F(Server, ToldBeforeTheOtherServerIsUpItFollowsOnceItIs) {
  bring_up();
  ASSERT_TRUE(netd_->carry(xena, surya));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  ASSERT_TRUE(netd_->install(at(surya)));
  EXPECT_EQ(allowed_ips(1).size(), 3u);
  EXPECT_THAT(routes(), Contains("10.44.0.3/32 wg0 214"));
  ASSERT_TRUE(netd_->remove(surya));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Server, TheClientHasItselfAgainWhenTheOtherServerGoes) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->install(at(xena)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  ASSERT_TRUE(netd_->remove(surya));
  EXPECT_EQ(allowed_ips(2).size(), 2u);
  EXPECT_THAT(routes(), Contains("10.44.0.3/32 wg0 214"));
}

TEST_F(Server, ARestartKnowsWhoWasWithWhom) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  const auto before = routes();
  const auto batches = production().batches();
  netd_ = new_netd();
  bring_up();
  EXPECT_EQ(production().batches(), batches) << "nothing is written";
  EXPECT_THAT(netd_->carried().value(), ElementsAre(Carried{xena, surya}));
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(surya));
  EXPECT_EQ(routes(), before);
}

TEST_F(Server, WhatOthersTakeAwayOfItIsPutBack) {
  bring_up();
  ASSERT_TRUE(netd_->install(at(surya)));
  ASSERT_TRUE(netd_->carry(xena, surya));
  const wireguard::PeerChange change{.public_key = key(1),
                                     .allowed_ips = std::vector<model::IpPrefix>{prefix("10.44.0.2/32")}};
  ASSERT_THAT(production().apply(std::span(&change, 1)), IsEmpty());
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  EXPECT_EQ(allowed_ips(1).size(), 3u);
}

}  // namespace
}  // namespace anubis::netd
