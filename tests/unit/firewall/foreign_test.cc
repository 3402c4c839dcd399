// What other firewalls do to our ports: rulesets as they put them into the kernel, in a network namespace of each test.
#include "firewall/foreign.h"

#include <fstream>

#include "firewall/nft_firewall.h"
#include "tests/unit/firewall/policies.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::firewall {
namespace {

using network::succeeds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::array<std::uint16_t, 2> kPorts{4296, 4297};

class ForeignRulesets : public network::KernelTest {
 protected:
  void load(const std::string& ruleset) {
    const std::string file = "/tmp/anubis-foreign-" + std::to_string(getpid());
    std::ofstream(file) << ruleset;
    run(("nft -f " + file).c_str());
    unlink(file.c_str());
  }
  std::vector<ClosedPort> closed() {
    NftFirewall firewall;
    const auto ports = firewall.closed_ports(kPorts);
    EXPECT_TRUE(ports) << ports.error().message;
    return ports.value_or(std::vector<ClosedPort>());
  }
};

TEST_F(ForeignRulesets, NoneClosesNothing) {
  EXPECT_THAT(closed(), IsEmpty());
  NftFirewall ours;
  ASSERT_TRUE(ours.apply(simple()));
  EXPECT_THAT(closed(), IsEmpty());
}

TEST_F(ForeignRulesets, APolicyOfDropClosesWhatNoRuleOpens) {
  load(
      "table inet filter {\n"
      " chain input { type filter hook input priority filter; policy drop;\n"
      "  iif lo accept\n  ct state established,related accept\n  ct state invalid drop\n  tcp dport 22 accept\n"
      "  udp dport 4297 accept\n  icmp type echo-request limit rate 5/second accept\n }\n}\n");
  EXPECT_THAT(closed(), ElementsAre(ClosedPort{.port = 4296,
                                               .table = "inet filter",
                                               .chain = "input",
                                               .v4 = true,
                                               .v6 = true,
                                               .advice = "nft insert rule inet filter input udp dport 4296 accept (and "
                                                         "the same in /etc/nftables.conf)"}));
}

TEST_F(ForeignRulesets, OpenPortsAreToldHoweverTheyAreWritten) {
  for (const char* opens :
       {"udp dport { 53, 4296-4297 } accept", "udp dport 4000-5000 accept", "meta l4proto udp accept",
        "udp dport vmap { 4296 : accept, 4297 : accept }", "th dport { 4296, 4297 } accept", "ct state new accept",
        "udp dport >= 4296 accept", "udp dport != 53 accept", "ip6 nexthdr udp accept; ip protocol udp accept",
        "iifname != lo accept", "jump ours", "goto ours", "ct state vmap { new : jump ours }",
        "ip saddr 10.0.0.0/8 accept; ip6 saddr fc00::/7 accept"}) {
    load(std::string("flush ruleset\ntable inet filter {\n chain ours { udp dport { 4296, 4297 } accept\n }\n"
                     " chain input { type filter hook input priority filter; policy drop;\n") +
         opens + "\n }\n}\n");
    EXPECT_THAT(closed(), IsEmpty()) << opens;
  }
}

TEST_F(ForeignRulesets, ClosedPortsAreToldHoweverTheyAreWritten) {
  for (const char* closes : {"udp dport { 4296, 4297 } drop", "udp dport 4296-4297 reject", "ct state new drop",
                             "meta l4proto udp reject", "jump no", "goto no", "udp dport vmap { 4000-5000 : goto no }",
                             "iifname lo accept; drop", "tcp dport 4296 accept; iif != lo udp dport 4296-4297 drop",
                             "jump maybe; drop", "ip saddr 10.0.0.0/8 drop; ip6 saddr fc00::/7 drop; drop"}) {
    load(std::string("flush ruleset\ntable inet filter {\n chain no { reject with icmpx admin-prohibited\n }\n"
                     " chain maybe { tcp dport 22 accept; ct state established accept; return\n }\n"
                     " chain input { type filter hook input priority filter; policy accept;\n") +
         closes + "\n }\n}\n");
    EXPECT_THAT(closed(), SizeIs(2)) << closes;
  }
}

TEST_F(ForeignRulesets, WhatCannotBeToldIsNotTold) {
  for (const char* may : {"ip saddr 10.0.0.0/8 drop", "iifname eth0 drop", "limit rate 5/second drop",
                          "meta mark 7 drop", "fib saddr . iif oif missing drop", "iifname vmap { eth0 : drop }",
                          "ip saddr . udp dport { 10.0.0.1 . 4296 } drop"}) {
    load(std::string("flush ruleset\ntable inet filter {\n"
                     " chain input { type filter hook input priority filter; policy accept;\n") +
         may + "\n }\n}\n");
    EXPECT_THAT(closed(), IsEmpty()) << may;
  }
}

// As firewalld writes it: zones by interface, then the default zone.
TEST_F(ForeignRulesets, FirewalldsZoneClosesThem) {
  const auto firewalld = [](const std::string& allowed) {
    return "flush ruleset\ntable inet firewalld {\n"
           " chain filter_INPUT { type filter hook input priority filter + 10; policy accept;\n"
           "  ct state { established, related } accept\n  ct status dnat accept\n  iifname \"lo\" accept\n"
           "  ct state invalid drop\n  jump filter_INPUT_ZONES\n  reject with icmpx admin-prohibited\n }\n"
           " chain filter_INPUT_ZONES {\n  iifname \"eth0\" goto filter_IN_public\n  goto filter_IN_public\n }\n"
           " chain filter_IN_public {\n  jump filter_IN_public_pre\n  jump filter_IN_public_allow\n"
           "  meta l4proto { icmp, ipv6-icmp } accept\n  reject with icmpx admin-prohibited\n }\n"
           " chain filter_IN_public_pre { }\n"
           " chain filter_IN_public_allow {\n  tcp dport 22 accept\n"
           "  ip6 daddr fe80::/64 udp dport 546 accept\n" +
           allowed + " }\n}";
  };
  load(firewalld(""));
  const auto ports = closed();
  ASSERT_THAT(ports, SizeIs(2));
  EXPECT_EQ(ports[0].table, "inet firewalld");
  EXPECT_EQ(ports[0].advice, "firewall-cmd --permanent --add-port=4296/udp && firewall-cmd --reload");
  load(firewalld("  udp dport 4296 accept\n  udp dport 4297 accept\n"));
  EXPECT_THAT(closed(), IsEmpty());
}

// As ufw has iptables-nft write it: modules of xtables where nftables has its own words, too.
TEST_F(ForeignRulesets, UfwClosesThemUntilTold) {
  if (!succeeds("iptables-nft -S")) GTEST_SKIP() << "no iptables-nft that works";
  for (const char* iptables : {"iptables-nft", "ip6tables-nft"}) {
    for (const char* rule :
         {"-P INPUT DROP", "-N ufw-before-input", "-N ufw-user-input", "-N ufw-skip-to-policy-input",
          "-A ufw-skip-to-policy-input -j DROP", "-A INPUT -j ufw-before-input", "-A ufw-before-input -i lo -j ACCEPT",
          "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-A ufw-before-input -m conntrack --ctstate INVALID -m limit --limit 3/min -j LOG --log-prefix block",
          "-A ufw-before-input -m conntrack --ctstate INVALID -j DROP",
          "-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT",
          "-A ufw-before-input -p tcp -m tcp --dport 22 -j ACCEPT", "-A ufw-before-input -j ufw-user-input",
          "-A INPUT -m comment --comment 'what is left' -j ufw-skip-to-policy-input"}) {
      run((std::string(iptables) + " " + rule).c_str());
    }
  }
  const auto ports = closed();
  ASSERT_THAT(ports, SizeIs(4));  // two tables
  EXPECT_EQ(ports[0].table, "ip filter");
  EXPECT_TRUE(ports[0].v4);
  EXPECT_FALSE(ports[0].v6);
  EXPECT_EQ(ports[0].advice, "ufw allow 4296/udp");
  for (const char* iptables : {"iptables-nft", "ip6tables-nft"}) {
    run((std::string(iptables) + " -A ufw-user-input -p udp -m udp --dport 4296 -j ACCEPT").c_str());
    run((std::string(iptables) + " -A ufw-user-input -p udp -m multiport --dports 4297 -j ACCEPT").c_str());
  }
  EXPECT_THAT(closed(), IsEmpty());
}

// --- without a kernel

Expression load(Field field, std::uint32_t target) { return {.kind = Kind::kLoad, .target = target, .field = field}; }
Expression port_is(std::uint16_t port) {
  return {.kind = Kind::kCompare,
          .source = 1,
          .value = {static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port & 0xff)}};
}
Expression verdict(VerdictKind kind, std::string chain = {}) {
  return {.kind = Kind::kVerdict, .verdict = {kind, std::move(chain)}};
}

