#include "firewall/ruleset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/firewall/policies.h"

namespace anubis::firewall {
namespace {

using testing::HasSubstr;
using testing::Not;

// The whole of what is put into force on a host without any setting of its own.
TEST(Ruleset, OfTheSimplestHost) {
  EXPECT_EQ(to_text(ruleset_of(simple())), R"(table inet anubis
delete table inet anubis
table inet anubis {
	set production_v4 {
		type ipv4_addr
		flags interval
	}
	set production_v6 {
		type ipv6_addr
		flags interval
	}
	set side_peers_v6 {
		type ipv6_addr
		flags interval
		elements = { fd77::/16 }
	}
	set initiators_v4 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1m
	}
	set initiators_v6 {
		type ipv6_addr
		size 65535
		flags dynamic,timeout
		timeout 1m
	}
	chain input {
		type filter hook input priority filter; policy accept;
		iifname "anubis0" ip6 saddr @side_peers_v6 ip6 daddr fd77::1 udp dport 4298 accept comment "side peers ask"
		iifname "anubis0" drop comment "and have nothing else from the side interface"
		iifname "wg0" ip saddr != @production_v4 drop comment "ipv4 from no peer that is up"
		iifname "wg0" ip6 saddr != @production_v6 drop comment "ipv6 from no peer that is up"
		meta nfproto ipv4 udp dport { 4296, 4297 } @th,64,32 0x01000000 update @initiators_v4 { ip saddr limit rate over 500/second burst 2000 packets } drop comment "ipv4 too many handshakes of one source"
		meta nfproto ipv6 udp dport { 4296, 4297 } @th,64,32 0x01000000 update @initiators_v6 { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over 500/second burst 2000 packets } drop comment "ipv6 too many handshakes of one source"
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "anubis0" drop comment "nothing from the side interface"
		oifname "anubis0" drop comment "nothing into the side interface"
		iifname "wg0" ip saddr != @production_v4 drop comment "ipv4 from no peer that is up"
		iifname "wg0" ip6 saddr != @production_v6 drop comment "ipv6 from no peer that is up"
	}
	chain output {
		type filter hook output priority filter; policy accept;
		oifname "anubis0" ip6 saddr fd77::1 udp sport 4298 accept comment "answers to side peers, and questions"
		oifname "anubis0" drop comment "and nothing else by the side interface"
	}
}
)");
}

TEST(Ruleset, InPlaceOnlyWhatDiffersIsChangedInTheSets) {
  Policy policy = simple();
  policy.production = {prefix("10.44.0.2/32"), prefix("10.44.0.9/32")};
  const Ruleset ruleset = ruleset_of(policy);
  std::vector<std::vector<Range>> standing;
  for (const Set& set : ruleset.sets) standing.push_back(set.ranges);
  const std::string same = to_text_in_place(ruleset, standing);
  EXPECT_THAT(same, Not(HasSubstr("element")));
  EXPECT_THAT(same, Not(HasSubstr("delete")));
  EXPECT_THAT(same, HasSubstr("flush chain inet anubis input\n"));
  const std::vector<model::IpPrefix> before{prefix("10.44.0.2/32"), prefix("10.44.0.5/32")};
  standing[0] = merge(before, model::Family::kV4);
  const std::string text = to_text_in_place(ruleset, standing);
  EXPECT_THAT(text, HasSubstr("delete element inet anubis production_v4 { 10.44.0.5 }\n"));
  EXPECT_THAT(text, HasSubstr("add element inet anubis production_v4 { 10.44.0.9 }\n"));
}

TEST(Ruleset, SideAddressesOfIpv4AreNamedOneByOne) {
  Policy policy = simple();
  policy.side_address = ip("192.168.77.1");
  policy.side_ranges = {prefix("192.168.77.9/32"), prefix("192.168.77.3/32")};
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr("elements = { 192.168.77.3, 192.168.77.9 }"));
  EXPECT_THAT(text,
              HasSubstr("iifname \"anubis0\" ip saddr @side_peers_v4 ip daddr 192.168.77.1 udp dport 4298 accept"));
  EXPECT_THAT(text, HasSubstr("oifname \"anubis0\" ip saddr 192.168.77.1 udp sport 4298 accept"));
}

