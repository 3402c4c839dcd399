// The real nftables, in a network namespace of each test's own.
#include <chrono>

#include "firewall/nft_firewall.h"
#include "tests/unit/firewall/policies.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::firewall {
namespace {

using network::output_of;
using network::succeeds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class KernelFirewall : public network::KernelTest {
 protected:
  void SetUp() override {
    network::KernelTest::SetUp();
    if (IsSkipped()) return;
    firewall_ = std::make_unique<NftFirewall>();
  }
  void TearDown() override {
    firewall_.reset();
    network::KernelTest::TearDown();
  }

  Policy everything() {
    Policy policy = simple();
    policy.production = {prefix("10.44.0.2/32"), prefix("fd44::2/128")};
    policy.throw_ranges = {prefix("192.168.0.0/16")};
    policy.never_clear = {prefix("0.0.0.0/0"), prefix("::/0")};
    policy.masquerade = {prefix("10.44.0.0/24"), prefix("fd44::/64")};
    policy.snat_to = {ip("192.0.2.7")};
    return policy;
  }
  void apply(const Policy& policy) {
    const auto status = firewall_->apply(policy);
    ASSERT_TRUE(status) << status.error().message;
  }
  void let_in(const std::vector<model::IpPrefix>& prefixes) {
    const auto status = firewall_->set_production(prefixes);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  }
  static std::string production(const char* family = "v4") {
    return output_of(std::string("nft list set inet anubis production_") + family);
  }

  std::unique_ptr<NftFirewall> firewall_;
};

TEST_F(KernelFirewall, PutsAPolicyInPlaceAndReadsItBack) {
  apply(everything());
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  EXPECT_THAT(output_of("nft list table inet anubis"), HasSubstr("10.44.0.2"));
  EXPECT_THAT(firewall_->list().value(), HasSubstr("iifname \"anubis0\" drop"));
}

TEST_F(KernelFirewall, APolicyTakesThePlaceOfTheOneBefore) {
  apply(everything());
  apply(simple());
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  EXPECT_THAT(output_of("nft list table inet anubis"), Not(HasSubstr("never_clear")));
}

TEST_F(KernelFirewall, WhatPacketsTaughtOutlivesAnotherPolicyButNotTheLastFurtherNumber) {
  Policy policy = everything();
  policy.also_listen = {53, 443};
  apply(policy);
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  ASSERT_TRUE(succeeds("nft add element inet anubis sessions '{ 0x01020304 : 4297 }'"));
  ASSERT_TRUE(succeeds("nft add element inet anubis under_53_v4 '{ 192.0.2.4 . 4000 timeout 20s }'"));
  ASSERT_TRUE(succeeds("nft add element inet anubis under_443_v6 '{ 2001:db8::4 . 4000 }'"));
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);

  policy.production.clear();
  apply(policy);
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  const std::string table = output_of("nft list table inet anubis");
  EXPECT_THAT(table, HasSubstr("0x1020304 expires 3m"));
  EXPECT_THAT(table, HasSubstr("192.0.2.4 . 4000"));
  EXPECT_THAT(table, HasSubstr("2001:db8::4 . 4000"));

  apply(simple());
  EXPECT_THAT(output_of("nft list table inet anubis"), Not(HasSubstr("sessions")));
}

// A set of another build's may have the name, and what is in it not fit.
TEST_F(KernelFirewall, WhatDoesNotFitIsForgotten) {
  ASSERT_TRUE(
      succeeds("nft 'add table inet anubis; add set inet anubis under_53_v4 { type ipv4_addr; }; "
               "add element inet anubis under_53_v4 { 192.0.2.4 }'"));
  Policy policy = simple();
  policy.also_listen = {53};
  apply(policy);
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
}

TEST_F(KernelFirewall, TheSetsOfWhatIsUpFollow) {
  apply(simple());
  let_in({prefix("10.44.0.2/32"), prefix("fd44::2/128")});
  EXPECT_THAT(production(), HasSubstr("{ 10.44.0.2 }"));
  EXPECT_THAT(production("v6"), HasSubstr("{ fd44::2 }"));
  let_in({prefix("10.44.0.2/32"), prefix("10.44.0.3/32"), prefix("10.66.0.0/16")});
  EXPECT_THAT(production(), HasSubstr("{ 10.44.0.2/31, 10.66.0.0/16 }"));
  EXPECT_THAT(production("v6"), Not(HasSubstr("elements")));
  let_in({prefix("0.0.0.0/0"), prefix("::/0"), prefix("10.66.0.0/16")});
  EXPECT_THAT(production(), HasSubstr("{ 0.0.0.0/0 }"));
  EXPECT_THAT(production("v6"), HasSubstr("{ ::/0 }"));
  let_in({prefix("10.66.0.0/17"), prefix("255.255.255.255/32"), prefix("0.0.0.0/8")});
  let_in({prefix("10.66.0.0/16")});
  EXPECT_THAT(production(), HasSubstr("{ 10.66.0.0/16 }"));
  let_in({});
  EXPECT_THAT(production(), Not(HasSubstr("elements")));
}

