// How a host that was invited becomes a peer. anubisd says who asks; whether that one may is found out here, by what
// this process has read itself.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "anubisd/netd/authority.h"
#include "lib/base/log.h"
#include "lib/config/write.h"
#include "lib/identity/template.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Status;

std::int64_t wall_clock() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

bool is_same(const model::Peer& peer, const Newcomer& newcomer) {
  return peer.public_key == newcomer.public_key && peer.side_public_key == newcomer.side_public_key;
}

// Keys that a configuration would be refused for would make all later reloads fail.
bool are_good(const Newcomer& newcomer) {
  return crypto::parse_public_key(newcomer.public_key.to_base64()).has_value() &&
         crypto::parse_public_key(newcomer.side_public_key.to_base64()).has_value() &&
         newcomer.public_key.bytes != newcomer.side_public_key.bytes;
}

std::string peer_text(const config::Invitation& invitation, const Newcomer& newcomer, std::int64_t now) {
  const identity::PeerText peer{.name = invitation.name,
                                .public_key = newcomer.public_key,
                                .side_public_key = newcomer.side_public_key,
                                .side_address = {},
                                .endpoint = {},
                                .side_endpoint = {},
                                .allowed_ips = invitation.allowed_ips,
                                .addresses = {}};
  return fmt::format("\n# Joined on {:%Y-%m-%d %H:%M:%S} UTC, by the invitation above, which is of no further use.\n{}",
                     fmt::gmtime(static_cast<std::time_t>(now)), identity::peer_toml(peer));
}

// It is no fault of whoever asks.
tl::unexpected<base::Error> cannot_write(const base::Error& error) {
  base::log::error("netd.enrol-failed", "{}", error.message);
  return fail(ErrorCode::kIo, "this host cannot write its configuration; its log says more");
}

// TEXT with the invitation marked as used, and the peer at its end. None: the invitation does not stand there any more,
// or was used since it was read.
std::optional<std::string> with_peer(const std::string& text, const config::Invitation& invitation,
                                     const std::string& peer) {
  constexpr std::string_view kUsed = "used = true\n";
  const auto key = text.find(invitation.public_key.to_base64());
  const auto line_end = text.find('\n', std::min(key, text.size()));
  if (line_end == std::string::npos || text.compare(line_end + 1, kUsed.size(), kUsed) == 0) return std::nullopt;
  std::string changed = text;
  changed.insert(line_end + 1, kUsed);
  return changed + peer;
}

}  // namespace

bool Authority::is_known(const crypto::PublicKey& key) const {
  bool known = key == config_.production.public_key || key == config_.side.public_key;
  directory_.for_each([&](PeerIndex, const model::Peer& peer) {
    known = known || key == peer.public_key || key == peer.side_public_key ||
            (peer.companion_key && key == *peer.companion_key);
  });
  for (const auto& [name, newcomer] : joined_) {
    known = known || key == newcomer.public_key || key == newcomer.side_public_key;
  }
  return known;
}

Status Authority::enrol(PeerIndex invitation, const Newcomer& newcomer) {
  const model::Peer* const peer = directory_.get(invitation);
  const auto found = std::ranges::find_if(config_.invitations, [&](const config::Invitation& each) {
    return peer != nullptr && peer->is_invitation && each.public_key == peer->public_key;
  });
  if (found == config_.invitations.end()) return fail(ErrorCode::kPermission, "that is no invitation");
  if (!crypto::verify(found->proof_key, {found->name, newcomer.public_key, newcomer.side_public_key}, newcomer.proof)) {
    return fail(ErrorCode::kPermission, "the proof is not of this invitation");
  }
  const auto other_host = [] {
    return fail(ErrorCode::kExists, "another host has joined by this invitation already; ask for another");
  };
  // Its host may not have got the answer.
  if (const auto index = directory_.find_by_name(found->name)) {
    return is_same(*directory_.get(*index), newcomer) ? Status() : other_host();
  }
  if (const auto joined = joined_.find(found->name); joined != joined_.end()) {
    return joined->second == newcomer ? Status() : other_host();
  }
  const std::int64_t now = wall_clock();
  if (now >= found->expires) return fail(ErrorCode::kPermission, "the invitation has expired; ask for another");
  if (!are_good(newcomer)) return fail(ErrorCode::kPermission, "those are no keys that a host can have");
  if (is_known(newcomer.public_key) || is_known(newcomer.side_public_key)) {
    return fail(ErrorCode::kExists, "a peer has one of these keys already");
  }
  const auto text = config::read_text(found->file);
  if (!text) return cannot_write(text.error());
  const auto changed = with_peer(*text, *found, peer_text(*found, newcomer, now));
  if (!changed) return other_host();
  if (const auto status = config::replace_file(found->file, *changed); !status) return cannot_write(status.error());
  joined_.emplace(found->name, newcomer);
  base::log::warning("netd.joined", "{} has joined by its invitation: {}", found->name, found->file.string());
  return {};
}

}  // namespace anubis::netd
