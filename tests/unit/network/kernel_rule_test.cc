#include <vector>

#include <netinet/in.h>

#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAreArray;

class KernelRule : public KernelTest {};

std::vector<Rule> rules_of_all_sorts() {
  std::vector<Rule> rules;
  for (const auto family : {model::Family::kV4, model::Family::kV6}) {
    Rule ports;
    ports.family = family;
    ports.priority = 21400;
    ports.ip_protocol = IPPROTO_UDP;
    ports.source_ports = PortRange{4296, 4297};
    ports.input_interface = "lo";
    rules.push_back(ports);
    Rule marked;
    marked.family = family;
    marked.priority = 21405;
    marked.table = 100'000;
    marked.fwmark = FirewallMark{0x10, 0xf0};
    marked.output_interface = "nowhere";
    rules.push_back(marked);
    Rule nowhere = marked;
    nowhere.priority = 21406;
    nowhere.action = RuleAction::kUnreachable;
    nowhere.table = 0;
    rules.push_back(nowhere);
    Rule near;
    near.family = family;
    near.priority = 21407;
    near.source = prefix(family == model::Family::kV4 ? "10.44.0.7/32" : "fd44::7/128");
    near.destination = prefix(family == model::Family::kV4 ? "192.168.7.0/24" : "fd07::/64");
    near.suppress_prefix_length = 23;
    rules.push_back(near);
    Rule all;
    all.family = family;
    all.priority = 21410;
    all.table = 214;
    rules.push_back(all);
  }
  return rules;
}

TEST_F(KernelRule, AreAddedOnceSeenFromOutsideAndRemoved) {
  const std::string before = output_of("ip rule") + output_of("ip -6 rule");
  const auto rules = rules_of_all_sorts();
  for (int round = 0; round < 2; ++round)
    for (const Rule& rule : rules) {
      const auto added = network_->add_rule(rule);
      EXPECT_TRUE(added) << added.error().message;
    }
  for (const std::string family : {"-4", "-6"}) {
    const std::string seen = output_of("ip " + family + " rule");
    EXPECT_THAT(seen, HasSubstr("21400:\tfrom all iif lo ipproto udp sport 4296-4297 lookup main proto 214"));
    EXPECT_THAT(seen, HasSubstr("21405:\tfrom all fwmark 0x10/0xf0 oif nowhere [detached] lookup 100000 proto 214"));
    EXPECT_THAT(seen, HasSubstr("21406:\tfrom all fwmark 0x10/0xf0 oif nowhere [detached] unreachable"));
    EXPECT_THAT(seen, HasSubstr("lookup main suppress_prefixlength 23 proto 214"));
    EXPECT_THAT(seen, HasSubstr("21410:\tfrom all lookup 214 proto 214"));
  }
  EXPECT_THAT(network_->rules(kRouteProtocol).value(), UnorderedElementsAreArray(rules));
  for (int round = 0; round < 2; ++round)
    for (const Rule& rule : rules) EXPECT_TRUE(network_->remove_rule(rule));
  EXPECT_EQ(output_of("ip rule") + output_of("ip -6 rule"), before);
}

TEST_F(KernelRule, ForeignOnesAreNeitherListedNorRemoved) {
  for (const std::string family : {"-4", "-6"}) {
    run("ip " + family + " rule add priority 21410 lookup 214 iif lo");
    run("ip " + family + " rule add priority 21410 lookup 214 protocol static");
    run("ip " + family + " rule add priority 21410 lookup 214 dport 53 protocol 214");
    run("ip " + family + " rule add priority 21410 lookup 214 suppress_ifgroup 7 protocol 214");
    run("ip " + family + " rule add priority 21410 not fwmark 7 lookup 214 protocol 214");
  }
  const std::string before = output_of("ip rule") + output_of("ip -6 rule");
  EXPECT_THAT(network_->rules(kRouteProtocol).value(), IsEmpty());
  for (const Rule& rule : rules_of_all_sorts()) EXPECT_TRUE(network_->remove_rule(rule));
  EXPECT_EQ(output_of("ip rule") + output_of("ip -6 rule"), before);
}

TEST_F(KernelRule, OursAmongLookAlikesIsTheOneRemoved) {
  run("ip rule add priority 21410 lookup 214 iif lo");
  run("ip rule add priority 21410 lookup 214 protocol static");
  const std::string before = output_of("ip rule");
  Rule all;
  all.priority = 21410;
  all.table = 214;
  ASSERT_TRUE(network_->add_rule(all));
  EXPECT_NE(output_of("ip rule"), before);
  ASSERT_TRUE(network_->remove_rule(all));
  EXPECT_EQ(output_of("ip rule"), before);
}

}  // namespace
}  // namespace anubis::network
