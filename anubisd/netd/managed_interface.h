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
  config::Backend backend = config::Backend::kAuto;
};

class ManagedInterface {
 public:
  // network and devices must outlive the interface.
  ManagedInterface(InterfaceSettings settings, network::Network& network, Devices& devices);

  // Repeatable. A link that this call made goes again if the rest fails.
  base::Result<InterfaceReport> bring_up();
  // What we added goes; the link, too, if it is ours (flush its peers first: the kernel takes milliseconds a peer
  // here).
  base::Status tear_down();

  // From the first bring_up() that succeeded on. The link may have gone since.
  [[nodiscard]] bool is_known() const { return opened_.device != nullptr; }
  [[nodiscard]] wireguard::Device& device() { return *opened_.device; }
  [[nodiscard]] std::uint32_t ifindex() const { return ifindex_; }
  [[nodiscard]] bool is_ours() const { return is_ours_; }
  [[nodiscard]] const std::string& name() const { return settings_.name; }

  // False when the link is gone, renamed, another one or down.
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
  base::Status configure(const Found& found);
  base::Status check_key();
  base::Status add_addresses();
  base::Status remove_own_addresses(bool all);
  base::Status remove_link();
  base::Status await_process_end();
  base::Status delete_renamed();
  void forget();

  InterfaceSettings settings_;
  network::Network& network_;
  Devices& devices_;

  OpenedDevice opened_;
  Backend backend_ = Backend::kKernel;
  std::uint32_t ifindex_ = 0;
  bool is_ours_ = false;
  network::LinkSettings before_;                // of an adopted link: what tear_down() puts back
  std::vector<model::InterfaceAddress> added_;  // for kernels that don't keep an address's protocol
  bool told_no_ipv6_ = false;
};

}  // namespace anubis::netd
