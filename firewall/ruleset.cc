#include "firewall/ruleset.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "firewall/also_listen.h"

namespace anubis::firewall {
namespace {

using model::Family;
using model::IpAddress;
using model::IpPrefix;

constexpr std::array kFamilies{Family::kV4, Family::kV6};

struct Words {
  std::string_view network;  // of a packet's addresses
  std::string_view protocol;
  std::string_view type;
  std::string_view suffix;
};

Words words(Family family) {
  switch (family) {
    case Family::kV4:
      return {"ip", "ipv4", "ipv4_addr", "_v4"};
    case Family::kV6:
      break;
  }
  return {"ip6", "ipv6", "ipv6_addr", "_v6"};
}

std::string named(std::string_view name, Family family) { return fmt::format("{}{}", name, words(family).suffix); }

std::string quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

// Interfaces have names without quotes and braces: the configuration refuses others.
class Builder {
 public:
  explicit Builder(const Policy& policy)
      : policy_(policy),
        production_(quoted(policy.production_interface)),
        side_(quoted(policy.side_interface)),
        bearer_ports_(fmt::format("{{ {}, {} }}", policy.production_port, policy.side_port)) {}

  Ruleset build() {
    for (const Family family : kFamilies) {
      add_set("production", family, policy_.production);
      ruleset_.sources.push_back({named("initiators", family), family});
    }
    add_set("side_peers", policy_.side_address.family(), policy_.side_ranges);
    ruleset_.chains.push_back(input());
    ruleset_.chains.push_back(forward());
    ruleset_.chains.push_back(output());
    if (!policy_.masquerade.empty()) ruleset_.chains.push_back(postrouting());
    add_also_listen(policy_, ruleset_);
    return std::move(ruleset_);
  }

 private:
  void add_set(std::string_view name, Family family, std::span<const IpPrefix> prefixes) {
    ruleset_.sets.push_back({named(name, family), family, merge(prefixes, family)});
  }

  // What production peers send, in input and forward alike.
  void add_production_sources(Chain& chain) const {
    for (const Family family : kFamilies) {
      chain.rules.push_back({fmt::format("iifname {} {} saddr != @{} drop", production_, words(family).network,
                                         named("production", family)),
                             fmt::format("{} from no peer that is up", words(family).protocol)});
    }
  }

  Chain input() const {
    Chain chain{"input", "filter", "filter", {}};
    const Family side = policy_.side_address.family();
    chain.rules.push_back({fmt::format("iifname {} {} saddr @{} {} daddr {} udp dport {} accept", side_,
                                       words(side).network, named("side_peers", side), words(side).network,
                                       policy_.side_address.to_string(), policy_.service_port),
                           "side peers ask"});
    if (policy_.companion_port != 0) {
      chain.rules.push_back({fmt::format("iifname {} {} saddr @{} {} daddr {} tcp dport {} accept", side_,
                                         words(side).network, named("side_peers", side), words(side).network,
                                         policy_.side_address.to_string(), policy_.companion_port),
                             "their companions, too"});
    }
    chain.rules.push_back({fmt::format("iifname {} drop", side_), "and have nothing else from the side interface"});
    add_production_sources(chain);
    for (const Family family : kFamilies) {
      const std::string source = family == Family::kV4 ? "ip saddr" : "ip6 saddr & ffff:ffff:ffff:ffff::";
      // The first four bytes of a handshake initiation, behind the UDP header.
      chain.rules.push_back(
          {fmt::format("meta nfproto {} udp dport {} @th,64,32 0x01000000 update @{} {{ {} limit rate over {}/second "
                       "burst {} packets }} drop",
                       words(family).protocol, bearer_ports_, named("initiators", family), source,
                       kInitiationsPerSecond, kInitiationsAtOnce),
           fmt::format("{} too many handshakes of one source", words(family).protocol)});
    }
    return chain;
  }

  Chain forward() {
    Chain chain{"forward", "filter", "filter", {}};
    chain.rules.push_back({fmt::format("iifname {} drop", side_), "nothing from the side interface"});
    chain.rules.push_back({fmt::format("oifname {} drop", side_), "nothing into the side interface"});
    add_production_sources(chain);
    for (const Family family : kFamilies) {
      if (const auto clear = never_clear(family)) {
        chain.rules.push_back({fmt::format("oifname != {} {} drop", production_, *clear),
                               fmt::format("{} never in clear", words(family).protocol)});
      }
    }
    return chain;
  }

