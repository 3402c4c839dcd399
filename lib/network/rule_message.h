// Routing rules as netlink messages: how they are made and read. Pure.
#pragma once

#include <optional>

#include "lib/network/message.h"
#include "lib/network/network.h"

namespace anubis::network {

[[nodiscard]] Message rule_addition(const Rule& rule);
[[nodiscard]] Message rule_removal(const Rule& rule);
[[nodiscard]] Message rule_dump(model::Family family);
// Of RTM_NEWRULE and RTM_DELRULE; none for rules that a Rule cannot express.
[[nodiscard]] std::optional<Rule> parse_rule(const ReceivedMessage& message);

}  // namespace anubis::network
