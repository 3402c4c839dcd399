// Netlink messages as bytes, held to <linux/rtnetlink.h>: what is built here is what the kernel is sent.
#include "lib/network/message.h"

#include <cerrno>
#include <limits>
#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "lib/network/link_message.h"
#include "lib/network/route_message.h"
#include "lib/network/rule_message.h"

namespace anubis::network {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

model::IpPrefix prefix(std::string_view text) { return model::IpPrefix::parse(text).value(); }

// "1c 00 …" of the bytes behind the first `skipped` ones.
std::string hex(ByteView bytes, std::size_t skipped = 0) {
  std::string text;
  for (const std::uint8_t byte : bytes.subspan(skipped)) {
    constexpr char kDigits[] = "0123456789abcdef";
    if (!text.empty()) text += ' ';
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

ReceivedMessage received(const Message& message) { return split(message.bytes()).at(0); }

Route route_to_7(std::string_view to) {
  Route route;
  route.prefix = prefix(to);
  route.table = 214;
  route.ifindex = 7;
  return route;
}

TEST(NetlinkMessage, Ipv4RouteAdditionToTheByte) {
  EXPECT_EQ(hex(route_addition(route_to_7("10.44.0.0/24")).bytes()),
            "3c 00 00 00 18 00 05 06 00 00 00 00 00 00 00 00 "  // 60 bytes, RTM_NEWROUTE, REQUEST|ACK|EXCL|CREATE
            "02 18 00 00 d6 d6 00 01 00 00 00 00 "              // AF_INET /24, table 214, proto 214, universe, unicast
            "08 00 01 00 0a 2c 00 00 "                          // RTA_DST
            "08 00 0f 00 d6 00 00 00 "                          // RTA_TABLE
            "08 00 04 00 07 00 00 00 "                          // RTA_OIF
            "08 00 06 00 00 00 00 00");                         // RTA_PRIORITY 0
}

TEST(NetlinkMessage, Ipv6ThrowAdditionToTheByte) {
  Route route = route_to_7("fd77::/16");
  route.kind = RouteKind::kThrow;
  route.ifindex = 0;
  route.table = 100'000;
  EXPECT_EQ(hex(route_addition(route).bytes(), 16),
            "0a 10 00 00 fc d6 00 09 00 00 00 00 "  // AF_INET6 /16, RT_TABLE_COMPAT, protocol 214, universe, throw
            "14 00 01 00 fd 77 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "08 00 0f 00 a0 86 01 00 "   // RTA_TABLE 100000
            "08 00 06 00 00 04 00 00");  // RTA_PRIORITY 1024
}

TEST(NetlinkMessage, RouteRemovalNamesAllThatIsOurs) {
  EXPECT_EQ(hex(route_removal(route_to_7("10.44.0.0/24")).bytes(), 4),
            "19 00 05 00 00 00 00 00 00 00 00 00 "
            "02 18 00 00 d6 d6 ff 01 00 00 00 00 "  // of any scope
            "08 00 01 00 0a 2c 00 00 08 00 0f 00 d6 00 00 00 08 00 04 00 07 00 00 00 08 00 06 00 00 00 00 00");
}

TEST(NetlinkMessage, Ipv6ThrowRemovalNamesTheLoopbackLinkToSpareUnicastRoutes) {
  Route route = route_to_7("fd77::/16");
  route.kind = RouteKind::kThrow;
  const Message removal = route_removal(route);
  const auto attributes = Attributes::behind(received(removal).payload, sizeof(rtmsg));
  EXPECT_EQ(attributes.u32(RTA_OIF), 1u);
}

TEST(NetlinkMessage, BearerRuleToTheByte) {
  Rule rule;
  rule.priority = 21400;
  rule.ip_protocol = 17;
  rule.source_ports = PortRange{4296, 4296};
  rule.input_interface = "lo";
  EXPECT_EQ(hex(rule_addition(rule).bytes()),
            "4c 00 00 00 20 00 05 06 00 00 00 00 00 00 00 00 "  // RTM_NEWRULE
            "02 00 00 00 fe 00 00 01 00 00 00 00 "              // AF_INET, table main, FR_ACT_TO_TBL
            "08 00 06 00 98 53 00 00 "                          // FRA_PRIORITY 21400
            "08 00 0f 00 fe 00 00 00 "                          // FRA_TABLE
            "05 00 15 00 d6 00 00 00 "                          // FRA_PROTOCOL, padded
            "07 00 03 00 6c 6f 00 00 "                          // FRA_IIFNAME "lo"
            "05 00 16 00 11 00 00 00 "                          // FRA_IP_PROTO udp
            "08 00 17 00 c8 10 c8 10");                         // FRA_SPORT_RANGE, host order
}

TEST(NetlinkMessage, WireGuardCreationIsTwoMessagesTheSecondBearsTheMark) {
  const auto messages = wireguard_link_creation("wg7", 7, "ours");
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(hex(messages[0].bytes()),
            "3c 00 00 00 10 00 05 06 00 00 00 00 00 00 00 00 "
            "00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 "             // ifi_index 7
            "08 00 03 00 77 67 37 00 "                                     // IFLA_IFNAME "wg7"
            "14 00 12 80 0e 00 01 00 77 69 72 65 67 75 61 72 64 00 00 00"  // IFLA_LINKINFO { IFLA_INFO_KIND }
  );
  EXPECT_EQ(hex(messages[1].bytes(), 16),
            "00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 "
            "09 00 14 00 6f 75 72 73 00 00 00 00");  // IFLA_IFALIAS
  EXPECT_EQ(hex(messages[1].bytes(), 4).substr(0, 11), "10 00 05 00") << "neither CREATE nor EXCL";
}

TEST(NetlinkMessage, AddressAdditionToTheByte) {
  const auto address = model::InterfaceAddress::parse("fd44::7/64").value();
  EXPECT_EQ(hex(address_addition(7, address, PrefixRoute::kNone).bytes(), 16),
            "0a 40 00 00 07 00 00 00 "
            "14 00 02 00 fd 44 00 00 00 00 00 00 00 00 00 00 00 00 00 07 "  // IFA_LOCAL
            "14 00 01 00 fd 44 00 00 00 00 00 00 00 00 00 00 00 00 00 07 "  // IFA_ADDRESS
            "08 00 08 00 02 02 00 00 "                                      // IFA_FLAGS: NODAD, NOPREFIXROUTE
            "05 00 0b 00 d6 00 00 00");                                     // IFA_PROTO
}

TEST(NetlinkMessage, LookUpAsksForTheTableInIpv4AndPortsInNetworkOrder) {
  RouteQuery query;
  query.destination = model::IpAddress::parse("198.51.100.9").value();
  query.ip_protocol = 17;
  query.source_port = 4296;
  query.fwmark = 7;
  EXPECT_EQ(hex(route_query(query).bytes(), 16),
            "02 20 00 00 00 00 00 00 00 10 00 00 "  // RTM_F_LOOKUP_TABLE
            "08 00 01 00 c6 33 64 09 "
            "05 00 1b 00 11 00 00 00 "   // RTA_IP_PROTO
            "06 00 1c 00 10 c8 00 00 "   // RTA_SPORT
            "08 00 10 00 07 00 00 00");  // RTA_MARK
  query.destination = model::IpAddress::parse("2001:db8::9").value();
  EXPECT_EQ(header_of<rtmsg>(received(route_query(query)).payload)->rtm_flags, 0u) << "IPv6 refuses the flag";
}

TEST(NetlinkMessage, WhatIsBuiltIsReadBack) {
  for (const char* to : {"10.44.0.0/24", "0.0.0.0/0", "fd44::/64", "::/0"}) {
    Route route = route_to_7(to);
    EXPECT_EQ(parse_route(received(route_addition(route)))->route, route);
    route.metric = 77;
    EXPECT_EQ(parse_route(received(route_addition(route)))->route, route);
    route.kind = RouteKind::kThrow;
    route.ifindex = 0;
    EXPECT_EQ(parse_route(received(route_addition(route)))->route, route);
  }
  Rule rule;
  rule.family = model::Family::kV6;
  rule.priority = 5;
  rule.table = 100'000;
  rule.fwmark = FirewallMark{0x10, 0xf0};
  rule.output_interface = "wg0";
  EXPECT_EQ(parse_rule(received(rule_addition(rule))), rule);
  const auto address = model::InterfaceAddress::parse("10.44.0.7/24").value();
  const auto read = parse_address(received(address_addition(7, address, PrefixRoute::kAdd)));
  EXPECT_EQ(read->ifindex, 7u);
  EXPECT_EQ(read->address, (Address{address, kRouteProtocol}));
}

TEST(NetlinkMessage, RouteWithAGatewayOrSeveralNextHopsIsNotOneOfOurs) {
  for (const std::uint16_t attribute : {RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA, RTA_NH_ID}) {
    Message message = route_addition(route_to_7("10.44.0.0/24"));
    message.put_u32(attribute, 1);
    EXPECT_FALSE(parse_route(received(message))->expressible) << attribute;
  }
  EXPECT_TRUE(parse_route(received(route_addition(route_to_7("10.44.0.0/24"))))->expressible);
}

// F26: every truncation, here of what the kernel sends; nothing is read beyond the end (the sanitizers watch).
TEST(NetlinkMessage, F26AnyTruncationIsReadWithinItsBounds) {
  Bytes datagram;
  for (const Message& message :
       {route_addition(route_to_7("fd44::/64")), rule_addition(Rule{}), wireguard_link_creation("wg7", 7, "ours")[0],
        address_addition(7, model::InterfaceAddress::parse("fd44::7/64").value(), PrefixRoute::kAdd)})
    datagram.insert(datagram.end(), message.bytes().begin(), message.bytes().end());
  ASSERT_THAT(split(datagram), SizeIs(4));
  std::size_t read = 0;
  for (std::size_t size = 0; size <= datagram.size(); ++size) {
    const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(size));
    for (const ReceivedMessage& message : split(cut)) {
      read += parse_route(message).has_value() + parse_rule(message).has_value() + parse_link(message).has_value() +
              parse_address(message).has_value();
      // Cut inside of a message: the header claims what is not there.
      for (std::size_t inner = 0; inner < message.payload.size(); ++inner) {
        const Bytes payload(message.payload.begin(), message.payload.begin() + static_cast<std::ptrdiff_t>(inner));
        ReceivedMessage shorter = message;
        shorter.payload = payload;
        (void)parse_route(shorter);
        (void)parse_rule(shorter);
        (void)parse_link(shorter);
        (void)parse_address(shorter);
        shorter.flags = NLM_F_ACK_TLVS;
        (void)parse_answer(shorter);
      }
    }
  }
  EXPECT_GT(read, 0u);
}

TEST(NetlinkMessage, SplitStopsAtLengthsThatLie) {
  Bytes bytes = route_addition(route_to_7("10.44.0.0/24")).bytes();
  bytes[0] = 0;
  EXPECT_THAT(split(bytes), IsEmpty()) << "a length of 0 would never end";
  bytes[0] = 15;
  EXPECT_THAT(split(bytes), IsEmpty());
  bytes[0] = static_cast<std::uint8_t>(bytes.size() + 1);
  EXPECT_THAT(split(bytes), IsEmpty());
}

TEST(NetlinkMessage, AnswerCarriesTheKernelsWordsBehindACappedOrAWholeRequest) {
  const Bytes request = route_addition(route_to_7("10.44.0.0/24")).bytes();
  for (const bool capped : {true, false}) {
    nlmsgerr error{};
    error.error = -ENETDOWN;
    std::memcpy(&error.msg, request.data(), sizeof error.msg);
    Message message(NLMSG_ERROR, 0, error);
    if (!capped) {
      Bytes whole(as_bytes_of(error.error).begin(), as_bytes_of(error.error).end());
      whole.insert(whole.end(), request.begin(), request.end());
      message = Message(NLMSG_ERROR, 0, ByteView(whole));
    }
    message.put_text(NLMSGERR_ATTR_MSG, "Nexthop device is not up");
    ReceivedMessage answer = received(message);
    answer.flags = static_cast<std::uint16_t>(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
    EXPECT_EQ(parse_answer(answer).error, ENETDOWN);
    EXPECT_EQ(parse_answer(answer).text, "Nexthop device is not up");
  }
}

TEST(NetlinkMessage, AStatusThatIsNoErrnoIsABadMessage) {
  EXPECT_EQ(errno_of(0), 0);
  EXPECT_EQ(errno_of(-ENETDOWN), ENETDOWN);
  EXPECT_EQ(errno_of(ENETDOWN), EBADMSG);
  EXPECT_EQ(errno_of(-4096), EBADMSG);
  EXPECT_EQ(errno_of(std::numeric_limits<int>::min()), EBADMSG);
}

}  // namespace
}  // namespace anubis::network
