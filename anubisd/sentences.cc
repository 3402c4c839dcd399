#include "anubisd/sentences.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "anubisd/handshake_age.h"
#include "lib/base/duration.h"
#include "lib/base/edit_distance.h"

namespace anubis::daemon {
namespace {

using gate::Verdict;

// A longer directory is not searched to the end for a name that resembles the one that was typed.
constexpr std::size_t kMostCompared = 20'000;

// "is 4297/udp reachable at 192.0.2.1?", of the side tunnel.
std::string side_reachable(const PeerFacts& facts) {
  std::string ports = std::to_string(facts.side_address->port);
  if (!facts.endpoint_ports.empty() && facts.side_endpoint) {
    ports = fmt::format("one of {}, {}", facts.side_endpoint->port.value_or(0), fmt::join(facts.endpoint_ports, ", "));
  }
  return fmt::format("is {}/udp reachable at {}?", ports, facts.side_address->address.to_string());
}

// Why a peer may be silent, judged by its side tunnel.
std::string why_silent(const PeerFacts& facts) {
  if (!facts.side_address) {
    if (!facts.side_endpoint) {
      return fmt::format(
          "{0} has no endpoint in the configuration and its side tunnel was not heard yet: is anubisd "
          "running on {0}, and does it have an endpoint for this host?",
          facts.name);
    }
    return fmt::format("the side tunnel has no address to go to: does {} resolve?", facts.side_endpoint->host);
  }
  if (!facts.side_handshake_age) {
    return fmt::format(
        "the side tunnel has never completed a handshake: is anubisd running on {}, does it have this "
        "host's side public key, and {}",
        facts.name, side_reachable(facts));
  }
  const std::string age = base::format_duration(*facts.side_handshake_age);
  if (*facts.side_handshake_age > kHandshakeLives) {
    return fmt::format("the side tunnel's last handshake is {} old; is {} switched on, and {}", age, facts.name,
                       side_reachable(facts));
  }
  if (facts.unopened != 0) {
    return fmt::format("the side tunnel works (last handshake {} ago), but {}", age, unopened_messages(facts));
  }
  return fmt::format(
      "the side tunnel's last handshake was {0} ago, but {1} is silent now: is {1} still switched on and its anubisd "
      "running, does it know this host's production public key, and are Anubis' preshared keys the same at both ends?",
      age, facts.name);
}

// What a refusal asks of the user, where the peer's own words may not say it.
const char* advice(wire::ResultCode code) {
  switch (code) {
    case wire::ResultCode::kDenied:
      return "; ask its administrator to allow this host";
    case wire::ResultCode::kConflict:
      return "; two peers there claim the same allowed IPs, or somebody else uses its production interface";
    case wire::ResultCode::kSuite:
      return "; see suites in anubis.toml of both hosts";
    case wire::ResultCode::kVersion:
    case wire::ResultCode::kBadRequest:
      return "; do both ends run the same version of Anubis?";
    case wire::ResultCode::kInternal:
      return "; the log of its anubisd says more";
    case wire::ResultCode::kStale:
    case wire::ResultCode::kBusy:
    case wire::ResultCode::kNotUp:
      return "; try again";
    case wire::ResultCode::kOk:
      return "";
  }
  return "";
}

std::string refusal(const gate::Outcome& outcome) {
  return fmt::format("refused: {}{}{}", wire::name_of(outcome.code), outcome.text.empty() ? "" : ", ", outcome.text) +
         advice(outcome.code);
}

// It has us as a peer, or so its owner believes; nobody can be asked.
std::string why_plain_is_silent(const gate::Outcome& outcome, const PeerFacts& facts) {
  return fmt::format(
      "{} did not shake hands within {}: is {} right and open, does it have this host's production public key, and "
      "both "
      "the same preshared key, or none?",
      facts.name, base::format_duration(outcome.took), facts.endpoint ? facts.endpoint->to_string() : "its endpoint");
}

std::string why_no_handshake(const PeerFacts& facts) {
  const std::string port =
      facts.endpoint ? fmt::format("{}/udp open at {}", facts.endpoint->port.value_or(0), facts.endpoint->host)
                     : "its production port open";
  return fmt::format(
      "both ends have the peer, but no WireGuard handshake came through: is {}, and does no firewall on "
      "the way drop it?",
      port);
}

std::string why_no_endpoint(const gate::Outcome& outcome, const PeerFacts& facts) {
  if (!facts.endpoint) {
    return fmt::format("{}; wait until it has connected, or give it an endpoint", outcome.text);
  }
  return fmt::format("{}; is the endpoint in the configuration spelt right, and does this host's name server work?",
                     outcome.text);
}

std::string why_not_up(const gate::Outcome& outcome, const PeerFacts& facts) {
  switch (outcome.verdict) {
    case Verdict::kDone:
      return {};
    case Verdict::kNoEndpoint:
      return fmt::format("{} was not asked: {}", facts.name, why_no_endpoint(outcome, facts));
    case Verdict::kNoAnswer:
      return fmt::format("{} did not answer within {}: {}{}{}", facts.name, base::format_duration(outcome.took),
                         why_silent(facts), outcome.text.empty() ? "" : "; also, ", outcome.text);
    case Verdict::kRefused:
      return fmt::format("{} {}", facts.name, refusal(outcome));
    case Verdict::kNoHandshake:
      if (facts.is_plain) return why_plain_is_silent(outcome, facts);
      return fmt::format("{} agreed, but is not up after {}: {}", facts.name, base::format_duration(outcome.took),
                         why_no_handshake(facts));
    case Verdict::kLocal:
      return fmt::format("{} could not be brought up here: {}", facts.name, outcome.text);
    case Verdict::kSuperseded:
      return fmt::format("{} was not brought up: {}", facts.name, outcome.text);
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return out;
}

}  // namespace

control::ExitStatus exit_status(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDone:
      return control::DONE;
    case Verdict::kNoEndpoint:
    case Verdict::kNoAnswer:
    case Verdict::kNoHandshake:
      return control::UNREACHABLE;
    case Verdict::kRefused:
      return control::REFUSED;
    case Verdict::kLocal:
    case Verdict::kSuperseded:
      return control::FAILED;
  }
  return control::FAILED;
}

std::string up_failure(const gate::Outcome& outcome, const PeerFacts& facts) {
  std::string failure = why_not_up(outcome, facts);
  if (!outcome.is_tried_again) return failure;
  return fmt::format("{}; it is tried again until it works (to end that: anubis down {})", failure, facts.name);
}

std::string down_failure(const gate::Outcome& outcome, const PeerFacts& facts) {
  switch (outcome.verdict) {
    case Verdict::kDone:
      return {};
    case Verdict::kNoEndpoint:
    case Verdict::kNoAnswer:
    case Verdict::kNoHandshake:
      return fmt::format(
          "{} is down here, but did not confirm within {} that it took its end down; it is asked again "
          "in the background: {}",
          facts.name, base::format_duration(outcome.took), why_silent(facts));
    case Verdict::kRefused:
      return fmt::format("{} is down here, but its own end it {}", facts.name, refusal(outcome));
    case Verdict::kLocal:
      return fmt::format("{} could not be taken down here: {}", facts.name, outcome.text);
    case Verdict::kSuperseded:
      return fmt::format("{} was not taken down: {}", facts.name, outcome.text);
  }
  return {};
}

std::string session_reason(const gate::SessionView& view, const PeerFacts& facts) {
  std::string reason = view.reason;
  const auto add = [&reason](const std::string& text) { reason += (reason.empty() ? "" : "; ") + text; };
  if (view.hearing == gate::Hearing::kSilent) {
    reason.clear();
    add(fmt::format("peer silent for {}: what we send on the production interface is not answered",
                    base::format_duration(view.silent_for)));
  }
  if (view.retry_in) {
    add(*view.retry_in < std::chrono::seconds(1) ? "it is tried again now"
                                                 : "it is tried again in " + base::format_duration(*view.retry_in));
  }
  if (view.unopened > 0) add(unopened_messages(facts));
  return reason;
}

std::string unopened_messages(const PeerFacts& facts) {
  return fmt::format(
      "{} message{} from {} could not be opened: do both ends have the same preshared_key_file, and "
      "each other's production public key of today?",
      facts.unopened, facts.unopened == 1 ? "" : "s", facts.name);
}

std::string no_such_peer(std::string_view name, const model::PeerDirectory& directory) {
  const std::string wanted = lower(name.substr(0, 64));
  std::string nearest;
  std::size_t least = 1 + std::max<std::size_t>(base::greatest_slip(wanted), 1);
  if (directory.size() <= kMostCompared) {
    directory.for_each([&](model::PeerIndex, const model::Peer& peer) {
      if (peer.is_invitation) return;
      const std::size_t distance = base::edit_distance(wanted, lower(peer.name));
      if (distance >= least) return;
      least = distance;
      nearest = peer.name;
    });
  }
  return fmt::format("no peer is called \"{}\"{}; `anubis peers` lists those that are authorised", name,
                     nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
}

std::string reloaded(std::size_t total, const model::DirectoryChanges& changes) {
  return fmt::format("{} peer{}: {} added, {} changed, {} removed", total, total == 1 ? "" : "s", changes.added.size(),
                     changes.changed.size(), changes.removed.size());
}

std::string firewall_changed(bool applied, bool configured) {
  if (applied) {
    return configured ? "the firewall is in place"
                      : "the firewall is in place until anubisd is restarted: the configuration says enabled = false";
  }
  return configured
             ? "the firewall is gone: side peers reach every port of this host, until `anubis firewall apply` or a "
               "restart of anubisd"
             : "the firewall is gone, as the configuration wants it";
}

std::string drifted(const netd::Drift& drift, const netd::InterfaceReport& interface, std::string_view peer) {
  using netd::DriftKind;
  const std::string& name = interface.name;
  switch (drift.kind) {
    case DriftKind::kPeerRemoved:
      return fmt::format("somebody removed {} from {}: it is back", peer, name);
    case DriftKind::kAllowedIps:
      return fmt::format("somebody changed the allowed IPs of {} on {}: they are as they were", peer, name);
    case DriftKind::kKeepalive:
      return fmt::format("somebody changed the persistent keepalive of {} on {}: it is as it was", peer, name);
    case DriftKind::kPresharedKey:
      return fmt::format("somebody changed the preshared key of {} on {}: it is as it was", peer, name);
    case DriftKind::kRoutes:
      return peer.empty() ? fmt::format("somebody removed routes to {}: they are back", name)
                          : fmt::format("somebody removed routes of {} to {}: they are back", peer, name);
    case DriftKind::kDeleted:
      return interface.backend == netd::Backend::kKernel
                 ? fmt::format("somebody deleted {}: it was made anew", name)
                 : fmt::format("somebody deleted {}, or the program that serves it ended: it was made anew", name);
    case DriftKind::kReplaced:
      return fmt::format("somebody replaced {} by another interface: that one is used", name);
    case DriftKind::kRenamed:
      return fmt::format("somebody renamed {}: it was removed and made anew", name);
    case DriftKind::kSetDown:
      return fmt::format("somebody set {} down: it is up again", name);
    case DriftKind::kMtu:
      return fmt::format("somebody changed the MTU of {}: it is as it was", name);
    case DriftKind::kAlias:
      return fmt::format("somebody changed the alias of {}, by which it is known as ours: it is as it was", name);
    case DriftKind::kAddresses:
      return fmt::format("somebody removed addresses of {}: they are back", name);
    case DriftKind::kPrivateKey:
      return fmt::format("somebody changed the private key of {}: it is as it was", name);
    case DriftKind::kListenPort:
      return fmt::format("somebody changed the listen port of {}: it is as it was", name);
    case DriftKind::kMark:
      return fmt::format("somebody changed the firewall mark of {}: it is as it was", name);
    case DriftKind::kStrangers:
      return fmt::format("somebody put peers on {} that the configuration does not name: they are gone", name);
    case DriftKind::kRules:
      return "somebody removed routing rules of ours: they are back";
    case DriftKind::kThrowRoutes:
      return "somebody removed throw routes of ours: they are back";
    case DriftKind::kFirewall:
      return "somebody changed the firewall's table inet anubis: it is as it was";
    case DriftKind::kLost:
      break;
    case DriftKind::kUntold:
      return fmt::format("somebody changed {} more things of ours at once: they are as they were", drift.count);
  }
  return {};
}

}  // namespace anubis::daemon
