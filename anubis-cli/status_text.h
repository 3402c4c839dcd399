// The state of peers for people. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anubis-cli/table.h"
#include "control.pb.h"

namespace anubis::cli {

inline constexpr std::string_view kNoPeers =
    "no peers are configured; write a [[peer]] to /etc/anubis/anubis.toml, then: anubis reload";

// NOW: Unix seconds, to tell how long ago something was.

// All peers, a line each.
[[nodiscard]] std::vector<std::string> status_table(const std::vector<control::PeerStatus>& peers, std::int64_t now,
                                                    Colour colour);

// One peer, a line a property.
[[nodiscard]] std::vector<std::string> status_detail(const control::PeerStatus& peer, std::int64_t now, Colour colour);

// "place: home: gateway … on eth0"; none where the configuration does not say what home is.
[[nodiscard]] std::optional<std::string> place_line(const control::HostStatus& host);

// What is not as usual with the firewall.
[[nodiscard]] std::vector<std::string> firewall_notes(const control::HostStatus& host);
// `anubis firewall show`.
[[nodiscard]] std::vector<std::string> firewall_lines(const control::FirewallStatus& status);

// "jacinth: REASON" for each peer that has something to explain; a reason that begins with the name stands alone.
[[nodiscard]] std::vector<std::string> status_reasons(const std::vector<control::PeerStatus>& peers);

// The LIST, cut after MOST entries: "10.44.0.0/24, 10.45.0.0/24 +3". Printable.
[[nodiscard]] std::string brief_list(const google::protobuf::RepeatedPtrField<std::string>& list, int most);

}  // namespace anubis::cli
