// A host of its own for each test: a network namespace and a private directory for WireGuard's sockets, within the
// test's process. Needs root. Real links and routes; WireGuard is the kernel's where it has one, else wireguard-go.
//
//   xena (this process)                          jacinth (ip netns, by the test's process id)
//   eth0 192.0.2.2/24, 2001:db8::2/64 ── veth ── eth0 192.0.2.1/24, 2001:db8::1/64
#pragma once

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/local_netd.h"
#include "firewall/nft_firewall.h"
#include "lib/base/fd.h"
#include "lib/network/rtnetlink_network.h"
#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {

// What a command printed, both streams.
[[nodiscard]] std::string output_of(const std::string& command);
[[nodiscard]] int exit_status(const std::string& command);

class SystemTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  static void run(const std::string& command) { ASSERT_EQ(exit_status(command), 0) << command; }

  // Links, addresses, rules and routes, as iproute2 sees them.
  [[nodiscard]] static std::string host_state();
  // The interface that a packet would take: `ip route get`.
  [[nodiscard]] static std::string way_to(const std::string& arguments);

  // As after a start of the daemon.
  [[nodiscard]] std::unique_ptr<LocalNetd> new_netd();
  void bring_up(LocalNetd& netd);
  PeerIndex add_peer(model::Peer peer);
  // A WireGuard interface that is not ours; `inside`: what to put before commands.
  static void start_wireguard(const std::string& inside, const std::string& name);
  // The other end of a session: wgj in jacinth, listening on 192.0.2.1:4296 with the peer's key, with the addresses.
  void start_jacinth(unsigned number, const std::string& address);

  config::Config config_ = xena();
  model::InMemoryDirectory directory_;
  std::unique_ptr<network::RtnetlinkNetwork> network_;
  wireguard::DirectLauncher launcher_;
  SystemDevices devices_{&launcher_};
  firewall::NftFirewall firewall_;
  std::string jacinth_;  // name of the namespace

 private:
  std::vector<model::Peer> peers_;
  base::Fd outside_;
  bool entered_ = false;
};

}  // namespace anubis::netd
