#include "anubisd/netd/firewall_keeper.h"

#include <utility>

#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Status;
using firewall::Standing;

base::Error with_advice(const base::Error& error) {
  auto told = error.within("the firewall cannot be put in place");
  if (error.code != ErrorCode::kUnsupported)
    told.message += "; without it the side interface stays down; set enabled = false in [firewall] to go without";
  return told;
}

}  // namespace

firewall::Policy FirewallKeeper::policy() const {
  firewall::Policy policy{.production_interface = config_.production.interface,
                          .side_interface = config_.side.interface,
                          .production_port = config_.production.listen_port,
                          .side_port = config_.side.listen_port,
                          .service_port = config_.side.service_port,
                          .side_address = config_.side.address,
                          .side_ranges = side_peers_.ranges(),
                          .throw_ranges = config_.production.throw_ranges,
                          .masquerade = config_.firewall.masquerade,
                          .snat_to = config_.firewall.snat_to};
  directory_.for_each([&](PeerIndex, const model::Peer& peer) {
    if (!peer.never_clear) return;
    policy.never_clear.insert(policy.never_clear.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  });
  return policy;
}

Status FirewallKeeper::put_in_place() {
  firewall::Policy wanted = policy();
  if (let_in_) {
    wanted.production = *let_in_;
  } else {
    // Sessions of an earlier process go on meanwhile.
    auto left = firewall_.left_behind();
    if (!left) return fail(with_advice(left.error()));
    wanted.production = std::move(*left);
  }
  if (auto status = firewall_.apply(wanted); !status) return fail(with_advice(status.error()));
  base::step("firewall.applied");
  applied_ = std::move(wanted);
  return {};
}

Status FirewallKeeper::settle() {
  if (!is_wanted()) {
    if (applied_ || !std::exchange(was_cleared_, true)) {
      // Where there is no nftables, nothing was left either.
      if (auto status = firewall_.remove(); !status && status.error().code != ErrorCode::kUnsupported) return status;
      applied_.reset();
    }
    return {};
  }
  if (!applied_) return put_in_place();
  const auto standing = firewall_.look();
  if (!standing) return fail(standing.error());
  if (*standing == Standing::kAsApplied) return {};
  if (auto status = put_in_place(); !status) return status;
  drift_.tell({.kind = DriftKind::kFirewall, .interface = Interface::kSide, .peer = {}});
  return {};
}

Status FirewallKeeper::reload() {
  if (!is_wanted()) return settle();
  firewall::Policy wanted = policy();
  if (applied_) wanted.production = applied_->production;
  return applied_ == wanted ? Status() : put_in_place();
}

Status FirewallKeeper::let_in(const std::vector<model::IpPrefix>& prefixes) {
  if (let_in_ == prefixes && (!applied_ || applied_->production == prefixes)) return {};
  let_in_ = prefixes;
  if (!applied_) return {};
  if (auto status = firewall_.set_production(prefixes); !status) return status;
  base::step("firewall.followed");
  applied_->production = prefixes;
  return {};
}

Status FirewallKeeper::apply() {
  by_hand_ = true;
  return put_in_place();
}

Status FirewallKeeper::remove() {
  by_hand_ = false;
  return settle();
}

Status FirewallKeeper::tear_down() {
  let_in_.reset();
  if (!applied_) return {};
  auto status = firewall_.remove();
  if (status) applied_.reset();
  base::step("firewall.removed");
  return status;
}

bool FirewallKeeper::was_changed() { return firewall_.take_events().ours && applied_.has_value(); }

}  // namespace anubis::netd
