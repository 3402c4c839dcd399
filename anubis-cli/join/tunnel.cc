#include "anubis-cli/join/tunnel.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "lib/network/rtnetlink_network.h"
#include "lib/wireguard/kernel_device.h"
#include "lib/wireguard/userspace_device.h"

namespace anubis::cli {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kInterface = "anubis-join";
constexpr std::string_view kAlias = "anubis join: goes by itself";
// A NAT on the way shall not forget us while the user of the other end is asked.
constexpr std::uint16_t kKeepalive = 5;

}  // namespace

base::Result<std::unique_ptr<Tunnel>> Tunnel::open(const crypto::SidePrivateKey& key, const model::IpAddress& own,
                                                   const Peer& peer) {
  auto network = network::RtnetlinkNetwork::create();
  if (!network) return fail(network.error());
  std::unique_ptr<Tunnel> tunnel(new Tunnel);
  tunnel->network_ = std::move(*network);
  if (auto status = tunnel->create(); !status) return fail(status.error());
  if (auto status = tunnel->configure(key, own, peer); !status) return fail(status.error());
  return tunnel;
}

Tunnel::~Tunnel() {
  device_.reset();
  // With its process a link goes that wireguard-go made. Nobody is left who could be told of a failure.
  if (process_) {
    (void)process_->terminate();
  } else if (ifindex_ != 0) {
    (void)network_->delete_link(ifindex_);
  }
}

base::Status Tunnel::create() {
  const auto present = network_->link(kInterface);
  if (!present) return fail(present.error());
  if (*present) {
    if ((*present)->alias != kAlias) {
      return fail(ErrorCode::kExists, std::string("there is an interface ").append(kInterface) +
                                          " already that is not ours; remove it, or let the other anubis join end");
    }
    if (auto status = network_->delete_link((*present)->index); !status) return status;
  }
  auto link = network_->create_wireguard_link(kInterface, kAlias);
  if (link) {
    ifindex_ = link->index;
    auto device = wireguard::KernelDevice::create(std::string(kInterface));
    if (!device) return fail(device.error());
    device_ = std::move(*device);
    return {};
  }
  if (link.error().code != ErrorCode::kUnsupported) return fail(link.error());
  auto process = wireguard::UserspaceProcess::adopt_or_start(std::string(kInterface), launcher_);
  if (!process) return fail(process.error());
  process_ = std::move(*process);
  auto device = wireguard::UserspaceDevice::create(std::string(kInterface));
  if (!device) return fail(device.error());
  device_ = std::move(*device);
  const auto made = network_->link(kInterface);
  if (!made || !*made) return fail(ErrorCode::kNotFound, "the interface went away as soon as it was created");
  ifindex_ = (*made)->index;
  return network_->set_link(ifindex_, {.mtu = {}, .up = {}, .alias = std::string(kAlias)});
}

base::Status Tunnel::configure(const crypto::SidePrivateKey& key, const model::IpAddress& own, const Peer& peer) {
  constexpr std::uint32_t kMtu = 1280;  // as much as every network carries
  if (auto status = device_->configure({.private_key = &key, .listen_port = std::uint16_t{0}}); !status) return status;
  const wireguard::PeerChange change{.public_key = peer.public_key,
                                     .endpoint = peer.endpoint,
                                     .allowed_ips = std::vector{model::IpPrefix(peer.address, peer.address.bits())},
                                     .persistent_keepalive = kKeepalive};
  const model::InterfaceAddress address{own, own.bits()};
  if (auto status = network_->add_address(ifindex_, address, network::PrefixRoute::kNone); !status) return status;
  if (auto status = network_->set_link(ifindex_, {.mtu = kMtu, .up = true, .alias = {}}); !status) return status;
  if (const auto failures = device_->apply(std::span(&change, 1)); !failures.empty())
    return fail(failures.front().error);
  const std::array routes{
      network::Route{.prefix = model::IpPrefix(peer.address, peer.address.bits()), .ifindex = ifindex_, .metric = {}}};
  return network::all_in_place(network_->add_routes(routes));
}

bool Tunnel::has_shaken_hands() {
  const auto state = device_->dump();
  return state && !state->peers.empty() && state->peers.front().latest_handshake != wireguard::HandshakeTime{};
}

}  // namespace anubis::cli
