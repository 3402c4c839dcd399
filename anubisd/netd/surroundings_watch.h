// Whether the network that this host is in has become another one: an address of a link that is not ours came or went,
// or a default route did. Refreshed lifetimes, link-local addresses and links without an address are not that.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/model/sighting.h"
#include "lib/network/network.h"
#include "lib/network/watcher.h"

namespace anubis::netd {

class SurroundingsWatch {
 public:
  // network must outlive it.
  static base::Result<SurroundingsWatch> create(network::Network& network);

  // Readable after a change, until quiet() or look().
  [[nodiscard]] int fd() const { return event_.get(); }
  // What a watcher told, and whether it was a change. `own` are the links of ours.
  bool heed(const network::Changes& changes, std::span<const std::uint32_t> own);
  void quiet();
  [[nodiscard]] base::Result<std::vector<model::Sighting>> look(std::span<const std::uint32_t> own);

 private:
  SurroundingsWatch(network::Network& network, base::Fd event) : network_(&network), event_(std::move(event)) {}

  [[nodiscard]] bool routes_changed(const network::Changes& changes, std::span<const std::uint32_t> own);
  [[nodiscard]] bool addresses_changed(std::span<const std::uint32_t> own);

  network::Network* network_;
  base::Fd event_;
  bool has_looked_ = false;
  std::vector<model::Sighting> addresses_;  // as they were seen last
  // Default routes that were told since, by link and gateway: one that is told again has only been refreshed.
  std::set<std::pair<std::uint32_t, std::optional<model::IpAddress>>> routes_;
};

}  // namespace anubis::netd
