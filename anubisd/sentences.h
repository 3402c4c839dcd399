// What the user is told: every failure says what was tried, what happened and what to do. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <control.pb.h>

#include "anubisd/netd/netd.h"
#include "lib/base/clock.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/model/peer.h"

namespace anubis::daemon {

// What is known of a peer when a command for it has failed.
struct PeerFacts {
  std::string name;
  bool is_plain = false;
  std::optional<model::HostPort> endpoint;       // production, with the port in use; none: a roamer
  std::optional<model::HostPort> side_endpoint;  // as configured; none: a roamer
  std::vector<std::uint16_t> endpoint_ports;
  std::optional<model::Endpoint> side_address;       // where the side tunnel's packets go; none: nowhere yet
  std::optional<base::Duration> side_handshake_age;  // none: never
  std::uint64_t unopened = 0;                        // messages that no key of ours opens
};

[[nodiscard]] control::ExitStatus exit_status(gate::Verdict verdict);

// For verdicts other than kDone.
[[nodiscard]] std::string up_failure(const gate::Outcome& outcome, const PeerFacts& facts);
[[nodiscard]] std::string down_failure(const gate::Outcome& outcome, const PeerFacts& facts);

// Whatever there is to say of a session beyond its state; empty: nothing.
[[nodiscard]] std::string session_reason(const gate::SessionView& view, const PeerFacts& facts);

// "; do both ends have …": what messages that do not open mean.
[[nodiscard]] std::string unopened_messages(const PeerFacts& facts);

[[nodiscard]] std::string no_such_peer(std::string_view name, const model::PeerDirectory& directory);

// That the firewall is in place or gone now, and until when.
[[nodiscard]] std::string firewall_changed(bool applied, bool configured);

// What somebody did to what is ours, and that it is back. peer: its name, where there is one. Not for kLost.
[[nodiscard]] std::string drifted(const netd::Drift& drift, const netd::InterfaceReport& interface,
                                  std::string_view peer);

// "3 peers: 1 added, 1 changed, 1 removed".
[[nodiscard]] std::string reloaded(std::size_t total, const model::DirectoryChanges& changes);

}  // namespace anubis::daemon
