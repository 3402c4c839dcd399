#include "anubisd/netd/surroundings_watch.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <sys/eventfd.h>

#include "lib/base/log.h"

namespace anubis::netd {
namespace {

using base::fail;
using base::Result;
using model::Sighting;
using network::Change;
using network::ChangeKind;

bool is_of_another_link(const Change& change, std::span<const std::uint32_t> own) {
  return change.ifindex != network::kLoopback && std::ranges::find(own, change.ifindex) == own.end();
}

}  // namespace

Result<SurroundingsWatch> SurroundingsWatch::create(network::Network& network) {
  base::Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return base::fail_errno(errno, "cannot make an event descriptor");
  return SurroundingsWatch(network, std::move(event));
}

bool SurroundingsWatch::heed(const network::Changes& changes, std::span<const std::uint32_t> own) {
  const bool links_or_addresses = std::ranges::any_of(changes.changes, [&](const Change& change) {
    return (change.kind == ChangeKind::kLink || change.kind == ChangeKind::kAddress) && is_of_another_link(change, own);
  });
  bool changed = changes.overrun;
  if ((links_or_addresses || changes.overrun) && addresses_changed(own)) changed = true;
  if (routes_changed(changes, own)) changed = true;
  if (changed) (void)eventfd_write(event_.get(), 1);
  return changed;
}

bool SurroundingsWatch::routes_changed(const network::Changes& changes, std::span<const std::uint32_t> own) {
  bool changed = false;
  if (changes.overrun) routes_.clear();
  for (const Change& change : changes.changes) {
    if (!is_of_another_link(change, own)) continue;
    if (change.kind != ChangeKind::kDefaultRoute) {
      // Perhaps it was down for a moment, or an address went: then the kernel has dropped IPv4 routes without a word,
      // and those that come are new ones.
      std::erase_if(routes_, [&](const auto& route) { return route.first == change.ifindex; });
      continue;
    }
    const std::pair route(change.ifindex, change.gateway);
    if (change.gone) {
      routes_.erase(route);
      changed = true;
    } else if (routes_.insert(route).second) {
      changed = true;
    }
  }
  return changed;
}

bool SurroundingsWatch::addresses_changed(std::span<const std::uint32_t> own) {
  auto addresses = network_->usable_addresses(own);
  if (!addresses) {
    base::log::warning("netd.surroundings-unseen", "{}", addresses.error().message);
    return true;  // for all that is known
  }
  const bool changed = !std::exchange(has_looked_, true) || addresses_ != *addresses;
  addresses_ = std::move(*addresses);
  return changed;
}

void SurroundingsWatch::quiet() {
  eventfd_t events = 0;
  (void)eventfd_read(event_.get(), &events);
}

Result<std::vector<Sighting>> SurroundingsWatch::look(std::span<const std::uint32_t> own) {
  quiet();
  auto addresses = network_->usable_addresses(own);
  if (!addresses) return fail(addresses.error());
  auto routes = network_->default_routes(own);
  if (!routes) return fail(routes.error());
  addresses_ = *addresses;
  has_looked_ = true;
  auto seen = std::move(*addresses);
  std::ranges::move(*routes, std::back_inserter(seen));
  return seen;
}

}  // namespace anubis::netd
