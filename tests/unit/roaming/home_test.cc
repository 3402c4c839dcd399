#include "lib/roaming/home.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::roaming {
namespace {

using testing::HasSubstr;

TEST(ParseMark, TellsByItsFormWhatItIs) {
  EXPECT_EQ(parse_mark("52:54:00:12:34:56"), Mark(*model::MacAddress::parse("52:54:00:12:34:56")));
  EXPECT_EQ(parse_mark("52:54:00:AB:CD:EF"), Mark(*model::MacAddress::parse("52:54:00:ab:cd:ef")));
  EXPECT_EQ(parse_mark("192.168.7.0/24"), Mark(*model::IpPrefix::parse("192.168.7.0/24")));
  EXPECT_EQ(parse_mark("192.168.7.1"), Mark(*model::IpPrefix::parse("192.168.7.1/32")));
  EXPECT_EQ(parse_mark("2001:db8:7::/64"), Mark(*model::IpPrefix::parse("2001:db8:7::/64")));
  for (const char* name : {"MyHomeWifi", "5f1c0bd0-2a3c-4d9e-8f10-0123456789ab", "cafe", "1234", "Wired connection 1",
                           "Café/1", "home: upstairs", "v1.2"}) {
    EXPECT_EQ(parse_mark(name), Mark(ConnectionName{name})) << name;
  }
}

TEST(ParseMark, ReadsWhatWasWritten) {
  for (const char* text : {"MyHomeWifi", "52:54:00:12:34:56", "192.168.7.0/24", "192.168.7.1/32", "2001:db8:7::/64"}) {
    EXPECT_EQ(to_string(parse_mark(text).value()), text);
  }
}

TEST(ParseMark, RefusesWhatWasMistyped) {
  for (const char* text : {"52:54:00:12:34", "52:54:00:12:34:567", "192.168.7.0/33", "192.168.7/24", "192.168.7",
                           "2001:db8:7:::/64", "fd00::/129"}) {
    const auto mark = parse_mark(text);
    ASSERT_FALSE(mark) << text;
    EXPECT_THAT(mark.error().message, HasSubstr("is neither a MAC address")) << text;
  }
}

TEST(ParseMark, RefusesWhatIsEverywhereOrNowhere) {
  for (const char* text : {"0.0.0.0/0", "::/0"}) {
    EXPECT_THAT(parse_mark(text).error().message, HasSubstr("is everywhere")) << text;
  }
  for (const char* text : {"127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/64", "224.0.0.0/4", "0.0.0.0"}) {
    EXPECT_THAT(parse_mark(text).error().message, HasSubstr("tells no network from another")) << text;
  }
  for (const char* text : {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"}) {
    EXPECT_THAT(parse_mark(text).error().message, HasSubstr("of no single host")) << text;
  }
}

}  // namespace
}  // namespace anubis::roaming
