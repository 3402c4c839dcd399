#include "anubis-cli/status_text.h"

#include <algorithm>
#include <chrono>
#include <sstream>

#include "anubis-cli/text.h"
#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

constexpr const char* kNothing = "-";

std::string or_nothing(const std::string& text) { return text.empty() ? kNothing : printable(text); }

std::string lease_left(const control::PeerStatus& peer) {
  if (!peer.has_lease_seconds_left()) return kNothing;
  return base::format_duration(std::chrono::seconds(peer.lease_seconds_left()));
}

std::string handshake(std::int64_t time, std::int64_t now) { return time == 0 ? "never" : format_ago(time, now); }

Style style_of(const control::PeerStatus& peer) {
  if (peer.state() == "up") return peer.reason().empty() ? Style::kGood : Style::kBusy;
  if (peer.state() == "failed") return Style::kBad;
  return peer.state() == "down" ? Style::kDim : Style::kBusy;
}

std::string since(const control::PeerStatus& peer, std::int64_t now) {
  if (peer.since() != 0) return format_ago(peer.since(), now);
  return peer.state() == "down" ? kNothing : "daemon start";
}

std::string over_port(const control::PeerStatus& peer) {
  if (peer.endpoint_port_in_use() == 0) return {};
  return ", over port " + std::to_string(peer.endpoint_port_in_use());
}

// "up, quiet", "up, over port 53", "up, peer silent for 3 min": what state alone would hide.
std::string state_of(const control::PeerStatus& peer) {
  if (!peer.with_server().empty()) {  // a client that another server of our group has
    return (peer.state() == "down" ? "with " : or_nothing(peer.state()) + ", with ") + printable(peer.with_server());
  }
  if (peer.state() != "up") return or_nothing(peer.state());
  const std::string text = "up" + over_port(peer);
  if (peer.liveness() == "quiet") return text + ", quiet";
  if (peer.liveness() == "silent") {
    return text + ", peer silent for " + base::format_duration(std::chrono::seconds(peer.silent_seconds()));
  }
  return text;
}

std::vector<Cell> row_of(const control::PeerStatus& peer, std::int64_t now) {
  const bool is_down = peer.state() == "down";
  const Style style = is_down ? Style::kDim : Style::kPlain;
  std::vector<Cell> row{{printable(peer.name()), style},
                        {state_of(peer), style_of(peer)},
                        {since(peer, now), style},
                        {lease_left(peer), style}};
  if (is_down) {
    row.insert(row.end(), 3, Cell{kNothing, style});
  } else {
    row.push_back({handshake(peer.latest_handshake(), now), style});
    row.push_back({format_bytes(peer.rx_bytes()), style});
    row.push_back({format_bytes(peer.tx_bytes()), style});
  }
  row.push_back({or_nothing(peer.endpoint()), style});
  return row;
}

std::string wanted(const control::PeerStatus& peer) {
  if (!peer.wanted()) return "not by this host";
  std::string text = "until it is taken down";
  if (peer.has_wanted_seconds_left()) {
    text = "for " + base::format_duration(std::chrono::seconds(peer.wanted_seconds_left())) + " more";
  }
  return text + (peer.persistent() ? ", also after a reboot" : "");
}

std::string state_in_full(const control::PeerStatus& peer, std::int64_t now, Colour colour) {
  std::string text = styled(state_of(peer), style_of(peer), colour);
  if (peer.state() == "up")
    text.append(peer.initiator() ? ", initiated here" : ", initiated by " + printable(peer.name()));
  if (peer.since() != 0) {
    text.append(", since ")
        .append(format_time(peer.since()))
        .append(" (")
        .append(format_ago(peer.since(), now))
        .append(")");
  } else if (peer.state() != "down") {
    text.append(", since the daemon started");
  }
  return text;
}

std::string_view firewall_words(std::string_view state, bool configured) {
  if (state == "in-place")
    return configured ? "in place" : "in place until anubisd is restarted, as somebody wished (enabled = false)";
  if (state == "disabled") return "none, as configured (enabled = false)";
  if (state == "removed") return "removed by hand; to have it back: anubis firewall apply";
  if (state == "changed") return "not as it should be; it is put right within seconds";
  return "unknown";
}

