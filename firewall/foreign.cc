#include "firewall/foreign.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netfilter.h>
#include <netinet/in.h>

namespace anubis::firewall {
namespace {

using model::Family;

// How a chain can end for the packet.
struct Ends {
  bool accepts = false;
  bool drops = false;
  bool goes_on = false;  // with the next rule of whoever called

  void add(const Ends& other) {
    accepts |= other.accepts;
    drops |= other.drops;
  }
};

enum class Match : std::uint8_t { kNo, kMaybe, kYes };

struct Packet {
  Family family{};
  std::uint16_t port = 0;
};

Value host_word(std::uint32_t number) {
  Value value(sizeof number);
  std::memcpy(value.data(), &number, sizeof number);
  return value;
}

// None: nobody can tell.
std::optional<Value> field_of(const Packet& packet, Field field) {
  constexpr std::uint32_t kNew = 1u << 3;  // NF_CT_STATE_BIT(IP_CT_NEW)
  const bool is_v4 = packet.family == Family::kV4;
  switch (field) {
    case Field::kFamily:
      return Value{static_cast<std::uint8_t>(is_v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)};
    case Field::kEtherType:
      return is_v4 ? Value{0x08, 0x00} : Value{0x86, 0xdd};
    case Field::kProtocol:
      return Value{IPPROTO_UDP};
    case Field::kDestinationPort:
      return Value{static_cast<std::uint8_t>(packet.port >> 8), static_cast<std::uint8_t>(packet.port & 0xff)};
    case Field::kPorts:
      return Value{0, 0, static_cast<std::uint8_t>(packet.port >> 8), static_cast<std::uint8_t>(packet.port & 0xff)};
    case Field::kConnectionStatus:
      return host_word(0);
    case Field::kConnectionState:
      return host_word(kNew);
    case Field::kLinkName:
    case Field::kLinkIndex:
    case Field::kUnknown:
      break;
  }
  return std::nullopt;
}

Match match_of(bool matches) { return matches ? Match::kYes : Match::kNo; }

Match inverted(Match match, bool invert) {
  if (!invert || match == Match::kMaybe) return match;
  return match_of(match == Match::kNo);
}

// Of values that stand in network order; shorter data compare with the beginning.
int compare(const Value& value, const Value& with) {
  const std::size_t size = std::min(value.size(), with.size());
  return size == 0 ? 0 : std::memcmp(value.data(), with.data(), size);
}

bool holds(Comparison comparison, int order) {
  switch (comparison) {
    case Comparison::kEqual:
      return order == 0;
    case Comparison::kUnequal:
      return order != 0;
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessOrEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    case Comparison::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

// It comes by some link that is not loopback.
Match compare_link(Field field, const Expression& expression) {
  static constexpr std::string_view kLoopback{"lo\0", 3};  // with its zero: a name, and not the beginning of one
  const bool is_loopback = field == Field::kLinkIndex
                               ? expression.value == host_word(1)
                               : expression.value.size() >= kLoopback.size() &&
                                     std::memcmp(expression.value.data(), kLoopback.data(), kLoopback.size()) == 0;
  if (!is_loopback) return Match::kMaybe;
  return match_of(expression.comparison == Comparison::kUnequal);
}

class Walk {
 public:
  Walk(const ForeignTable& table, const Packet& packet) : table_(table), packet_(packet) {}

  Ends chain(std::string_view name, int depth = 0) {
    constexpr int kDeepest = 16;  // NFT_JUMP_STACK_SIZE
    const auto found = table_.chains.find(name);
    if (found == table_.chains.end() || depth > kDeepest) return {.accepts = true, .drops = true, .goes_on = true};
    Ends ends;
    for (const ForeignRule& each : found->second.rules) {
      const Ends of_rule = rule(each, depth);
      ends.add(of_rule);
      if (returns_) ends.goes_on = true;
      returns_ = false;
      if (!of_rule.goes_on) return ends;
    }
    ends.goes_on = true;
    return ends;
  }

 private:
  struct Register {
    Field link{};  // kLinkName, kLinkIndex: of these it is known what they are not
    std::optional<Value> value;
    std::size_t unknown = 0;  // so many bytes at its beginning

    // As a whole; none: it is not.
    [[nodiscard]] std::optional<Value> known() const { return unknown == 0 ? value : std::nullopt; }
  };

  // goes_on: to the next rule. returns_: or out of the chain.
  Ends rule(const ForeignRule& expressions, int depth) {
    registers_.clear();
    bool is_sure = true;
    for (const Expression& expression : expressions) {
      if (expression.kind == Kind::kVerdict) return end(expression.verdict, is_sure, depth);
      if (expression.kind == Kind::kLookup && expression.is_map) {
        const Ends ends = by_map(expression, is_sure, depth);
        return ends;
      }
      const Match matches = match(expression);
      if (matches == Match::kNo) return {.goes_on = true};
      if (matches == Match::kMaybe) is_sure = false;
    }
    return {.goes_on = true};
  }

  Ends end(const Verdict& verdict, bool is_sure, int depth) {
    Ends ends;
    switch (verdict.kind) {
      case VerdictKind::kAccept:
        ends.accepts = true;
        break;
      case VerdictKind::kDrop:
        ends.drops = true;
        break;
      case VerdictKind::kContinue:
        ends.goes_on = true;
        break;
      case VerdictKind::kReturn:
        returns_ = true;
        break;
      case VerdictKind::kJump:
        ends = descend(verdict.chain, depth);
        break;
      case VerdictKind::kGoto:
        ends = descend(verdict.chain, depth);
        if (std::exchange(ends.goes_on, false)) returns_ = true;
        break;
      case VerdictKind::kUnknown:
        ends = {.accepts = true, .drops = true, .goes_on = true};
        break;
    }
    if (!is_sure) ends.goes_on = true;
    return ends;
  }

  Ends descend(const std::string& name, int depth) {
    auto registers = std::exchange(registers_, {});
    const Ends ends = chain(name, depth + 1);
    registers_ = std::move(registers);
    return ends;
  }

  // What the map says of each element that the packet may be.
  Ends by_map(const Expression& expression, bool is_sure, int depth) {
    const auto found = table_.sets.find(expression.set);
    if (found == table_.sets.end()) return {.accepts = true, .drops = true, .goes_on = true};
    const Register& source = registers_[expression.source];
    Ends ends;
    bool found_surely = false;
    bool returns = false;
    const ForeignSet& set = found->second;
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
      const auto& element = set.elements[i];
      if (element.is_end) continue;
      const Match matches = is_link(source) ? link_in(source, element.key) : element_match(set, i, source.known());
      if (matches == Match::kNo) continue;
      found_surely = matches == Match::kYes;
      const Ends each = end(element.verdict, true, depth);
      returns |= std::exchange(returns_, false);
      ends.add(each);
      ends.goes_on |= each.goes_on;
      if (found_surely) break;
    }
    returns_ = returns;
    if (!found_surely || !is_sure) ends.goes_on = true;
    return ends;
  }

  static bool is_link(const Register& source) { return source.link != Field::kUnknown; }

  static Match link_in(const Register& source, const Value& key) {
    return compare_link(source.link, {.comparison = Comparison::kEqual, .value = key});
  }

  // Elements of an interval set stand in order, each beginning followed by its end (or the next beginning, or nothing).
  static Match element_match(const ForeignSet& set, std::size_t i, const std::optional<Value>& value) {
    if (!value) return Match::kMaybe;
    const auto& element = set.elements[i];
    if (element.key.size() < value->size()) return Match::kMaybe;
    // Of a key of several parts only the first is known.
    if (element.key.size() > value->size() + 3) return Match::kMaybe;
    if (!set.is_interval) return match_of(compare(*value, element.key) == 0);
    if (compare(*value, element.key) < 0) return Match::kNo;
    return match_of(i + 1 == set.elements.size() || compare(*value, set.elements[i + 1].key) < 0);
  }

  Match lookup(const Expression& expression) {
    const auto found = table_.sets.find(expression.set);
    if (found == table_.sets.end()) return Match::kMaybe;
    const Register& source = registers_[expression.source];
    Match match = Match::kNo;
    for (std::size_t i = 0; i < found->second.elements.size(); ++i) {
      const auto& element = found->second.elements[i];
      if (element.is_end) continue;
      const Match each =
          is_link(source) ? link_in(source, element.key) : element_match(found->second, i, source.known());
      match = std::max(match, each);
    }
    return match;
  }

  static Match compare_with(const Register& source, const Expression& expression) {
    if (!source.value) return Match::kMaybe;
    if (source.unknown == 0) {
      return match_of(holds(expression.comparison, compare(*source.value, expression.value)));
    }
    // What is known may be enough to tell that they differ.
    const auto rest = [&](const Value& value) {
      return Value(value.begin() + static_cast<std::ptrdiff_t>(std::min(source.unknown, value.size())), value.end());
    };
    const bool differ = compare(rest(*source.value), rest(expression.value)) != 0;
    if (!differ || (expression.comparison != Comparison::kEqual && expression.comparison != Comparison::kUnequal))
      return Match::kMaybe;
    return match_of(expression.comparison == Comparison::kUnequal);
  }

  Match match(const Expression& expression) {
    switch (expression.kind) {
      case Kind::kLoad: {
        const bool is_about_link = expression.field == Field::kLinkName || expression.field == Field::kLinkIndex;
        registers_[expression.target] = {.link = is_about_link ? expression.field : Field::kUnknown,
                                         .value = field_of(packet_, expression.field),
                                         .unknown = expression.field == Field::kPorts ? 2u : 0u};
        return Match::kYes;
      }
      case Kind::kSet:
        registers_[expression.target] = {.link = {}, .value = expression.value};
        return Match::kYes;
      case Kind::kMask: {
        auto [link, value, unknown] = registers_[expression.source];
        if (value && value->size() <= expression.mask.size() && value->size() <= expression.value.size()) {
          for (std::size_t i = 0; i < value->size(); ++i) {
            (*value)[i] = static_cast<std::uint8_t>(((*value)[i] & expression.mask[i]) ^ expression.value[i]);
          }
        } else {
          value.reset();
        }
        if (value &&
            std::all_of(expression.mask.begin(), expression.mask.begin() + static_cast<std::ptrdiff_t>(unknown),
                        [](std::uint8_t bits) { return bits == 0; })) {
          unknown = 0;
        }
        registers_[expression.target] = {.link = {}, .value = std::move(value), .unknown = unknown};
        return Match::kYes;
      }
      case Kind::kCompare: {
        const Register& source = registers_[expression.source];
        if (is_link(source)) return compare_link(source.link, expression);
        return compare_with(source, expression);
      }
      case Kind::kRange: {
        const auto value = registers_[expression.source].known();
        if (!value) return Match::kMaybe;
        const bool within = compare(*value, expression.value) >= 0 && compare(*value, expression.mask) <= 0;
        return match_of(within != expression.inverted);
      }
      case Kind::kLookup:
        return inverted(lookup(expression), expression.inverted);
      case Kind::kIs:
        return match_of(expression.matches);
      case Kind::kMay:
        registers_.clear();  // it may have loaded any of them
        return Match::kMaybe;
      case Kind::kVerdict:
        break;
    }
    return Match::kMaybe;
  }

  const ForeignTable& table_;
  const Packet packet_;
  std::map<std::uint32_t, Register> registers_;
  bool returns_ = false;
};

bool concerns(const ForeignTable& table, Family family) {
  return table.family == NFPROTO_INET || table.family == (family == Family::kV4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

bool surely_dropped(const ForeignTable& table, const std::string& name, const Packet& packet) {
  Walk walk(table, packet);
  const Ends ends = walk.chain(name);
  return !ends.accepts && (ends.drops || ends.goes_on) && (!ends.goes_on || table.chains.find(name)->second.drops);
}

bool has_chain(const ForeignTable& table, std::string_view beginning) {
  return std::ranges::any_of(table.chains, [&](const auto& each) { return each.first.starts_with(beginning); });
}

const char* word_of(std::uint8_t family) {
  if (family == NFPROTO_IPV4) return "ip";
  return family == NFPROTO_IPV6 ? "ip6" : "inet";
}

}  // namespace

std::vector<Block> blocks_of(const std::vector<ForeignTable>& tables, const std::vector<std::uint16_t>& ports) {
  std::vector<Block> blocks;
  for (const ForeignTable& table : tables) {
    for (const auto& [name, chain] : table.chains) {
      if (chain.hook != NF_INET_LOCAL_IN) continue;
      for (const std::uint16_t port : ports) {
        Block block{.port = port, .family = table.family, .table = table.name, .chain = name};
        block.v4 = concerns(table, Family::kV4) && surely_dropped(table, name, {Family::kV4, port});
        block.v6 = concerns(table, Family::kV6) && surely_dropped(table, name, {Family::kV6, port});
        if (block.v4 || block.v6) blocks.push_back(std::move(block));
      }
    }
  }
  return blocks;
}

std::string advice_for(const Block& block, const std::vector<ForeignTable>& tables) {
  const auto table = std::ranges::find_if(
      tables, [&](const ForeignTable& each) { return each.family == block.family && each.name == block.table; });
  if (block.table == "firewalld")
    return fmt::format("firewall-cmd --permanent --add-port={}/udp && firewall-cmd --reload", block.port);
  if (table != tables.end() && (has_chain(*table, "ufw-") || has_chain(*table, "ufw6-")))
    return fmt::format("ufw allow {}/udp", block.port);
  if (block.table == "filter" && block.chain == "INPUT" && block.family != NFPROTO_INET) {
    return fmt::format("{} -I INPUT -p udp --dport {} -j ACCEPT",
                       block.family == NFPROTO_IPV4 ? "iptables" : "ip6tables", block.port);
  }
  return fmt::format("nft insert rule {} {} {} udp dport {} accept (and the same in /etc/nftables.conf)",
                     word_of(block.family), block.table, block.chain, block.port);
}

}  // namespace anubis::firewall
