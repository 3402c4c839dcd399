#include "lib/interop/phone.h"

#include <algorithm>
#include <utility>

#include "lib/config/side_address.h"

namespace anubis::interop {
namespace {

using model::IpAddress;
using model::IpPrefix;

model::InterfaceAddress alone(const IpAddress& address) { return {address, address.bits()}; }
IpPrefix range_of(const IpAddress& address) { return {address, address.bits()}; }
model::HostPort literal(const model::Endpoint& endpoint) { return {endpoint.address.to_string(), endpoint.port}; }

IpAddress side_address_of(const Phone& phone, const config::Config& server) {
  if (phone.side_address) return *phone.side_address;
  return config::derive_side_address(crypto::SidePublicKey(phone.public_key), server.side.prefix);
}

}  // namespace

config::WgQuickFile tunnel_of(const Phone& phone, std::optional<crypto::PrivateKey> private_key,
                              const config::Config& server) {
  config::WgQuickFile file;
  file.interface.private_key = std::move(private_key);
  for (const IpAddress& address : phone.addresses) file.interface.addresses.push_back(alone(address));
  file.interface.addresses.push_back(alone(side_address_of(phone, server)));
  file.interface.dns_servers = phone.dns_servers;
  file.interface.dns_search = phone.dns_search;
  file.interface.mtu = server.production.mtu;

  config::WgQuickPeer side;
  side.public_key = server.side.public_key;
  side.allowed_ips = {range_of(server.side.address)};
  side.endpoint = literal(phone.side_endpoint);
  config::WgQuickPeer production;
  production.public_key = server.production.public_key;
  production.allowed_ips = phone.reaches;
  production.endpoint = literal(phone.endpoint);
  production.persistent_keepalive = phone.persistent_keepalive;
  file.peers.push_back(std::move(side));
  file.peers.push_back(std::move(production));
  return file;
}

PlainPeer entry_of(const Phone& phone) {
  PlainPeer entry{
      .name = phone.name, .public_key = phone.public_key, .side_address = phone.side_address, .lease = phone.lease};
  for (const IpAddress& address : phone.addresses) entry.allowed_ips.push_back(range_of(address));
  return entry;
}

std::vector<IpPrefix> own_networks(const config::Config& config) {
  std::vector<IpPrefix> networks;
  for (const auto& each : config.production.addresses) {
    const IpPrefix network(each.address, each.length);
    if (std::ranges::find(networks, network) == networks.end()) networks.push_back(network);
  }
  return networks;
}

}  // namespace anubis::interop
