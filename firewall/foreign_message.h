// Rules, sets and chains of other tables, from the kernel's bytes to the values of foreign.h. Pure. Expressions that
// are not known here may match or not.
#pragma once

#include "firewall/foreign.h"
#include "firewall/netlink.h"

namespace anubis::firewall {

[[nodiscard]] ForeignRule parse_expressions(ByteView expressions);

// Of a message about a set: its name, and whether it holds intervals.
struct SetRecord {
  std::string name;
  bool is_interval = false;
};
[[nodiscard]] SetRecord parse_set(ByteView attributes);
void append_elements(ByteView attributes, ForeignSet& set);
// In the order that foreign.h wants.
void sort_elements(ForeignSet& set);

}  // namespace anubis::firewall
