// The JSON that scripts rely on: fields are added, never renamed or removed, while "schema" is 1. Pure, and plain
// ASCII, so that it is safe on a terminal too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/failure.h"
#include "anubis-cli/snapshot.h"

namespace anubis::cli {

enum class Layout { kIndented, kOneLine };

inline constexpr int kSchema = 1;

// "running" when the daemon has answered, whatever the answer; "unknown" when it could not be asked.
[[nodiscard]] const char* daemon_word(const std::optional<Failure>& failure, bool has_answered);

// status
[[nodiscard]] std::string status_json(const Snapshot& snapshot, Layout layout);

// peers
[[nodiscard]] std::string peers_json(const std::vector<control::AuthorisedPeer>& peers,
                                     const std::optional<Failure>& failure);

// hosts
[[nodiscard]] std::string hosts_json(const std::vector<control::NamedHost>& hosts,
                                     const std::optional<Failure>& failure);

// monitor: one line an event, or for why there are no more.
[[nodiscard]] std::string firewall_json(const control::FirewallStatus& status, const std::optional<Failure>& failure);
[[nodiscard]] std::string event_json(const control::Event& event);
[[nodiscard]] std::string monitor_end_json(const Failure& failure);

}  // namespace anubis::cli
