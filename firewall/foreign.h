// What other tables do to a packet that is for a port of ours: their rules as values, and what can be said of the
// packet without knowing all of it. Pure.
//
// The packet: UDP, to that port of this host, from anywhere by any link but loopback, the first of its connection. What
// a rule asks beyond that, nobody can tell: it may match or not. So a chain has a set of possible ends, and the packet
// is surely dropped only where all of them drop it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::firewall {

using Value = std::vector<std::uint8_t>;

enum class Field : std::uint8_t {
  kUnknown,
  kLinkName,
  kLinkIndex,
  kFamily,  // NFPROTO_…, one byte
  kEtherType,
  kProtocol,  // one byte
  kDestinationPort,
  kPorts,             // source, of which nothing is known, and destination
  kConnectionStatus,  // a word of this machine's; nobody has changed its addresses
  kConnectionState,   // a word of this machine's
};

enum class Comparison : std::uint8_t { kEqual, kUnequal, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

enum class VerdictKind : std::uint8_t { kAccept, kDrop, kContinue, kReturn, kJump, kGoto, kUnknown };

struct Verdict {
  VerdictKind kind{};
  std::string chain;  // of kJump, kGoto

  bool operator==(const Verdict&) const = default;
};

enum class Kind : std::uint8_t {
  kLoad,     // field into target
  kSet,      // value into target
  kMask,     // source & mask ^ value into target
  kCompare,  // source with value
  kRange,    // source within value..mask, or outside of it if inverted
  kLookup,   // source in the set; of a map also what it says
  kIs,       // it matches, or not
  kMay,      // it may match, and may load something
  kVerdict,  // the end
};

struct Expression {
  Kind kind{};
  std::uint32_t source = 0;
  std::uint32_t target = 0;
  Field field{};
  Comparison comparison{};
  Value value;
  Value mask;
  std::string set;
  bool is_map = false;
  bool inverted = false;
  bool matches = false;  // of kIs
  Verdict verdict;
};

using ForeignRule = std::vector<Expression>;

struct ForeignSet {
  struct Element {
    Value key;
    bool is_end = false;  // of an interval: the first that is behind it
    Verdict verdict;      // of a verdict map
  };
  bool is_interval = false;
  std::vector<Element> elements;
};

struct ForeignChain {
  std::optional<std::uint32_t> hook;  // NF_INET_…; none: reached by jumps only
  std::int32_t priority = 0;
  bool drops = false;  // its policy
  std::vector<ForeignRule> rules;
};

struct ForeignTable {
  std::uint8_t family = 0;  // NFPROTO_…
  std::string name;
  std::map<std::string, ForeignChain, std::less<>> chains;
  std::map<std::string, ForeignSet, std::less<>> sets;
};

// Ports of ours that a chain closes, for one family of packets or both.
struct Block {
  std::uint16_t port = 0;
  std::uint8_t family = 0;  // of the table
  std::string table;
  std::string chain;
  bool v4 = false;
  bool v6 = false;

  bool operator==(const Block&) const = default;
};

// Only what is surely dropped.
[[nodiscard]] std::vector<Block> blocks_of(const std::vector<ForeignTable>& tables,
                                           const std::vector<std::uint16_t>& ports);

// What to type so that the port is open: whose table it is can be told by its chains.
[[nodiscard]] std::string advice_for(const Block& block, const std::vector<ForeignTable>& tables);

}  // namespace anubis::firewall
