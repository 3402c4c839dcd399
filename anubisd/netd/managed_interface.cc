#include "anubisd/netd/managed_interface.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <poll.h>

#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr std::string_view kKernelKind = "wireguard";
constexpr std::string_view kUserspaceKind = "tun";
// wireguard-go ends within milliseconds of its link.
constexpr int kProcessEndMilliseconds = 2000;

}  // namespace

ManagedInterface::ManagedInterface(Interface which, InterfaceSettings settings, network::Network& network,
                                   Devices& devices, DriftQueue& drift)
    : which_(which), settings_(std::move(settings)), network_(network), devices_(devices), drift_(drift) {}

Result<InterfaceReport> ManagedInterface::bring_up() {
  is_wanted_ = true;
  auto link = network_.link(settings_.name);
  if (!link) return fail(link.error());
  const bool is_another = !has_device() || !*link || (*link)->index != ifindex_;
  const bool fresh = is_another || !is_configured_;
  is_lost_ = was_up_ && (fresh || !(*link)->up);  // until the end of this
  if (fresh) settled();
  Found found;
  if (is_another) {
    if (auto status = note_loss(); !status) return fail(status.error());
    if (auto status = delete_renamed(); !status) return fail(status.error());
    if (auto status = await_process_end(); !status) return fail(status.error());
    forget();
    auto result = *link ? adopt(std::move(**link)) : create();
    if (!result) return fail(result.error());
    found = std::move(*result);
    mtu_ = settings_.mtu;
    if (!mtu_ && is_ours_) mtu_ = found.link.mtu;
  } else {
    found.link = std::move(**link);
  }
  if (auto status = configure(found, fresh); !status) {
    if (found.created) give_up_created();
    return fail(status.error().within(settings_.name));
  }
  is_configured_ = true;
  if (fresh) {
    base::log::info("netd.interface-up", "{} {} ({}, {})", found.created ? "created" : "adopted", settings_.name,
                    backend_ == Backend::kKernel ? "kernel" : "userspace", is_ours_ ? "ours" : "foreign");
    if (const auto loss = std::exchange(loss_, {}))
      tell(*loss == DriftKind::kDeleted && !is_ours_ ? DriftKind::kReplaced : *loss);
  }
  was_up_ = true;
  is_lost_ = false;
  return InterfaceReport{settings_.name, ifindex_, backend_, is_ours_, fresh};
}

// Before the device is forgotten. The first look counts: the second sees what we did after it.
Status ManagedInterface::note_loss() {
  if (!has_device() || !was_up_ || loss_) return {};
  const auto link = network_.link_at(ifindex_);
  if (!link) return fail(link.error());
  loss_ = *link ? DriftKind::kRenamed : DriftKind::kDeleted;
  return {};
}

Result<ManagedInterface::Found> ManagedInterface::adopt(network::Link link) {
  const bool is_kernel = link.kind == kKernelKind;
  if (!is_kernel && link.kind != kUserspaceKind) {
    return fail(ErrorCode::kExists,
                fmt::format("there is an interface {} already, and it is no WireGuard interface{}: choose another name",
                            link.name, link.kind.empty() ? "" : " but of the kind " + link.kind));
  }
  const auto excluded = is_kernel ? config::Backend::kUserspace : config::Backend::kKernel;
  if (settings_.backend == excluded) {
    return fail(ErrorCode::kExists,
                fmt::format("{} exists already and is served by {}, but the configuration says backend = \"{}\": "
                            "remove it (ip link delete {}) or set backend = \"auto\"",
                            link.name, is_kernel ? "the kernel" : "a userspace program",
                            is_kernel ? "userspace" : "kernel", link.name));
  }
  auto opened = is_kernel ? devices_.open_kernel(link.name) : devices_.open_userspace(link.name);
  if (!opened) return fail(opened.error());
  opened_ = std::move(*opened);
  backend_ = is_kernel ? Backend::kKernel : Backend::kUserspace;
  ifindex_ = link.index;
  is_ours_ = link.alias == kAlias;
  if (!is_ours_) before_ = {.mtu = link.mtu, .up = link.up, .alias = {}};
  if (auto status = check_key(); !status) {
    forget();
    return fail(status.error());
  }
  return Found{std::move(link), false};
}

// A foreign device keeps its key: with another one, all that its owner set up there would break.
Status ManagedInterface::check_key() {
  if (is_ours_) return {};
  const auto info = opened_.device->info();
  if (!info) return fail(info.error());
  if (!info->public_key || *info->public_key == settings_.private_key->derive_public_key()) return {};
  return fail(ErrorCode::kExists,
              fmt::format("there is a WireGuard interface {} with another private key already: remove it (ip link "
                          "delete {}), choose another name, or give us its key",
                          settings_.name, settings_.name));
}

