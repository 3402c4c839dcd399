#include "lib/model/directory.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lib/crypto/same_key.h"

namespace anubis::model {
namespace {

bool same_secrets(const Peer& a, const Peer& b) {
  return crypto::same_key(a.preshared_key, b.preshared_key) &&
         crypto::same_key(a.side_preshared_key, b.side_preshared_key) &&
         crypto::same_key(a.production_preshared_key, b.production_preshared_key);
}

bool same(const Peer& a, const Peer& b) {
  return a.secrets_version == b.secrets_version && a.name == b.name && a.companion_key == b.companion_key &&
         a.side_public_key == b.side_public_key && a.side_address == b.side_address && a.endpoint == b.endpoint &&
         a.side_endpoint == b.side_endpoint && a.endpoint_ports == b.endpoint_ports && a.allowed_ips == b.allowed_ips &&
         a.addresses == b.addresses && a.lan_addresses == b.lan_addresses &&
         a.persistent_keepalive == b.persistent_keepalive && a.lease == b.lease && a.idle_timeout == b.idle_timeout &&
         a.group == b.group && a.is_automatic == b.is_automatic && a.is_plain == b.is_plain &&
         a.is_invitation == b.is_invitation;
}

template <class Map, class Key>
std::optional<PeerIndex> look_up(const Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::size_t InMemoryDirectory::AddressHash::operator()(const IpAddress& address) const noexcept {
  const auto bytes = address.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

DirectoryChanges InMemoryDirectory::replace(std::vector<Peer> peers) {
  DirectoryChanges changes;
  const auto old_by_key = std::exchange(by_key_, {});
  const auto old_order = std::exchange(order_, {});
  by_companion_.clear();
  by_side_address_.clear();
  by_name_.clear();

  for (Peer& peer : peers) {
    const auto known = look_up(old_by_key, peer.public_key);
    const PeerIndex index = known.value_or(static_cast<PeerIndex>(peers_.size()));
    if (!known) {
      changes.added.push_back(index);
      peers_.emplace_back();
    } else {
      const Peer& old = *peers_[static_cast<std::size_t>(index)];
      peer.secrets_version = std::max(peer.secrets_version, old.secrets_version + (same_secrets(old, peer) ? 0U : 1U));
      if (!same(old, peer)) changes.changed.push_back(index);
    }
    auto& stored = peers_[static_cast<std::size_t>(index)];
    stored = std::make_unique<Peer>(std::move(peer));
    order_.push_back(index);
    by_key_.emplace(stored->public_key, index);
    if (stored->companion_key) by_companion_.emplace(*stored->companion_key, index);
    by_side_address_.emplace(stored->side_address, index);
    by_name_.emplace(stored->name, index);
  }
  for (const PeerIndex index : old_order) {
    auto& stored = peers_[static_cast<std::size_t>(index)];
    if (by_key_.contains(stored->public_key)) continue;
    changes.removed.emplace_back(index, std::move(*stored));
    stored.reset();
  }
  return changes;
}

std::optional<PeerIndex> InMemoryDirectory::find(const crypto::ProductionPublicKey& key) const {
  return look_up(by_key_, key);
}
std::optional<PeerIndex> InMemoryDirectory::find_by_companion(const crypto::CompanionPublicKey& key) const {
  return look_up(by_companion_, key);
}
std::optional<PeerIndex> InMemoryDirectory::find_by_side_address(const IpAddress& address) const {
  return look_up(by_side_address_, address);
}
std::optional<PeerIndex> InMemoryDirectory::find_by_name(std::string_view name) const {
  return look_up(by_name_, name);
}

const Peer* InMemoryDirectory::get(PeerIndex index) const {
  const auto position = static_cast<std::size_t>(index);
  return position < peers_.size() ? peers_[position].get() : nullptr;
}

void InMemoryDirectory::for_each(const std::function<void(PeerIndex, const Peer&)>& visit) const {
  for (const PeerIndex index : order_) visit(index, *get(index));
}

}  // namespace anubis::model
