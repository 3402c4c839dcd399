#include "anubisd/interfaces.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using netd::Interface;

// A check may take a hundredth of the time, within these bounds.
constexpr base::Duration kShortestPeriod = 10s;
constexpr base::Duration kLongestPeriod = 60s;
constexpr int kShare = 100;
constexpr base::Duration kFirstRetry = 250ms;
constexpr base::Duration kLongestRetry = 30s;
// What is tried again makes events of its own.
constexpr base::Duration kBetweenTries = 1s;
// Events come in swarms; one look after a while serves them all.
constexpr base::Duration kPause = 50ms;
// At start. A wireguard-go that was killed ends within milliseconds, and its link with it.
constexpr base::Duration kPatience = 2s;
constexpr base::Duration kBetweenStarts = 50ms;

bool may_pass(base::ErrorCode code) {
  using base::ErrorCode;
  return code == ErrorCode::kNotFound || code == ErrorCode::kBusy || code == ErrorCode::kTimeout ||
         code == ErrorCode::kIo;
}

// What was there before may be going away just now.
base::Result<netd::InterfaceReport> bring_up_patiently(netd::Netd& netd, Interface which) {
  const base::Time end = base::BootClock::now() + kPatience;
  auto report = netd.bring_up(which);
  while (!report && may_pass(report.error().code) && base::BootClock::now() < end) {
    std::this_thread::sleep_for(kBetweenStarts);
    report = netd.bring_up(which);
  }
  return report;
}

}  // namespace

base::Duration check_period(base::Duration took) { return std::clamp(took * kShare, kShortestPeriod, kLongestPeriod); }

Interfaces::Interfaces(Loop& loop, netd::Netd& netd, Listener& listener)
    : netd_(netd),
      listener_(listener),
      kept_{Kept(loop, Interface::kProduction), Kept(loop, Interface::kSide)},
      check_(loop),
      pause_(loop),
      events_(loop, netd.event_fd()) {}

base::Status Interfaces::start() {
  for (const Interface which : {Interface::kSide, Interface::kProduction}) {
    auto report = bring_up_patiently(netd_, which);
    if (!report) return base::fail(report.error());
    at(which).report = std::move(*report);
  }
  check_.after(kShortestPeriod, [this] { check_all(); });
  wait_for_events();
  return {};
}

void Interfaces::stop() {
  for (Kept& kept : kept_) kept.retry.cancel();
  check_.cancel();
  pause_.cancel();
  events_.cancel();
}

void Interfaces::wait_for_events() {
  events_.when_readable([this] {
    for (const Interface which : netd_.interfaces_to_heal()) disturbed(at(which));
    pause_.after(kPause, [this] { wait_for_events(); });
  });
}

void Interfaces::disturbed(Kept& kept) {
  const base::Time next = kept.tried + kBetweenTries;
  if (kept.error.empty() || next <= base::BootClock::now()) return heal(kept);
  // It may have become possible now.
  if (!kept.retry.due() || *kept.retry.due() > next) kept.retry.at(next, [this, &kept] { heal(kept); });
}

void Interfaces::check_all() {
  const base::Time begun = base::BootClock::now();
  for (Kept& kept : kept_) {
    if (kept.error.empty()) heal(kept);  // else it is tried again as it is
  }
  check_.after(check_period(base::BootClock::now() - begun), [this] { check_all(); });
}

void Interfaces::heal(Kept& kept) {
  kept.retry.cancel();
  const auto status = bring_up(kept);
  kept.tried = base::BootClock::now();
  if (status) {
    kept.retry_after = base::Duration{0};
    kept.error.clear();
  } else {
    kept.retry_after = std::clamp(kept.retry_after * 2, kFirstRetry, kLongestRetry);
    kept.error = status.error().message;
    kept.retry.after(kept.retry_after, [this, &kept] { heal(kept); });
  }
  take_drift();
  update_health();
}

base::Status Interfaces::bring_up(Kept& kept) {
  auto report = netd_.bring_up(kept.which);
  if (!report) return base::fail(report.error());
  kept.report = std::move(*report);
  if (kept.report.fresh) {
    base::log::warning("interface.made-anew", "{} had gone", kept.report.name);
    kept.is_anew = true;
  }
  if (!kept.is_anew) return {};
  auto status = listener_.made_anew(kept.which);
  if (status) kept.is_anew = false;
  return status;
}

void Interfaces::take_drift() {
  bool is_lost = false;
  for (const netd::Drift& drift : netd_.take_drift()) {
    if (drift.kind != netd::DriftKind::kLost) {
      listener_.drifted(drift);
    } else if (drift.interface == Interface::kProduction) {
      is_lost = true;
    }
  }
  if (is_lost == production_is_lost_) return;
  production_is_lost_ = is_lost;
  if (is_lost) {
    listener_.production_lost(at(Interface::kProduction).error);
  } else {
    listener_.production_back();
  }
}

void Interfaces::update_health() {
  std::string degraded;
  for (const Kept& kept : kept_) {
    if (kept.error.empty()) continue;
    if (!degraded.empty()) degraded += "; ";
    degraded += kept.error;
  }
  if (degraded == degraded_) return;
  degraded_ = std::move(degraded);
  if (degraded_.empty()) {
    base::log::info("interface.healed", "both interfaces are as they should be");
  } else {
    base::log::error("interface.degraded", "{}; trying again until it works", degraded_);
  }
  listener_.health_changed(degraded_);
}

}  // namespace anubis::daemon