// Neighbours in one order and another, and what lies within: kernels are particular about where ranges meet.
TEST_F(KernelFirewall, RangesThatMeetComeAndGoInAnyOrder) {
  apply(simple());
  const std::vector<std::vector<const char*>> steps{{"10.0.0.0/25"},
                                                    {"10.0.0.0/25", "10.0.0.128/25"},
                                                    {"10.0.0.128/25"},
                                                    {"10.0.0.128/25", "10.0.0.0/24"},
                                                    {"10.0.0.0/26", "10.0.0.192/26"},
                                                    {"10.0.0.64/26", "10.0.1.0/24"},
                                                    {"10.0.0.0/8"},
                                                    {"10.0.0.0/9", "11.0.0.0/8"},
                                                    {"0.0.0.0/1"},
                                                    {"128.0.0.0/1"},
                                                    {"0.0.0.0/0"},
                                                    {"0.0.0.0/8", "255.0.0.0/8"}};
  for (const auto& step : steps) {
    std::vector<model::IpPrefix> prefixes;
    for (const char* text : step) prefixes.push_back(prefix(text));
    let_in(prefixes);
  }
}

TEST_F(KernelFirewall, ManySessionsComeAndGo) {
  apply(simple());
  std::vector<model::IpPrefix> many;
  for (std::uint8_t i = 0; i < 12; ++i) {
    for (std::uint8_t j = 0; j < 250; ++j)
      many.emplace_back(model::IpAddress::v4(std::array<std::uint8_t, 4>{10, i, j, 7}), std::uint8_t{32});
  }
  let_in(many);
  many.erase(many.begin() + 100);
  let_in(many);
  EXPECT_EQ(firewall_->left_behind().value().size(), many.size());
}

TEST_F(KernelFirewall, AnotherProcessFindsWhatWasLeftBehind) {
  EXPECT_THAT(firewall_->left_behind().value(), IsEmpty());
  apply(everything());
  NftFirewall later;
  EXPECT_THAT(later.left_behind().value(), UnorderedElementsAre(prefix("10.44.0.2/32"), prefix("fd44::2/128")));
  EXPECT_EQ(later.look().value(), Standing::kChanged);  // it has not applied it
  let_in({prefix("0.0.0.0/0")});
  EXPECT_THAT(later.left_behind().value(), ElementsAre(prefix("0.0.0.0/0")));
}

// A start of anubisd must cost those who are up no packet, and a set that is made anew may be empty for a moment.
TEST_F(KernelFirewall, AnotherProcessKeepsTheSetsThatStand) {
  apply(everything());
  const auto handle = [] {
    return output_of("nft -a list set inet anubis production_v4 | grep -o 'handle [0-9]*' | head -1");
  };
  const std::string before = handle();
  ASSERT_THAT(before, HasSubstr("handle"));
  run("nft add element inet anubis initiators_v4 '{ 192.0.2.9 limit rate over 500/second burst 2000 packets }'");
  NftFirewall later;
  Policy policy = everything();
  policy.production = {prefix("10.44.0.2/32"), prefix("10.44.0.9/32")};
  policy.service_port = 4999;
  ASSERT_TRUE(later.apply(policy));
  EXPECT_EQ(later.look().value(), Standing::kAsApplied);
  EXPECT_EQ(handle(), before);
  EXPECT_THAT(production(), HasSubstr("{ 10.44.0.2, 10.44.0.9 }"));
  EXPECT_THAT(production("v6"), Not(HasSubstr("elements")));
  EXPECT_THAT(output_of("nft list table inet anubis"),
              AllOf(HasSubstr("192.0.2.9"), HasSubstr("dport 4999"), Not(HasSubstr("dport 4298"))));
}

