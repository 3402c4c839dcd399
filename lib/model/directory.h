// The set of authorised peers. It stands behind an interface because it is to hold a million one day: nothing that
// serves a request may depend on how many there are.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/model/peer.h"

namespace anubis::model {

class PeerDirectory {
 public:
  virtual ~PeerDirectory() = default;

  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual std::optional<PeerIndex> find(const crypto::ProductionPublicKey& key) const = 0;
  [[nodiscard]] virtual std::optional<PeerIndex> find_by_companion(const crypto::CompanionPublicKey& key) const = 0;
  [[nodiscard]] virtual std::optional<PeerIndex> find_by_side_address(const IpAddress& address) const = 0;
  [[nodiscard]] virtual std::optional<PeerIndex> find_by_name(std::string_view name) const = 0;
  // Null once the peer has been removed by a reload.
  [[nodiscard]] virtual const Peer* get(PeerIndex index) const = 0;
  // In the order of the configuration.
  virtual void for_each(const std::function<void(PeerIndex, const Peer&)>& visit) const = 0;
};

// What a reload changed. An index that is removed is never used again.
struct DirectoryChanges {
  std::vector<PeerIndex> added;
  std::vector<PeerIndex> changed;
  std::vector<std::pair<PeerIndex, Peer>> removed;  // with what it was, to take it down by
};

class InMemoryDirectory final : public PeerDirectory {
 public:
  // Takes the new set in. Names, production and companion keys and side addresses are unique within it (the
  // configuration sees to that).
  DirectoryChanges replace(std::vector<Peer> peers);

  [[nodiscard]] std::size_t size() const override { return order_.size(); }
  [[nodiscard]] std::optional<PeerIndex> find(const crypto::ProductionPublicKey& key) const override;
  [[nodiscard]] std::optional<PeerIndex> find_by_companion(const crypto::CompanionPublicKey& key) const override;
  [[nodiscard]] std::optional<PeerIndex> find_by_side_address(const IpAddress& address) const override;
  [[nodiscard]] std::optional<PeerIndex> find_by_name(std::string_view name) const override;
  [[nodiscard]] const Peer* get(PeerIndex index) const override;
  void for_each(const std::function<void(PeerIndex, const Peer&)>& visit) const override;

 private:
  struct AddressHash {
    [[nodiscard]] std::size_t operator()(const IpAddress& address) const noexcept;
  };

  std::vector<std::unique_ptr<Peer>> peers_;  // by index; null where removed
  std::vector<PeerIndex> order_;
  std::unordered_map<crypto::PublicKey, PeerIndex, crypto::PublicKeyHash> by_key_;
  std::unordered_map<crypto::PublicKey, PeerIndex, crypto::PublicKeyHash> by_companion_;
  std::unordered_map<IpAddress, PeerIndex, AddressHash> by_side_address_;
  std::unordered_map<std::string_view, PeerIndex> by_name_;  // the views are into peers_
};

}  // namespace anubis::model
