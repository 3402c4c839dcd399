#include "lib/model/mac_address.h"

#include <gtest/gtest.h>

namespace anubis::model {
namespace {

TEST(MacAddress, IsReadInEitherCaseAndWrittenInLowerCase) {
  EXPECT_EQ(MacAddress::parse("52:54:00:Ab:CD:0f")->to_string(), "52:54:00:ab:cd:0f");
}

TEST(MacAddress, WhatIsNoMacAddressIsRefused) {
  for (const char* text : {"", "52:54:00:12:34", "52:54:00:12:34:56:78", "52-54-00-12-34-56", "52:54:00:12:34:5g",
                           "52:54:00:12:34:5", "5:254:00:12:34:56", "+2:54:00:12:34:56", " 2:54:00:12:34:56"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(MacAddress, OfAHostIsNeitherZeroNorAGroups) {
  EXPECT_TRUE(MacAddress::parse("52:54:00:12:34:56")->is_of_a_host());
  EXPECT_FALSE(MacAddress().is_of_a_host());
  EXPECT_FALSE(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_of_a_host());
  EXPECT_FALSE(MacAddress::parse("33:33:00:00:00:01")->is_of_a_host());
}

}  // namespace
}  // namespace anubis::model