  Chain output() {
    Chain chain{"output", "filter", "filter", {}};
    const Family side = policy_.side_address.family();
    chain.rules.push_back({fmt::format("oifname {} {} saddr {} udp sport {} accept", side_, words(side).network,
                                       policy_.side_address.to_string(), policy_.service_port),
                           "answers to side peers, and questions"});
    if (policy_.companion_port != 0) {
      // A connection begins with SYN alone: none begins here.
      chain.rules.push_back(
          {fmt::format("oifname {} {} saddr {} tcp sport {} tcp flags & (syn | ack) != syn accept", side_,
                       words(side).network, policy_.side_address.to_string(), policy_.companion_port),
           "answers to companions"});
    }
    chain.rules.push_back({fmt::format("oifname {} drop", side_), "and nothing else by the side interface"});
    if (policy_.never_clear.empty()) return chain;
    chain.rules.push_back({fmt::format("oifname {{ {}, \"lo\" }} accept", production_), "not in clear"});
    chain.rules.push_back({fmt::format("udp sport {} accept", bearer_ports_), "bearer packets are encrypted"});
    for (const Family family : kFamilies) {
      const auto clear = never_clear(family);
      if (!clear) continue;
      if (std::ranges::find(policy_.never_clear, default_route(family)) != policy_.never_clear.end()) {
        add_what_a_host_needs(chain, family);
      }
      chain.rules.push_back({fmt::format("{} reject with icmpx type admin-prohibited", *clear),
                             fmt::format("{} never in clear", words(family).protocol)});
    }
    return chain;
  }

  static IpPrefix default_route(Family family) {
    return family == Family::kV4 ? IpPrefix() : IpPrefix(IpAddress::v6(std::array<std::uint8_t, 16>{}), 0);
  }

  // Without these, a host on which everything is never_clear could not even get an address.
  static void add_what_a_host_needs(Chain& chain, Family family) {
    switch (family) {
      case Family::kV4:
        chain.rules.push_back({"udp sport { 67, 68 } udp dport { 67, 68 } accept", "DHCP"});
        chain.rules.push_back({"ip daddr { 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255 } accept", "ipv4 on the link"});
        return;
      case Family::kV6:
        break;
    }
    chain.rules.push_back({"udp sport { 546, 547 } udp dport { 546, 547 } accept", "DHCPv6"});
    chain.rules.push_back(
        {"icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
         "neighbour discovery"});
    chain.rules.push_back({"ip6 daddr { fe80::/10, ff00::/8 } accept", "ipv6 on the link"});
  }

  // What a packet is asked; none: nothing of that family is never_clear. Its sets are made at the first call.
  std::optional<std::string> never_clear(Family family) {
    const auto is_of_family = [&](const IpPrefix& prefix) { return prefix.family() == family; };
    if (std::ranges::none_of(policy_.never_clear, is_of_family)) return std::nullopt;
    const auto name = named("never_clear", family);
    if (std::ranges::find(ruleset_.sets, name, &Set::name) == ruleset_.sets.end()) {
      add_set("never_clear", family, policy_.never_clear);
      add_set("throw", family, policy_.throw_ranges);
    }
    const auto network = words(family).network;
    return fmt::format("{} daddr != @{} {} daddr @{}", network, named("throw", family), network, name);
  }

  Chain postrouting() {
    Chain chain{"postrouting", "nat", "srcnat", {}};
    for (const Family family : kFamilies) {
      const auto is_of_family = [&](const auto& each) { return each.family() == family; };
      if (std::ranges::none_of(policy_.masquerade, is_of_family)) continue;
      add_set("masquerade", family, policy_.masquerade);
      const auto fixed = std::ranges::find_if(policy_.snat_to, is_of_family);
      const std::string change = fixed == policy_.snat_to.end()
                                     ? "masquerade"
                                     : fmt::format("snat {} to {}", words(family).network, fixed->to_string());
      chain.rules.push_back({fmt::format("oifname != {{ {}, {}, \"lo\" }} {} saddr @{} {}", production_, side_,
                                         words(family).network, named("masquerade", family), change),
                             fmt::format("{} goes on in the name of this host", words(family).protocol)});
    }
    return chain;
  }