Result<ManagedInterface::Found> ManagedInterface::create() {
  if (auto status = devices_.check_listen_port(settings_.listen_port); !status)
    return fail(status.error().within(settings_.name));
  if (settings_.backend == config::Backend::kUserspace) return create_userspace();
  auto link = network_.create_wireguard_link(settings_.name, kAlias);
  if (!link) {
    if (link.error().code == ErrorCode::kUnsupported && settings_.backend == config::Backend::kAuto)
      return create_userspace();
    return fail(link.error());
  }
  base::step("link.ours");
  ifindex_ = link->index;
  is_ours_ = true;
  backend_ = Backend::kKernel;
  auto opened = devices_.open_kernel(settings_.name);
  if (!opened) {
    give_up_created();
    return fail(opened.error());
  }
  opened_ = std::move(*opened);
  return Found{std::move(*link), true};
}

Result<ManagedInterface::Found> ManagedInterface::create_userspace() {
  auto opened = devices_.open_userspace(settings_.name);
  if (!opened) return fail(opened.error());
  auto link = network_.link(settings_.name);
  // Once more, because nobody would know what stays as ours; then it goes with its process.
  if (!link) link = network_.link(settings_.name);
  if (!link || !*link) {
    if (opened->process) {
      if (auto ended = opened->process->terminate(); !ended)
        base::log::warning("netd.left-behind", "{}", ended.error().message);
    }
    return link ? fail(ErrorCode::kNotFound, settings_.name + " went away as soon as it was created")
                : fail(link.error());
  }
  base::step("link.created");
  opened_ = std::move(*opened);
  backend_ = Backend::kUserspace;
  ifindex_ = (*link)->index;
  is_ours_ = true;
  auto status = network_.set_link(ifindex_, {.mtu = {}, .up = {}, .alias = std::string(kAlias)});
  base::step("link.ours");
  if (status && opened_.process) status = opened_.process->keep();
  if (!status) {
    give_up_created();
    return fail(status.error());
  }
  return Found{std::move(**link), true};
}

Status ManagedInterface::configure(const Found& found, bool fresh) {
  if (auto status = configure_device(fresh); !status) return status;
  if (auto status = configure_link(found.link, fresh); !status) return status;
  if (auto status = remove_own_addresses(/*all=*/false); !status) return status;
  return add_addresses(fresh);
}

Status ManagedInterface::configure_device(bool fresh) {
  wireguard::Configuration wanted{.private_key = settings_.private_key, .listen_port = settings_.listen_port};
  if (is_ours_) wanted.fwmark = settings_.fwmark;
  const auto present = opened_.device->info();
  if (!present) return fail(present.error());
  const auto differing = wireguard::differing_from(*present, wanted);
  if (!differing) return {};
  if (auto status = opened_.device->configure(wanted); !status) return status;
  base::step("link.configured");
  if (fresh) return {};
  if (differing->private_key != nullptr || differing->listen_port) was_cut_ = true;
  if (differing->private_key != nullptr) tell(DriftKind::kPrivateKey);
  if (differing->listen_port) tell(DriftKind::kListenPort);
  if (differing->fwmark) tell(DriftKind::kMark);
  return {};
}

Status ManagedInterface::configure_link(const network::Link& link, bool fresh) {
  const auto set = [&](const network::LinkSettings& settings, DriftKind kind) {
    auto status = network_.set_link(ifindex_, settings);
    if (status && !fresh) tell(kind);
    return status;
  };
  if (is_ours_ && !fresh && link.alias != kAlias) {
    if (auto status = set({.mtu = {}, .up = {}, .alias = std::string(kAlias)}, DriftKind::kAlias); !status)
      return status;
  }
  if (mtu_ && link.mtu != *mtu_) {
    if (auto status = set({.mtu = mtu_, .up = {}, .alias = {}}, DriftKind::kMtu); !status) return status;
    if (!fresh) lost_routes_ = true;  // with too small a one, the kernel ends IPv6 on the link
  }
  if (!link.up) {
    if (auto status = set({.mtu = {}, .up = true, .alias = {}}, DriftKind::kSetDown); !status) return status;
    if (!fresh) lost_routes_ = was_cut_ = true;
  }
  base::step("link.up");
  return {};
}