TEST(Ruleset, WhatIsUpMayBeEverything) {
  Policy policy = simple();
  policy.production = {prefix("10.0.0.0/8"), prefix("0.0.0.0/0"), prefix("::/0")};
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr("elements = { 0.0.0.0/0 }"));
  EXPECT_THAT(text, HasSubstr("elements = { ::/0 }"));
}

TEST(Ruleset, MasqueradesWhatLeavesByInterfacesOfOthers) {
  Policy policy = simple();
  policy.masquerade = {prefix("10.44.0.0/24"), prefix("fd44::/64")};
  policy.snat_to = {ip("192.0.2.7")};
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr("type nat hook postrouting priority srcnat; policy accept;"));
  EXPECT_THAT(text,
              HasSubstr("oifname != { \"wg0\", \"anubis0\", \"lo\" } ip saddr @masquerade_v4 snat ip to 192.0.2.7"));
  EXPECT_THAT(text, HasSubstr("oifname != { \"wg0\", \"anubis0\", \"lo\" } ip6 saddr @masquerade_v6 masquerade"));
}

TEST(Ruleset, F37WhatMustNotGoInClearIsRejectedHereAndDroppedOnItsWayThrough) {
  Policy policy = simple();
  policy.never_clear = {prefix("10.44.0.0/24")};
  policy.throw_ranges = {prefix("10.44.0.128/25")};
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr("oifname != \"wg0\" ip daddr != @throw_v4 ip daddr @never_clear_v4 drop"));
  EXPECT_THAT(text,
              HasSubstr("\t\tip daddr != @throw_v4 ip daddr @never_clear_v4 reject with icmpx type admin-prohibited"));
  EXPECT_THAT(text, HasSubstr("udp sport { 4296, 4297 } accept"));
  EXPECT_THAT(text, Not(HasSubstr("never_clear_v6")));
  // A range of its own needs no exceptions for what makes a link work.
  EXPECT_THAT(text, Not(HasSubstr("DHCP")));
}

TEST(Ruleset, F37ADefaultRouteThatMustNotGoInClearLeavesAUsableLink) {
  Policy policy = simple();
  policy.never_clear = {prefix("0.0.0.0/0"), prefix("::/0")};
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr("udp sport { 67, 68 } udp dport { 67, 68 } accept"));
  EXPECT_THAT(text, HasSubstr("nd-neighbor-solicit"));
  EXPECT_THAT(text, HasSubstr("ip6 daddr { fe80::/10, ff00::/8 } accept"));
}

// One more TCP port on the side interface, to be asked and not to ask from.
TEST(Ruleset, TheCompanionPageIsOpenOnlyWhereItIsServed) {
  EXPECT_THAT(to_text(ruleset_of(simple())), Not(HasSubstr("tcp")));
  Policy policy = simple();
  policy.companion_port = 4299;
  const std::string text = to_text(ruleset_of(policy));
  EXPECT_THAT(text, HasSubstr(R"(iifname "anubis0" ip6 saddr @side_peers_v6 ip6 daddr fd77::1 tcp dport 4299 accept)"));
  EXPECT_THAT(text,
              HasSubstr(R"(oifname "anubis0" ip6 saddr fd77::1 tcp sport 4299 tcp flags & (syn | ack) != syn accept)"));
  EXPECT_LT(text.find("tcp dport 4299"), text.find("iifname \"anubis0\" drop"));
  EXPECT_LT(text.find("tcp sport 4299"), text.find("oifname \"anubis0\" drop", text.find("chain output")));
}

}  // namespace
}  // namespace anubis::firewall