  const Policy& policy_;
  const std::string production_;
  const std::string side_;
  const std::string bearer_ports_;
  Ruleset ruleset_;
};

}  // namespace

Ruleset ruleset_of(const Policy& policy) { return Builder(policy).build(); }

std::string elements_in(std::string_view listed) {
  constexpr std::string_view kBegin = "elements = ";
  const auto begin = listed.find(kBegin);
  const auto end = listed.find('}', std::min(begin, listed.size()));
  if (end == std::string_view::npos) return {};
  std::istringstream words(std::string(listed.substr(begin + kBegin.size(), end + 1 - begin - kBegin.size())));
  std::string elements;
  for (std::string word; words >> word;) {
    if (word == "timeout" || word == "expires") {
      words >> word;
      if (word.ends_with(',')) elements += ",";
      continue;
    }
    if (!elements.empty()) elements += " ";
    elements += word;
  }
  return elements;
}

namespace {

enum class Sets { kFilled, kDeclared };
enum class Chains { kWhole, kDeclared, kRules };

std::string listed(const std::vector<Range>& ranges) {
  std::string text = "{ ";
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i != 0) text += ", ";
    text += to_string(ranges[i]);
  }
  return text + " }";
}

void append_sets(const Ruleset& ruleset, Sets how, std::string& text) {
  const auto out = std::back_inserter(text);
  for (const Set& set : ruleset.sets) {
    fmt::format_to(out, "\tset {} {{\n\t\ttype {}\n\t\tflags interval\n", set.name, words(set.family).type);
    if (how == Sets::kFilled && !set.ranges.empty()) fmt::format_to(out, "\t\telements = {}\n", listed(set.ranges));
    text += "\t}\n";
  }
  for (const SourceSet& set : ruleset.sources) {
    fmt::format_to(out, "\tset {} {{\n\t\ttype {}\n\t\tsize {}\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n\t}}\n",
                   set.name, words(set.family).type, kWatchedSources);
  }
  for (const LearntSet& set : ruleset.learnt) {
    fmt::format_to(out, "\t{} {} {{\n\t\t{}\n\t\tsize {}\n\t\tflags dynamic,timeout\n\t\ttimeout {}\n", set.kind,
                   set.name, set.content, kWatchedSources, set.timeout);
    if (how == Sets::kFilled && !set.elements.empty()) fmt::format_to(out, "\t\telements = {}\n", set.elements);
    text += "\t}\n";
  }
}

void append_chains(const Ruleset& ruleset, Chains how, std::string& text) {
  const auto out = std::back_inserter(text);
  for (const Chain& chain : ruleset.chains) {
    fmt::format_to(out, "\tchain {} {{\n", chain.name);
    if (how != Chains::kRules && !chain.type.empty()) {
      fmt::format_to(out, "\t\ttype {} hook {} priority {}; policy accept;\n", chain.type,
                     chain.hook.empty() ? chain.name : chain.hook, chain.priority);
    }
    if (how != Chains::kDeclared) {
      for (const Rule& rule : chain.rules) fmt::format_to(out, "\t\t{} comment \"{}\"\n", rule.text, rule.comment);
    }
    text += "\t}\n";
  }
}

std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Range>& others) {
  std::vector<Range> rest;
  std::ranges::set_difference(ranges, others, std::back_inserter(rest));
  return rest;
}

}  // namespace

std::string to_text(const Ruleset& ruleset) {
  // Adding it first makes removing it right whether it stood there or not.
  std::string text = fmt::format("table inet {0}\ndelete table inet {0}\ntable inet {0} {{\n", kTable);
  append_sets(ruleset, Sets::kFilled, text);
  append_chains(ruleset, Chains::kWhole, text);
  text += "}\n";
  return text;
}

std::string to_text_in_place(const Ruleset& ruleset, std::span<const std::vector<Range>> standing) {
  // What stands there is declared once more: if it was made in another way, the kernel refuses all of it.
  std::string text = fmt::format("table inet {} {{\n", kTable);
  append_sets(ruleset, Sets::kDeclared, text);
  append_chains(ruleset, Chains::kDeclared, text);
  text += "}\n";
  const auto out = std::back_inserter(text);
  for (const Chain& chain : ruleset.chains) fmt::format_to(out, "flush chain inet {} {}\n", kTable, chain.name);
  for (std::size_t i = 0; i < ruleset.sets.size(); ++i) {
    const Set& set = ruleset.sets[i];
    const auto change = [&](std::string_view verb, const std::vector<Range>& ranges) {
      if (!ranges.empty()) fmt::format_to(out, "{} element inet {} {} {}\n", verb, kTable, set.name, listed(ranges));
    };
    change("delete", without(standing[i], set.ranges));
    change("add", without(set.ranges, standing[i]));
  }
  fmt::format_to(out, "table inet {} {{\n", kTable);
  append_chains(ruleset, Chains::kRules, text);
  text += "}\n";
  return text;
}

}  // namespace anubis::firewall
