// NftFirewall, the part about other tables. Read by netlink: libnftables would load modules of xtables into this
// process for rules of iptables-nft.
#include <algorithm>

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "firewall/foreign_message.h"
#include "firewall/message.h"
#include "firewall/nft_firewall.h"

namespace anubis::firewall {
namespace {

using base::fail;
using base::Result;
using base::Status;

bool is_looked_at(std::uint8_t family) {
  return family == NFPROTO_INET || family == NFPROTO_IPV4 || family == NFPROTO_IPV6;
}

const char* word_of(std::uint8_t family) {
  if (family == NFPROTO_INET) return "inet";
  return family == NFPROTO_IPV4 ? "ip" : "ip6";
}

// Which sets its rules ask.
bool asks(const ForeignTable& table, const std::string& set) {
  return std::ranges::any_of(table.chains, [&](const auto& chain) {
    return std::ranges::any_of(chain.second.rules, [&](const ForeignRule& rule) {
      return std::ranges::any_of(rule,
                                 [&](const Expression& each) { return each.kind == Kind::kLookup && each.set == set; });
    });
  });
}

}  // namespace

Result<std::vector<ForeignTable>> NftFirewall::read_others() {
  std::vector<ForeignTable> tables;
  auto status = netlink_->dump(
      NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, {}, [&] { tables.clear(); },
      [&](const Message& message) {
        const std::string name = table_of(message.attributes);
        if (!is_looked_at(message.family) || (message.family == NFPROTO_INET && name == kTable)) return;
        auto table = std::ranges::find_if(
            tables, [&](const ForeignTable& each) { return each.family == message.family && each.name == name; });
        if (table == tables.end()) table = tables.insert(tables.end(), {.family = message.family, .name = name});
        const ChainRecord chain = parse_chain(message.attributes);
        table->chains[chain.name] = {
            .hook = chain.hook, .priority = chain.priority, .drops = chain.policy == NF_DROP, .rules = {}};
      });
  if (!status) return fail(status.error());
  std::erase_if(tables, [](const ForeignTable& table) {
    return std::ranges::none_of(table.chains, [](const auto& chain) { return chain.second.hook == NF_INET_LOCAL_IN; });
  });
  for (ForeignTable& table : tables) {
    if (status = read_rules(table); !status) return fail(status.error());
    if (status = read_sets(table); !status) return fail(status.error());
  }
  return tables;
}

Status NftFirewall::read_rules(ForeignTable& table) {
  return netlink_->dump(
      NFT_MSG_GETRULE, table.family, narrowed_to_table(table.name),
      [&] {
        for (auto& [name, chain] : table.chains) chain.rules.clear();
      },
      [&](const Message& message) {
        if (table_of(message.attributes) != table.name) return;
        const RuleRecord rule = parse_rule(message.attributes);
        const auto chain = table.chains.find(rule.chain);
        if (chain != table.chains.end()) chain->second.rules.push_back(parse_expressions(rule.expressions));
      });
}

// Only those that rules ask: others may have a hundred thousand addresses.
Status NftFirewall::read_sets(ForeignTable& table) {
  auto status = netlink_->dump(
      NFT_MSG_GETSET, table.family, narrowed_to_table(table.name), [&] { table.sets.clear(); },
      [&](const Message& message) {
        if (table_of(message.attributes) != table.name) return;
        const SetRecord set = parse_set(message.attributes);
        if (asks(table, set.name)) table.sets[set.name].is_interval = set.is_interval;
      });
  for (auto& [name, set] : table.sets) {
    if (!status) return status;
    status = netlink_->dump(
        NFT_MSG_GETSETELEM, table.family, narrowed_to_set(table.name, name), [&] { set.elements.clear(); },
        [&](const Message& message) { append_elements(message.attributes, set); });
    sort_elements(set);
  }
  return status;
}

Result<std::vector<ClosedPort>> NftFirewall::closed_ports(std::span<const std::uint16_t> ports) {
  if (auto status = open(); !status) return fail(status.error());
  const auto tables = read_others();
  if (!tables) return fail(tables.error());
  std::vector<ClosedPort> closed;
  for (const Block& block : blocks_of(*tables, {ports.begin(), ports.end()})) {
    closed.push_back({.port = block.port,
                      .table = fmt::format("{} {}", word_of(block.family), block.table),
                      .chain = block.chain,
                      .v4 = block.v4,
                      .v6 = block.v6,
                      .advice = advice_for(block, *tables)});
  }
  return closed;
}

}  // namespace anubis::firewall
