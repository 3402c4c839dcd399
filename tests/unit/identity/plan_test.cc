// Who can become a peer of this host, and for what.
#include "lib/identity/plan.h"

#include <gmock/gmock.h>

namespace anubis::identity {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

template <class Key>
Key key_of(std::uint8_t number) {
  Key key;
  key.bytes[0] = number;
  return key;
}

model::IpPrefix range(std::string_view text) { return *model::IpPrefix::parse(text); }

class Plan : public testing::Test {
 protected:
  Plan() {
    config_.name = "jacinth";
    config_.production.public_key = key_of<crypto::ProductionPublicKey>(1);
    config_.side.public_key = key_of<crypto::SidePublicKey>(2);
    config_.production.addresses = {*model::InterfaceAddress::parse("10.44.0.1/24")};
    config_.peers.push_back({.name = "xena",
                             .public_key = key_of<crypto::ProductionPublicKey>(3),
                             .side_public_key = key_of<crypto::SidePublicKey>(4),
                             .allowed_ips = {range("10.44.0.7/32"), range("192.168.7.0/24")}});
  }

  static Card card(std::uint8_t production, std::uint8_t side) {
    return {.name = "petra",
            .public_key = key_of<crypto::ProductionPublicKey>(production),
            .side_public_key = key_of<crypto::SidePublicKey>(side)};
  }

  config::Config config_;
};

TEST_F(Plan, AStrangerIsNew) { EXPECT_EQ(*check_card(config_, card(5, 6), "petra"), Acquaintance::kNew); }

TEST_F(Plan, TheSameCardAgainIsKnown) { EXPECT_EQ(*check_card(config_, card(3, 4), "xena"), Acquaintance::kKnown); }

TEST_F(Plan, ThePlainPeerOfItsKeyIsCompleted) {
  config_.peers.front().is_plain = true;
  EXPECT_EQ(*check_card(config_, card(3, 6), "xena"), Acquaintance::kPlain);
  EXPECT_THAT(check_card(config_, card(3, 6), "petra").error().message, HasSubstr("--name xena"));
  EXPECT_TRUE(check_ranges(config_, "xena", {range("10.44.0.7/32")}));
}

TEST_F(Plan, TheOwnCardIsToldAsSuch) {
  for (const Card& own : {card(1, 2), card(1, 6), card(5, 2), card(2, 1)}) {
    EXPECT_THAT(check_card(config_, own, "petra").error().message, HasSubstr("this host's own card"));
  }
}

TEST_F(Plan, AKeyOfAnotherPeerIsAConflict) {
  for (const Card& known : {card(3, 4), card(3, 6), card(5, 4), card(4, 3), card(5, 3)}) {
    const auto checked = check_card(config_, known, "petra");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kConflict);
    EXPECT_THAT(checked.error().message, HasSubstr("the peer xena has a key of this card already"));
  }
}

TEST_F(Plan, ANameIsOnePeersOnly) {
  EXPECT_THAT(check_card(config_, card(5, 6), "xena").error().message, HasSubstr("a peer xena with other keys"));
  EXPECT_THAT(check_card(config_, card(5, 6), "jacinth").error().message, HasSubstr("the name of this host"));
}

TEST_F(Plan, RangesMayNotBeAnothersNorPartOfThem) {
  EXPECT_TRUE(check_ranges(config_, "petra", {range("10.44.0.8/32"), range("0.0.0.0/0"), range("::/0")}));
  EXPECT_THAT(check_ranges(config_, "petra", {range("10.44.0.7/32")}).error().message,
              HasSubstr("belongs to the peer xena"));
  EXPECT_THAT(check_ranges(config_, "petra", {range("192.168.7.9/32")}).error().message,
              HasSubstr("192.168.7.9/32 overlaps 192.168.7.0/24 of the peer xena"));
  EXPECT_THAT(check_ranges(config_, "petra", {range("192.168.0.0/16")}).error().message, HasSubstr("overlaps"));
  EXPECT_THAT(check_ranges(config_, "petra", {range("10.44.0.1/32")}).error().message,
              HasSubstr("this host's own address"));
}

TEST_F(Plan, OnlyOnePeerHasTheDefaultRoute) {
  config_.peers[0].allowed_ips = {range("0.0.0.0/0")};
  EXPECT_TRUE(check_ranges(config_, "petra", {range("10.44.0.8/32")}));
  EXPECT_FALSE(check_ranges(config_, "petra", {range("0.0.0.0/0")}));
}

}  // namespace
}  // namespace anubis::identity
