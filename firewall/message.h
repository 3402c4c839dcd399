// Messages to nf_tables as bytes, and what its answers hold. Pure; sending is netlink.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/netlink.h"
#include "firewall/range.h"

namespace anubis::firewall {

enum class Change : std::uint8_t { kAdd, kDelete };

// For elements of an interval set in the table inet anubis.
[[nodiscard]] std::vector<Bytes> change_elements(std::string_view set, std::span<const Range> ranges, Change change);

// The attributes that narrow a dump to one set's elements, or to one table's rules.
[[nodiscard]] Bytes narrowed_to_set(std::string_view table, std::string_view set);
[[nodiscard]] Bytes narrowed_to_table(std::string_view table);

// Which table a message is about; all of them say it in the same place.
[[nodiscard]] std::string table_of(ByteView attributes);

// What a dump of an interval set shows: where ranges begin, and the addresses behind where they end.
struct Edge {
  model::IpAddress address;
  bool is_end = false;
};
void append_edges(ByteView attributes, std::vector<Edge>& edges);
// In any order.
[[nodiscard]] std::vector<Range> ranges_of(std::vector<Edge> edges);

// A chain or a rule of a table, as dumped.
struct ChainRecord {
  std::string name;
  std::optional<std::uint32_t> hook;  // none: no base chain
  std::int32_t priority = 0;
  std::uint32_t policy = 1;  // NF_ACCEPT
  std::string type;
};
[[nodiscard]] ChainRecord parse_chain(ByteView attributes);

struct RuleRecord {
  std::string chain;
  std::string comment;
  ByteView expressions;  // within the message
};
[[nodiscard]] RuleRecord parse_rule(ByteView attributes);

}  // namespace anubis::firewall