// After the link is up: IPv6 addresses of a link that is down are not usable, and setting one down drops them.
Status ManagedInterface::add_addresses(bool fresh) {
  const auto present = network_.addresses(ifindex_);
  if (!present) return fail(present.error());
  bool were_missing = false;
  for (const auto& address : settings_.addresses) {
    if (std::ranges::find(*present, address, &network::Address::address) != present->end()) continue;
    const auto status = network_.add_address(ifindex_, address, network::PrefixRoute::kNone);
    if (status) {
      base::step("link.address");
      were_missing = true;
      if (std::ranges::find(added_, address) == added_.end()) added_.push_back(address);
      continue;
    }
    const bool no_ipv6 =
        status.error().code == ErrorCode::kUnsupported && address.address.family() == model::Family::kV6;
    if (!no_ipv6 || settings_.needs_every_address) return status;
    if (!std::exchange(told_no_ipv6_, true))
      base::log::warning("netd.no-ipv6", "{} goes without {}", settings_.name, status.error().message);
  }
  if (were_missing && !fresh && !lost_routes_) {
    tell(DriftKind::kAddresses);
    lost_routes_ = true;  // with a link's last address the kernel takes its routes away
  }
  return {};
}

// Those that the configuration does not name (any more), or all. Only ours.
Status ManagedInterface::remove_own_addresses(bool all) {
  const auto present = network_.addresses(ifindex_);
  if (!present) return fail(present.error());
  Status first;
  for (const network::Address& address : *present) {
    const bool is_own =
        address.protocol == network::kRouteProtocol || std::ranges::find(added_, address.address) != added_.end();
    const bool is_wanted = std::ranges::find(settings_.addresses, address.address) != settings_.addresses.end();
    if (!is_own || (is_wanted && !all)) continue;
    if (auto status = network_.remove_address(ifindex_, address.address); !status && first) first = status;
  }
  return first;
}

Status ManagedInterface::tear_down() {
  is_wanted_ = was_up_ = is_lost_ = false;
  loss_.reset();
  if (!has_device()) return remove_leftover();
  Status first;
  const auto link = network_.link_at(ifindex_);
  if (!link) return fail(link.error());
  if (*link && is_ours_) {
    first = remove_link();
  } else if (*link) {
    first = remove_own_addresses(/*all=*/true);
    if (auto status = network_.set_link(ifindex_, before_); !status && first) first = status;
  }
  if (first) forget();  // else the next one goes on
  return first;
}

// Of an earlier process, or of a bring_up() that could not take back what it had made.
Status ManagedInterface::remove_leftover() {
  const auto link = network_.link(settings_.name);
  if (!link) return fail(link.error());
  return *link && (*link)->alias == kAlias ? network_.delete_link((*link)->index) : Status{};
}

// What cannot be removed stays known, for the next bring_up() or tear_down().
void ManagedInterface::give_up_created() {
  if (auto removed = remove_link(); !removed) {
    base::log::warning("netd.left-behind", "{}", removed.error().message);
    if (has_device()) return;
  }
  forget();
}

Status ManagedInterface::remove_link() {
  if (auto status = network_.delete_link(ifindex_); !status) return status;
  base::step("link.removed");
  return await_process_end();
}

// Of a process whose link is gone. Until then it holds the listen port and answers on its socket.
Status ManagedInterface::await_process_end() {
  if (process_fd() < 0) return {};
  pollfd ended{.fd = process_fd(), .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, kProcessEndMilliseconds) <= 0) return opened_.process->terminate();
  opened_.process->take_end();
  return {};
}

// A link of ours that somebody renamed would keep the listen port, and nobody could find it again.
Status ManagedInterface::delete_renamed() {
  if (!has_device() || !is_ours_) return {};
  const auto link = network_.link_at(ifindex_);
  if (!link) return fail(link.error());
  if (!*link || (*link)->alias != kAlias) return {};
  base::log::warning("netd.renamed", "{} was renamed to {}: it goes, and {} is made anew", settings_.name,
                     (*link)->name, settings_.name);
  return remove_link();
}

void ManagedInterface::forget() {
  opened_ = {};
  ifindex_ = 0;
  is_ours_ = false;
  is_configured_ = false;
  before_ = {};
  added_.clear();
}

Result<bool> ManagedInterface::stands() {
  const auto link = network_.link(settings_.name);
  if (!link) return fail(link.error());
  if (!*link || (*link)->index != ifindex_ || !(*link)->up) return false;
  return (!mtu_ || (*link)->mtu == *mtu_) && (!is_ours_ || (*link)->alias == kAlias);
}

int ManagedInterface::process_fd() const { return opened_.process ? opened_.process->pidfd() : -1; }

bool ManagedInterface::take_process_end() {
  if (!opened_.process) return false;
  const auto end = opened_.process->take_end();
  if (end) base::log::error("netd.process-ended", "the program that serves {} {}", settings_.name, *end);
  return end.has_value();
}

}  // namespace anubis::netd
