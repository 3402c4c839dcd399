// One of our two interfaces: the link and its WireGuard device, without peers. Decides whose the link is and which
// backend serves it, brings it to its configuration, and takes away exactly what it brought.
//
// A link that we make bears kAlias from its first moment, so that a later process knows it as ours, however this one
// ended. Foreign links are adopted but never deleted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/drift.h"
#include "anubisd/netd/netd.h"
#include "lib/config/config.h"
#include "lib/crypto/keys.h"
#include "lib/network/network.h"

namespace anubis::netd {

inline constexpr std::string_view kAlias = "anubis";

struct InterfaceSettings {
  std::string name;
  const crypto::PrivateKey* private_key = nullptr;  // must outlive the interface
  std::uint16_t listen_port = 0;
  std::vector<model::InterfaceAddress> addresses;  // without routes for their networks
  bool needs_every_address = false;                // else IPv6 ones are left out where the host has no IPv6
  std::optional<std::uint32_t> mtu;
  std::uint32_t fwmark = 0;  // of a device that is ours: a foreign one keeps its own
  config::Backend backend = config::Backend::kAuto;
};

class ManagedInterface {
 public:
  // network, devices and drift must outlive the interface. which: as whose drift is told.
  ManagedInterface(Interface which, InterfaceSettings settings, network::Network& network, Devices& devices,
                   DriftQueue& drift);

  // Repeatable. A link that this call made goes again if the rest fails.
  base::Result<InterfaceReport> bring_up();
  // What we added goes; the link, too, if it is ours (flush its peers first: the kernel takes milliseconds a peer
  // here).
  base::Status tear_down();

  // From the first bring_up() that succeeded on. The link may have gone since.
  [[nodiscard]] bool is_known() const { return has_device() && is_configured_; }
  // Also while a bring_up() has failed half-way, or a tear_down(): there may be something of ours on it.
  [[nodiscard]] bool has_device() const { return opened_.device != nullptr; }
  // From the first bring_up() until tear_down(): what happens to its link concerns us, whether we have it or not.
  [[nodiscard]] bool is_wanted() const { return is_wanted_; }
  // It was up once, and the last bring_up() could not bring it back.
  [[nodiscard]] bool is_lost() const { return is_lost_; }
  // What bring_up() found has cut WireGuard's sessions: the link was down, or the device had another key or port.
  [[nodiscard]] bool was_cut() const { return was_cut_; }
  // What it found has made the kernel take routes away.
  [[nodiscard]] bool lost_routes() const { return lost_routes_; }
  // Both have been dealt with.
  void settled() { was_cut_ = lost_routes_ = false; }
  [[nodiscard]] wireguard::Device& device() { return *opened_.device; }
  [[nodiscard]] std::uint32_t ifindex() const { return ifindex_; }
  [[nodiscard]] Backend backend() const { return backend_; }
  [[nodiscard]] bool is_ours() const { return is_ours_; }
  [[nodiscard]] const std::string& name() const { return settings_.name; }

  // False when the link is gone, renamed, another one, down, or not as it was configured.
  [[nodiscard]] base::Result<bool> stands();
  // Becomes readable when the userspace process ends; -1: none to watch.
  [[nodiscard]] int process_fd() const;
  // Once that is readable: logs how it ended. True when it did.
  bool take_process_end();

 private:
  struct Found {
    network::Link link;
    bool created = false;
  };

  base::Result<Found> adopt(network::Link link);
  base::Result<Found> create();
  base::Result<Found> create_userspace();
  base::Status configure(const Found& found, bool fresh);
  base::Status configure_device(bool fresh);
  base::Status configure_link(const network::Link& link, bool fresh);
  base::Status check_key();
  base::Status add_addresses(bool fresh);
  void tell(DriftKind kind) { drift_.tell({.kind = kind, .interface = which_, .peer = {}}); }
  base::Status note_loss();
  base::Status remove_own_addresses(bool all);
  base::Status remove_link();
  base::Status remove_leftover();
  void give_up_created();
  base::Status await_process_end();
  base::Status delete_renamed();
  void forget();

  const Interface which_;
  InterfaceSettings settings_;
  network::Network& network_;
  Devices& devices_;
  DriftQueue& drift_;

  OpenedDevice opened_;
  Backend backend_ = Backend::kKernel;
  std::uint32_t ifindex_ = 0;
  bool is_ours_ = false;
  bool is_configured_ = false;
  network::LinkSettings before_;                // of an adopted link: what tear_down() puts back
  std::vector<model::InterfaceAddress> added_;  // for kernels that don't keep an address's protocol
  std::optional<std::uint32_t> mtu_;            // as it is to be: configured, or what our link was made with
  bool told_no_ipv6_ = false;
  bool is_wanted_ = false;
  bool was_up_ = false;  // since the start or tear_down()
  bool is_lost_ = false;
  bool was_cut_ = false;
  bool lost_routes_ = false;
  std::optional<DriftKind> loss_;  // how the last device was lost, until there is another one
};

}  // namespace anubis::netd
