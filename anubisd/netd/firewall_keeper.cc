#include "anubisd/netd/firewall_keeper.h"

#include <algorithm>
#include <array>
#include <utility>

#include <poll.h>

#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Status;
using firewall::Standing;

// Where there was no table of ours, there may be a tunnel from before us that is to be adopted.
std::vector<model::IpPrefix> everything() {
  constexpr std::array<std::uint8_t, 4> kNone4{};
  constexpr std::array<std::uint8_t, 16> kNone6{};
  return {{model::IpAddress::v4(kNone4), 0}, {model::IpAddress::v6(kNone6), 0}};
}

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
                          .companion_port = config_.companion.enabled ? config_.companion.port : std::uint16_t{0},
                          .side_address = config_.side.address,
                          .side_ranges = side_peers_.ranges(),
                          .also_listen = config_.also_listen,
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
    const auto before = firewall_.list();
    if (!before) return fail(with_advice(before.error()));
    wanted.production = before->empty() ? everything() : std::move(*left);
  }
  if (auto status = firewall_.apply(wanted); !status) return fail(with_advice(status.error()));
  base::step("firewall.applied");
  applied_ = std::move(wanted);
  return {};
}

Status FirewallKeeper::settle() {
  auto status = settle_table();
  look_at_others();
  return status;
}

Status FirewallKeeper::settle_table() {
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
  wish(true);
  return put_in_place();
}

Status FirewallKeeper::remove() {
  wish(false);
  return settle();
}

// What the configuration says anyway goes on following it.
void FirewallKeeper::wish(bool stands) {
  by_hand_.reset();
  if (stands != config_.firewall.enabled) by_hand_ = stands;
}

Status FirewallKeeper::tear_down() {
  let_in_.reset();
  if (!applied_) return {};
  auto status = firewall_.remove();
  if (status) applied_.reset();
  base::step("firewall.removed");
  return status;
}

bool FirewallKeeper::was_changed() {
  const firewall::Noticed noticed = firewall_.take_events();
  others_changed_ |= noticed.others;
  return noticed.ours && applied_.has_value();
}

void FirewallKeeper::look_at_others() {
  if (!others_changed_) return;
  auto closed = firewall_.closed_ports(std::array{config_.production.listen_port, config_.side.listen_port});
  if (!closed && closed.error().code != ErrorCode::kUnsupported) {
    base::log::warning("firewall.others-unknown", "cannot tell what other tables do: {}", closed.error().message);
  }
  others_changed_ = false;
  const auto before = std::exchange(closed_ports_, closed.value_or(std::vector<firewall::ClosedPort>()));
  if (closed_ports_.empty() && !before.empty()) {
    base::log::info("firewall.ports-open", "no other table closes our ports any more");
  }
  for (const firewall::ClosedPort& port : closed_ports_) {
    if (std::ranges::find(before, port) != before.end()) continue;
    base::log::warning("firewall.port-closed",
                       "{}/udp is closed by the table {}, chain {}: nobody reaches it; to open it: {}", port.port,
                       port.table, port.chain, port.advice);
  }
}

base::Result<FirewallReport> FirewallKeeper::report() {
  // What is waiting there is for interfaces_to_heal() to take.
  pollfd waiting{.fd = firewall_.event_fd(), .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, 0) > 0) others_changed_ = true;
  look_at_others();
  FirewallReport report{
      .state = FirewallState::kInPlace, .is_configured = config_.firewall.enabled, .closed_ports = closed_ports_};
  if (!is_wanted()) {
    report.state = config_.firewall.enabled ? FirewallState::kRemoved : FirewallState::kDisabled;
    return report;
  }
  const auto standing = applied_ ? firewall_.look() : base::Result<Standing>(Standing::kGone);
  if (!standing) return fail(standing.error());
  if (*standing != Standing::kAsApplied) report.state = FirewallState::kChanged;
  return report;
}

}  // namespace anubis::netd