std::string closed_port(const control::ClosedPort& port) {
  std::string families;
  for (const auto& family : port.families()) families.append(families.empty() ? "" : ", ").append(printable(family));
  return std::to_string(port.port()) + "/udp is closed by another table (" + printable(port.table()) + ", chain " +
         printable(port.chain()) + "; " + families + "), nobody reaches it; to open it: " + printable(port.advice());
}

}  // namespace

std::vector<std::string> status_table(const std::vector<control::PeerStatus>& peers, std::int64_t now, Colour colour) {
  if (peers.empty()) return {std::string(kNoPeers)};
  std::vector<std::vector<Cell>> rows;
  rows.reserve(peers.size());
  for (const auto& peer : peers) rows.push_back(row_of(peer, now));
  return table_lines({{"NAME"},
                      {"STATE"},
                      {"SINCE"},
                      {"LEASE"},
                      {"HANDSHAKE"},
                      {"RX", Align::kRight},
                      {"TX", Align::kRight},
                      {"ENDPOINT"}},
                     rows, colour);
}

std::vector<std::string> status_detail(const control::PeerStatus& peer, std::int64_t now, Colour colour) {
  std::vector<std::string> lines{styled(printable(peer.name()), Style::kBold, colour)};
  const auto add = [&lines](std::string label, const std::string& text) {
    constexpr std::size_t kLabelWidth = 13;
    label.resize(kLabelWidth, ' ');
    lines.push_back("  " + label + text);
  };
  add("state", state_in_full(peer, now, colour));
  if (!peer.reason().empty()) add("reason", printable(peer.reason()));
  add("wanted", wanted(peer));
  add("lease", peer.has_lease_seconds_left() ? lease_left(peer) + " left" : "none: stays up until taken down");
  add("handshake", handshake(peer.latest_handshake(), now));
  add("traffic", format_bytes(peer.rx_bytes()) + " received, " + format_bytes(peer.tx_bytes()) + " sent");
  add("endpoint", or_nothing(peer.endpoint()));
  add("allowed IPs", brief_list(peer.allowed_ips(), peer.allowed_ips_size()));
  add("side tunnel", "handshake " + handshake(peer.side_latest_handshake(), now) +
                         (peer.side_endpoint().empty() ? "" : ", endpoint " + printable(peer.side_endpoint())) +
                         over_port(peer));
  add("public key", brief_key(peer.public_key()));
  return lines;
}

std::optional<std::string> place_line(const control::HostStatus& host) {
  if (!host.has_home()) return std::nullopt;
  return "place: " + printable(host.place()) + ": " + printable(host.place_reason());
}

std::vector<std::string> firewall_notes(const control::HostStatus& host) {
  std::vector<std::string> notes;
  if (host.firewall() == "removed" || host.firewall() == "changed") {
    notes.push_back("firewall: " + std::string(firewall_words(host.firewall(), true)));
  }
  for (const auto& port : host.closed_ports()) notes.push_back(closed_port(port));
  return notes;
}

std::vector<std::string> firewall_lines(const control::FirewallStatus& status) {
  std::vector<std::string> lines{"firewall: " + std::string(firewall_words(status.state(), status.configured()))};
  for (const auto& port : status.closed_ports()) lines.push_back(closed_port(port));
  if (!status.rules().empty()) lines.emplace_back();
  std::istringstream rules(status.rules());
  for (std::string line; std::getline(rules, line);) {
    // nft indents with tabs, which are no printable characters.
    const auto text = std::min(line.find_first_not_of('\t'), line.size());
    lines.push_back(std::string(2 * text, ' ') + printable(std::string_view(line).substr(text)));
  }
  return lines;
}

std::vector<std::string> status_reasons(const std::vector<control::PeerStatus>& peers) {
  std::vector<std::string> lines;
  for (const auto& peer : peers) {
    if (peer.reason().empty()) continue;
    const bool names_itself = peer.reason().starts_with(peer.name() + " ");
    lines.push_back((names_itself ? "" : printable(peer.name()) + ": ") + printable(peer.reason()));
  }
  return lines;
}

std::string brief_list(const google::protobuf::RepeatedPtrField<std::string>& list, int most) {
  if (list.empty()) return kNothing;
  std::string text;
  const int shown = std::min(most, list.size());
  for (int i = 0; i < shown; ++i) text.append(i == 0 ? "" : ", ").append(printable(list[i]));
  if (shown < list.size()) text.append(" +").append(std::to_string(list.size() - shown));
  return text;
}

}  // namespace anubis::cli
