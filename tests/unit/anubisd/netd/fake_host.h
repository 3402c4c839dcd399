// A host without a kernel: LocalNetd on a fake network and fake devices. "Foreign" is what the test puts there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/local_netd.h"
#include "firewall/testing/fake_firewall.h"
#include "lib/network/testing/fake_network.h"
#include "lib/wireguard/testing/fake_device.h"
#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {

// The devices stay when LocalNetd goes, as the kernel's do.
class FakeDevices final : public Devices {
 public:
  explicit FakeDevices(network::FakeNetwork& network) : network_(network) {}

  base::Result<OpenedDevice> open_kernel(std::string_view interface) override;
  // Makes the link, as a program would.
  base::Result<OpenedDevice> open_userspace(std::string_view interface) override;
  base::Status check_listen_port(std::uint16_t port) override;

  wireguard::testing::FakeDevice& at(const std::string& interface) { return devices_[interface]; }
  void take_port(std::uint16_t port) { taken_port_ = port; }
  [[nodiscard]] std::size_t userspace_starts() const { return userspace_starts_; }

 private:
  base::Result<OpenedDevice> open(std::string_view interface);

  network::FakeNetwork& network_;
  std::map<std::string, wireguard::testing::FakeDevice, std::less<>> devices_;
  std::optional<std::uint16_t> taken_port_;
  std::size_t userspace_starts_ = 0;
};

class FakeHostTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<LocalNetd> new_netd();
  // Both interfaces, in the order of the daemon.
  void bring_up();
  PeerIndex add_peer(model::Peer peer);
  model::DirectoryChanges change_peers(std::vector<model::Peer> peers) { return directory_.replace(std::move(peers)); }

  [[nodiscard]] wireguard::testing::FakeDevice& production() { return devices_.at("wg0"); }
  [[nodiscard]] wireguard::testing::FakeDevice& side() { return devices_.at("anubis0"); }
  [[nodiscard]] std::uint32_t ifindex(const std::string& name) { return network_.link(name).value()->index; }
  // "10.44.1.0/24 wg0 214": prefix, interface and table of all our routes to interfaces, sorted.
  [[nodiscard]] std::vector<std::string> routes();

  config::Config config_ = xena();
  model::InMemoryDirectory directory_;
  network::FakeNetwork network_;
  FakeDevices devices_{network_};
  firewall::testing::FakeFirewall firewall_;
  // An errno that the watcher's next read meets.
  std::shared_ptr<int> watcher_error_ = std::make_shared<int>(0);
  std::unique_ptr<LocalNetd> netd_;
  std::vector<model::Peer> peers_;
};

}  // namespace anubis::netd