ForeignTable table_with(std::vector<ForeignRule> rules, bool drops = false) {
  ForeignTable table{.family = 1, .name = "filter"};  // NFPROTO_INET
  table.chains["input"] = {.hook = 1, .drops = drops, .rules = std::move(rules)};
  return table;
}
std::size_t blocks(const ForeignTable& table) { return blocks_of({table}, {4296}).size(); }

TEST(Foreign, TheFirstRuleThatSurelyMatchesDecides) {
  const ForeignRule accept{load(Field::kDestinationPort, 1), port_is(4296), verdict(VerdictKind::kAccept)};
  const ForeignRule drop{verdict(VerdictKind::kDrop)};
  EXPECT_EQ(blocks(table_with({drop, accept})), 1u);
  EXPECT_EQ(blocks(table_with({accept, drop})), 0u);
  EXPECT_EQ(blocks(table_with({{load(Field::kDestinationPort, 1), port_is(53), verdict(VerdictKind::kAccept)}, drop})),
            1u);
}

TEST(Foreign, AChainThatCallsItselfEndsTheLook) {
  ForeignTable table = table_with({{verdict(VerdictKind::kJump, "input")}}, true);
  EXPECT_EQ(blocks(table), 0u);
}

TEST(Foreign, WhatIsMissingCannotBeTold) {
  EXPECT_EQ(blocks(table_with({{verdict(VerdictKind::kGoto, "nowhere")}}, true)), 0u);
  EXPECT_EQ(blocks(table_with({{{.kind = Kind::kLookup, .source = 1, .set = "nowhere"}, verdict(VerdictKind::kDrop)}})),
            0u);
}

TEST(Foreign, AReturnFromABaseChainLeadsToItsPolicy) {
  EXPECT_EQ(blocks(table_with({{verdict(VerdictKind::kReturn)}, {verdict(VerdictKind::kAccept)}}, true)), 1u);
  EXPECT_EQ(blocks(table_with({{verdict(VerdictKind::kReturn)}, {verdict(VerdictKind::kDrop)}}, false)), 0u);
}

}  // namespace
}  // namespace anubis::firewall
