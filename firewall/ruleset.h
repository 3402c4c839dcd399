// A policy as nftables' rules: the table `inet anubis`, and no other. Pure.
//
//   input    side interface: the service port from side peers, nothing else
//            production interface: sources of peers that are up, no others
//            bearer ports: handshake initiations of one source not faster than kInitiationsPerSecond
//   forward  nothing in or out by the side interface; from the production interface as for input;
//            never_clear: dropped unless it leaves by the production interface
//   output   side interface: the service port and answers of the companion page, nothing else
//            never_clear: rejected unless it leaves by the production interface
//   postrouting (where there is something to masquerade)
//   further numbers of the bearer ports: also_listen.h
//
// A verdict of ours that accepts ends our own chain only: other tables are asked, too, and any of them may drop. What
// we drop is dropped, whatever others (Docker, say) accept.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/policy.h"
#include "firewall/range.h"

namespace anubis::firewall {

inline constexpr std::string_view kTable = "anubis";

// Of one IPv4 address or IPv6 /64. WireGuard answers an initiation at the cost of three X25519, about 0.2 ms: one
// source can have a tenth of a processor, and ten thousand peers behind one address are all served within half a
// minute. Only initiations count, so a session that is up loses nothing to this but, behind a source that floods, its
// rekeying.
inline constexpr int kInitiationsPerSecond = 500;
inline constexpr int kInitiationsAtOnce = 2000;
// How many sources are watched at a time. When it is full, further ones are let through: WireGuard's cookies remain.
inline constexpr int kWatchedSources = 65535;

// Names, which a reader of `nft list table inet anubis` sees. The production sets change with the sessions.
inline constexpr std::string_view kProductionV4 = "production_v4";
inline constexpr std::string_view kProductionV6 = "production_v6";

struct Rule {
  std::string text;
  std::string comment;  // what it is for; by these the ruleset is recognised when it is read back

  bool operator==(const Rule&) const = default;
};

struct Chain {
  std::string name;
  std::string type;  // "filter", "nat"; empty: other chains lead to it
  std::string priority;
  std::vector<Rule> rules;
  std::string hook;  // empty: that of its name

  bool operator==(const Chain&) const = default;
};

struct Set {
  std::string name;
  model::Family family{};
  std::vector<Range> ranges;  // as merge() returns them

  bool operator==(const Set&) const = default;
};

// A set that packets fill: their sources, each with its rate.
struct SourceSet {
  std::string name;
  model::Family family{};

  bool operator==(const SourceSet&) const = default;
};

// A set or map that packets fill, and that must outlive the rules: apply() takes its elements along.
struct LearntSet {
  std::string name;
  std::string kind;     // "set", "map"
  std::string content;  // "type ipv4_addr . inet_service"
  std::string timeout;
  std::string elements;  // in nftables' words

  bool operator==(const LearntSet&) const = default;
};

struct Ruleset {
  std::vector<Set> sets;
  std::vector<SourceSet> sources;
  std::vector<LearntSet> learnt;
  std::vector<Chain> chains;

  bool operator==(const Ruleset&) const = default;
};

// What `nft list` shows of one, in the words that make it again. How long they have left to live is left out: the
// kernel takes back no element that has longer to live than it had at first, which is what an update makes of it.
[[nodiscard]] std::string elements_in(std::string_view listed);

[[nodiscard]] Ruleset ruleset_of(const Policy& policy);

// For `nft -f`: puts it in the place of whatever stands there, in one transaction.
[[nodiscard]] std::string to_text(const Ruleset& ruleset);

// The same where a table with these sets and chains stands: its rules are exchanged, its sets stay, but for what
// differs. For a moment, a set that is made anew is empty to rules that ask it already (seen on Linux 6.18): who is up
// would lose packets. standing: the ranges in each of ruleset.sets.
[[nodiscard]] std::string to_text_in_place(const Ruleset& ruleset, std::span<const std::vector<Range>> standing);

}  // namespace anubis::firewall
