#include "lib/model/ip.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) ADD_FAILURE() << parsed.error().message;
  return parsed ? *parsed : IpAddress();
}

IpPrefix prefix(std::string_view text) {
  const auto parsed = IpPrefix::parse(text);
  if (!parsed) ADD_FAILURE() << parsed.error().message;
  return parsed ? *parsed : IpPrefix();
}

TEST(IpAddress, IsReadAndWrittenInItsShortestForm) {
  for (const std::string_view text :
       {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fd77:1:2:3:4:5:6:7"}) {
    EXPECT_EQ(address(text).to_string(), text);
  }
  EXPECT_EQ(address("2001:0DB8:0:0::1").to_string(), "2001:db8::1");
}

TEST(IpAddress, NothingElseIsRead) {
  for (const std::string_view text :
       {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "0x7f.0.0.1", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4/32", ":",
        ":::", "1::2::3", "[::1]", "fe80::1%eth0", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "localhost"}) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalid);
    EXPECT_EQ(parsed.error().message, "\"" + std::string(text) + "\" is not an IPv4 or IPv6 address");
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpAddress, HasTheBytesOfItsFamilyInNetworkOrder) {
  EXPECT_THAT(address("192.0.2.1").bytes(), ElementsAre(192, 0, 2, 1));
  EXPECT_EQ(address("2001:db8::1").bytes().size(), 16u);
  EXPECT_EQ(IpAddress::v6(std::span(address("2001:db8::1").bytes()).first<16>()), address("2001:db8::1"));
  EXPECT_EQ(IpAddress::v4(std::span(address("192.0.2.1").bytes()).first<4>()), address("192.0.2.1"));
  EXPECT_NE(address("0.0.0.0"), address("::"));  // equal bytes, another family
}

TEST(IpAddress, KnowsTheSpecialOnes) {
  const struct {
    std::string_view text;
    bool unspecified, loopback, multicast, link_local;
  } cases[] = {
      {"0.0.0.0", true, false, false, false},
      {"::", true, false, false, false},
      {"127.0.0.1", false, true, false, false},
      {"127.255.255.255", false, true, false, false},
      {"128.0.0.0", false, false, false, false},
      {"::1", false, true, false, false},
      {"::2", false, false, false, false},
      {"1::1", false, false, false, false},
      {"223.255.255.255", false, false, false, false},
      {"224.0.0.0", false, false, true, false},
      {"239.255.255.255", false, false, true, false},
      {"240.0.0.0", false, false, false, false},
      {"ff02::1", false, false, true, false},
      {"fe80::1", false, false, false, true},
      {"febf::1", false, false, false, true},
      {"fec0::1", false, false, false, false},
      {"169.254.1.1", false, false, false, true},
      {"169.255.1.1", false, false, false, false},
  };
  for (const auto& [text, unspecified, loopback, multicast, link_local] : cases) {
    EXPECT_EQ(address(text).is_unspecified(), unspecified) << text;
    EXPECT_EQ(address(text).is_loopback(), loopback) << text;
    EXPECT_EQ(address(text).is_multicast(), multicast) << text;
    EXPECT_EQ(address(text).is_link_local(), link_local) << text;
  }
}

TEST(IpPrefix, BitsBehindTheLengthAreCleared) {
  EXPECT_EQ(prefix("10.44.0.7/24").to_string(), "10.44.0.0/24");
  EXPECT_EQ(prefix("255.255.255.255/13").to_string(), "255.248.0.0/13");
  EXPECT_EQ(prefix("10.44.0.7/32").to_string(), "10.44.0.7/32");
  EXPECT_EQ(prefix("10.44.0.7/0").to_string(), "0.0.0.0/0");
  EXPECT_EQ(prefix("2001:db8:ffff::1/33").to_string(), "2001:db8:8000::/33");
  EXPECT_EQ(prefix("ffff::1/127").to_string(), "ffff::/127");
}

TEST(IpPrefix, AnAddressAloneIsItsFullLength) {
  EXPECT_EQ(prefix("10.44.0.7").to_string(), "10.44.0.7/32");
  EXPECT_EQ(prefix("fd44::7").to_string(), "fd44::7/128");
}

TEST(IpPrefix, ALengthThatCannotBeIsRefused) {
  for (const std::string_view text : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
                                      "10.0.0.0/8/8", "10.0.0.0/0x8", "10.0.0.0/4294967304"}) {
    const auto parsed = IpPrefix::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("no valid prefix length: 0 to 32")) << text;
  }
  EXPECT_THAT(IpPrefix::parse("fd44::/129").error().message, HasSubstr("0 to 128"));
  EXPECT_THAT(IpPrefix::parse("x/8").error().message, HasSubstr("\"x\" is not an IPv4 or IPv6 address"));
}

TEST(IpPrefix, ContainsWhatBeginsWithItsBits) {
  EXPECT_TRUE(prefix("10.44.0.0/15").contains(address("10.45.255.255")));
  EXPECT_FALSE(prefix("10.44.0.0/15").contains(address("10.46.0.0")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.255.255.255")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/9")));
  EXPECT_FALSE(prefix("10.0.0.0/9").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.0.0.0/9").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.0.0.0/9").overlaps(prefix("10.128.0.0/9")));
  EXPECT_FALSE(prefix("::/0").overlaps(prefix("0.0.0.0/0")));
  EXPECT_TRUE(prefix("::/0").is_default_route());
  EXPECT_FALSE(prefix("::/1").is_default_route());
}

TEST(IpPrefix, SortsWhatContainsBeforeWhatIsContained) {
  std::vector<IpPrefix> prefixes{prefix("10.1.0.0/16"), prefix("::/0"),       prefix("10.0.0.0/16"),
                                 prefix("9.0.0.0/8"),   prefix("10.0.0.0/8"), prefix("0.0.0.0/0")};
  std::ranges::sort(prefixes);
  EXPECT_THAT(prefixes, ElementsAre(prefix("0.0.0.0/0"), prefix("9.0.0.0/8"), prefix("10.0.0.0/8"),
                                    prefix("10.0.0.0/16"), prefix("10.1.0.0/16"), prefix("::/0")));
}

TEST(InterfaceAddress, KeepsItsHostBits) {
  const auto parsed = InterfaceAddress::parse("10.44.0.7/24");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->address, address("10.44.0.7"));
  EXPECT_EQ(parsed->length, 24);
  EXPECT_EQ(parsed->to_string(), "10.44.0.7/24");
  EXPECT_EQ(InterfaceAddress::parse("fd44::7")->to_string(), "fd44::7/128");
}

}  // namespace
}  // namespace anubis::model