// Another version's chain, say: the table is made anew.
TEST_F(KernelFirewall, ATableThatWasMadeInAnotherWayIsReplaced) {
  apply(everything());
  run("nft delete table inet anubis");
  std::string other = to_text(ruleset_of(everything()));
  const std::string priority = "hook forward priority filter";
  other.replace(other.find(priority), priority.size(), "hook forward priority 10");
  run("nft '" + other + "'");
  NftFirewall later;
  ASSERT_TRUE(later.apply(everything()));
  EXPECT_EQ(later.look().value(), Standing::kAsApplied);
  EXPECT_THAT(output_of("nft list chain inet anubis forward"), HasSubstr("priority filter"));
}

struct Spoil {
  const char* command;
  Standing found;
};
class SpoiledFirewall : public KernelFirewall, public testing::WithParamInterface<Spoil> {};

TEST_P(SpoiledFirewall, IsNoticedAndPutBack) {
  apply(everything());
  (void)firewall_->take_events();
  run(GetParam().command);
  EXPECT_TRUE(firewall_->take_events().ours);
  EXPECT_EQ(firewall_->look().value(), GetParam().found) << GetParam().command;
  apply(everything());
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
  EXPECT_FALSE(firewall_->take_events().ours) << "it hears itself";
  const std::string table = output_of("nft list table inet anubis");
  for (const char* spoilt : {"dormant", "policy drop", "10.9.0.0", "input accept"})
    EXPECT_THAT(table, Not(HasSubstr(spoilt)));
}

INSTANTIATE_TEST_SUITE_P(
    ByOthers, SpoiledFirewall,
    testing::Values(Spoil{"nft flush ruleset", Standing::kGone}, Spoil{"nft delete table inet anubis", Standing::kGone},
                    Spoil{"nft flush table inet anubis", Standing::kChanged},
                    Spoil{"nft flush chain inet anubis output", Standing::kChanged},
                    Spoil{"nft insert rule inet anubis input accept", Standing::kChanged},
                    Spoil{"nft add table inet anubis '{ flags dormant; }'", Standing::kChanged},
                    Spoil{"nft add chain inet anubis input '{ policy drop; }'", Standing::kChanged},
                    Spoil{"nft add element inet anubis production_v4 '{ 10.9.0.0/16 }'", Standing::kChanged},
                    Spoil{"nft flush set inet anubis side_peers_v6", Standing::kChanged},
                    Spoil{"nft flush set inet anubis production_v4", Standing::kChanged}));

TEST_F(KernelFirewall, WhatOthersDoElsewhereIsTheirs) {
  apply(simple());
  (void)firewall_->take_events();
  run("nft add table inet other");
  run("nft add chain inet other input '{ type filter hook input priority 0; }'");
  const Noticed noticed = firewall_->take_events();
  EXPECT_TRUE(noticed.others);
  EXPECT_FALSE(noticed.ours);
  ASSERT_TRUE(firewall_->remove());
  EXPECT_THAT(output_of("nft list ruleset"), HasSubstr("table inet other"));
}

TEST_F(KernelFirewall, ItsOwnChangesAreNoEvents) {
  apply(simple());
  let_in({prefix("10.44.0.2/32")});
  const Noticed noticed = firewall_->take_events();
  EXPECT_FALSE(noticed.ours);
}

TEST_F(KernelFirewall, SetsThatOthersEmptiedAreFilledAgain) {
  apply(everything());
  run("nft flush set inet anubis production_v4");
  let_in({prefix("10.44.0.3/32")});  // 10.44.0.2 is to go, and has gone
  EXPECT_THAT(production(), HasSubstr("{ 10.44.0.3 }"));
}

TEST_F(KernelFirewall, GoesAsOftenAsWanted) {
  apply(simple());
  ASSERT_TRUE(firewall_->remove());
  EXPECT_EQ(firewall_->look().value(), Standing::kGone);
  EXPECT_EQ(firewall_->list().value(), "");
  ASSERT_TRUE(firewall_->remove());
  EXPECT_THAT(output_of("nft list ruleset"), Not(HasSubstr("anubis")));
}

TEST_F(KernelFirewall, ARulesetThatNftablesRefusesLeavesWhatWasThere) {
  apply(everything());
  Policy bad = simple();
  bad.production_interface = "much too long a name";
  const auto status = firewall_->apply(bad);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("nftables refuses: "));
  EXPECT_EQ(firewall_->look().value(), Standing::kAsApplied);
}

}  // namespace
}  // namespace anubis::firewall
