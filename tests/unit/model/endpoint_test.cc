#include "lib/model/endpoint.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::model {
namespace {

using testing::HasSubstr;

TEST(Endpoint, IsWrittenAsWireGuardWritesIt) {
  EXPECT_EQ((Endpoint{*IpAddress::parse("192.0.2.1"), 4296}.to_string()), "192.0.2.1:4296");
  EXPECT_EQ((Endpoint{*IpAddress::parse("2001:db8::1"), 4296}.to_string()), "[2001:db8::1]:4296");
  EXPECT_EQ((Endpoint{*IpAddress::parse("fe80::1"), 4296, 7}.to_string()), "[fe80::1%7]:4296");
}

TEST(HostPort, TakesNamesAndAddressesWithOrWithoutAPort) {
  const std::string longest_label(63, 'a');
  const struct {
    std::string text;
    std::string host;
    std::optional<std::uint16_t> port;
  } cases[] = {
      {"jacinth", "jacinth", std::nullopt},
      {"jacinth.example.net:1", "jacinth.example.net", 1},
      {"jacinth.example.net.", "jacinth.example.net.", std::nullopt},
      {"xn--jcinth-bua.example:65535", "xn--jcinth-bua.example", 65535},
      {"under_score", "under_score", std::nullopt},
      {"7up.example", "7up.example", std::nullopt},
      {longest_label, longest_label, std::nullopt},
      {"192.0.2.1", "192.0.2.1", std::nullopt},
      {"192.0.2.1:4296", "192.0.2.1", 4296},
      {"2001:db8::1", "2001:db8::1", std::nullopt},
      {"[2001:db8::1]", "2001:db8::1", std::nullopt},
      {"[2001:db8::1]:4296", "2001:db8::1", 4296},
  };
  for (const auto& [text, host, port] : cases) {
    const auto parsed = HostPort::parse(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  }
}

TEST(HostPort, WritesWhatItReads) {
  for (const std::string_view text : {"jacinth", "jacinth:1", "192.0.2.1:4296", "2001:db8::1", "[2001:db8::1]:4296"}) {
    EXPECT_EQ(HostPort::parse(text)->to_string(), text);
  }
}

TEST(HostPort, SaysWhatIsWrong) {
  const struct {
    std::string text;
    std::string_view reason;
  } cases[] = {
      {"", "is not a host name or an address"},
      {":4296", "is not a host name or an address"},
      {"a b", "is not a host name or an address"},
      {"a..b", "is not a host name or an address"},
      {".", "is not a host name or an address"},
      {".a", "is not a host name or an address"},
      {"-a", "is not a host name or an address"},
      {"a-.b", "is not a host name or an address"},
      {"a/b", "is not a host name or an address"},
      {"jäcinth", "is not a host name or an address"},
      {std::string(64, 'a'), "is not a host name or an address"},
      {std::string(254, 'a'), "is not a host name or an address"},
      {"192.0.2", "is not a host name or an address"},
      {"192.0.2.256", "is not a host name or an address"},
      {"192.0.2.1.5:80", "is not a host name or an address"},
      {"fe80::1%eth0", "is not a host name or an address"},
      {"a:1:2", "is not a host name or an address"},
      {"a:", "has no valid port"},
      {"a:0", "has no valid port"},
      {"a:65536", "has no valid port"},
      {"a:+1", "has no valid port"},
      {"a:1 ", "has no valid port"},
      {"[::1]:", "has no valid port"},
      {"[::1", "lacks the closing bracket"},
      {"[]:1", "is not of the form [IPv6 address]:port"},
      {"[::1]1", "is not of the form [IPv6 address]:port"},
      {"[192.0.2.1]:1", "is not of the form [IPv6 address]:port"},
      {"[jacinth]:1", "is not of the form [IPv6 address]:port"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = HostPort::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalid);
    EXPECT_THAT(parsed.error().message, HasSubstr("\"" + text + "\" "));
    EXPECT_THAT(parsed.error().message, HasSubstr(std::string(reason))) << text;
  }
}

// "2001:db8::1:4296" is an address to its end; a ninth group was once taken for the port.
TEST(HostPort, AnIpv6AddressWithAPortNeedsBrackets) {
  EXPECT_EQ(HostPort::parse("2001:db8::1:4296")->port, std::nullopt);
  for (const std::string_view text : {"1:2:3:4:5:6:7:8:4296", "2001:db8:::4296", "2001:db8::1:65535:99999"}) {
    const auto parsed = HostPort::parse(text);
    ASSERT_FALSE(parsed) << text;
  }
  EXPECT_THAT(HostPort::parse("1:2:3:4:5:6:7:8:4296").error().message,
              HasSubstr("needs brackets around the IPv6 address: [1:2:3:4:5:6:7:8]:port"));
}

TEST(HostPort, ALiteralNeedsNoResolver) {
  EXPECT_EQ(HostPort::parse("[2001:db8::1]:1")->literal(), *IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(HostPort::parse("192.0.2.1")->literal(), *IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(HostPort::parse("jacinth")->literal(), std::nullopt);
}

}  // namespace
}  // namespace anubis::model
