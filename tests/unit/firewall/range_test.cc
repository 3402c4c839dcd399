#include "firewall/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::firewall {
namespace {

using model::Family;

std::vector<std::string> merged(const std::vector<std::string>& texts, Family family = Family::kV4) {
  std::vector<model::IpPrefix> prefixes;
  for (const auto& text : texts) prefixes.push_back(model::IpPrefix::parse(text).value());
  std::vector<std::string> result;
  for (const Range& range : merge(prefixes, family)) result.push_back(to_string(range));
  return result;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Range, WhatLiesInAnotherIsPartOfIt) {
  EXPECT_THAT(merged({"10.44.1.0/24", "10.44.0.0/16", "10.44.0.0/16", "10.44.255.255"}), ElementsAre("10.44.0.0/16"));
  EXPECT_THAT(merged({"10.0.0.1", "0.0.0.0/0", "255.255.255.255"}), ElementsAre("0.0.0.0/0"));
  EXPECT_THAT(merged({"fd44::7/128", "::/0"}, Family::kV6), ElementsAre("::/0"));
}

TEST(Range, NeighboursBecomeOne) {
  EXPECT_THAT(merged({"10.44.0.128/25", "10.44.0.0/25"}), ElementsAre("10.44.0.0/24"));
  EXPECT_THAT(merged({"10.44.0.2", "10.44.0.3", "10.44.0.1"}), ElementsAre("10.44.0.1-10.44.0.3"));
  EXPECT_THAT(merged({"0.0.0.0/1", "128.0.0.0/1"}), ElementsAre("0.0.0.0/0"));
  EXPECT_THAT(merged({"10.255.255.255", "11.0.0.0"}), ElementsAre("10.255.255.255-11.0.0.0"));
}

TEST(Range, OthersStayApartAndInOrder) {
  EXPECT_THAT(merged({"192.0.2.0/24", "10.44.0.3", "10.44.0.1"}),
              ElementsAre("10.44.0.1", "10.44.0.3", "192.0.2.0/24"));
  // What lies in the first reaches less far than the first does.
  EXPECT_THAT(merged({"10.0.0.0/8", "10.1.0.0/16", "10.200.0.0/16", "11.0.0.0/24"}),
              ElementsAre("10.0.0.0-11.0.0.255"));
}

TEST(Range, TheLastAddressOfAllHasNoneBehindIt) {
  EXPECT_THAT(merged({"255.255.255.255", "0.0.0.0/8"}), ElementsAre("0.0.0.0/8", "255.255.255.255"));
}

TEST(Range, OnlyThoseOfTheFamilyAreTaken) {
  EXPECT_THAT(merged({"10.0.0.0/8", "::/0"}), ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(merged({"10.0.0.0/8"}, Family::kV6), IsEmpty());
}

}  // namespace
}  // namespace anubis::firewall
