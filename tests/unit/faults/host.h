// A host whose netlink sockets fail when they are told to: LocalNetd in a network namespace of this process, on the
// real kernel's links, addresses, routes and rules. WireGuard is the kernel's where it has one; else tun links stand
// for its interfaces, and FakeDevice for what is behind them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/local_netd.h"
#include "firewall/testing/fake_firewall.h"
#include "lib/base/fd.h"
#include "lib/network/rtnetlink_network.h"
#include "lib/wireguard/testing/fake_device.h"
#include "tests/unit/anubisd/netd/host.h"
#include "tests/unit/faults/faults.h"

namespace anubis::faults {

class TestDevices final : public netd::Devices {
 public:
  explicit TestDevices(Plan& plan) : plan_(plan) {}

  base::Result<netd::OpenedDevice> open_kernel(std::string_view interface) override;
  // Makes the link, as a program would.
  base::Result<netd::OpenedDevice> open_userspace(std::string_view interface) override;
  base::Status check_listen_port(std::uint16_t /*port*/) override { return {}; }

  // Past all faults.
  wireguard::Device& at(const std::string& interface);
  void clear();

 private:
  Plan& plan_;
  std::map<std::string, wireguard::testing::FakeDevice, std::less<>> fakes_;
  std::map<std::string, std::unique_ptr<wireguard::Device>> real_;
};

class Host {
 public:
  // Enters a network namespace, with something in it that is not ours.
  explicit Host(Plan& plan);

  // As after a start of the process: a new LocalNetd.
  base::Status start();
  base::Status bring_up();
  [[nodiscard]] netd::LocalNetd& netd() { return *netd_; }
  [[nodiscard]] bool runs() const { return netd_ != nullptr; }
  // The process is killed.
  void kill();
  // All that is ours goes, past LocalNetd and all faults.
  void purge();
  // What there is, ours and others': one line each.
  [[nodiscard]] std::string state();

  [[nodiscard]] netd::PeerIndex jacinth() const { return directory_.find_by_name("jacinth").value(); }
  // The same host as others see it.
  [[nodiscard]] network::Network& network() { return *clean_; }
  [[nodiscard]] wireguard::Device& device(const std::string& name) { return devices_.at(name); }
  [[nodiscard]] std::uint32_t ifindex(const std::string& name);
  // A link with a WireGuard device behind it that somebody else made.
  void add_foreign_interface(const std::string& name);
  config::Config& config() { return config_; }

 private:
  void describe_link(const std::string& name, std::vector<std::string>& lines);

  Plan& plan_;
  config::Config config_;
  model::InMemoryDirectory directory_;
  TestDevices devices_;
  firewall::testing::FakeFirewall firewall_;
  std::unique_ptr<network::Network> clean_;
  std::unique_ptr<network::Network> network_;
  std::unique_ptr<netd::LocalNetd> netd_;
};

}  // namespace anubis::faults
