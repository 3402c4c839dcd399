#include <algorithm>
#include <array>
#include <cstring>

#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include "lib/wireguard/netlink_attribute.h"
#include "lib/wireguard/netlink_message.h"

namespace anubis::wireguard {
namespace {

using KeyBytes = std::array<std::uint8_t, WG_KEY_LEN>;

// struct __kernel_timespec.
struct KernelTime {
  std::int64_t seconds;
  std::int64_t nanoseconds;
};

// Sets the variable when the attribute has the right size.
template <class T, class U>
bool read(const Attribute& attribute, U& out) {
  const auto value = attribute.as<T>();
  if (value) out = static_cast<U>(*value);
  return value.has_value();
}

bool read_endpoint(const Attribute& attribute, std::optional<model::Endpoint>& out) {
  if (const auto v4 = attribute.as<sockaddr_in>(); v4 && v4->sin_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4->sin_addr, bytes.size());
    out = model::Endpoint{model::IpAddress::v4(bytes), ntohs(v4->sin_port), 0};
    return true;
  }
  if (const auto v6 = attribute.as<sockaddr_in6>(); v6 && v6->sin6_family == AF_INET6) {
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
    out = model::Endpoint{model::IpAddress::v6(bytes), ntohs(v6->sin6_port), v6->sin6_scope_id};
    return true;
  }
  return false;
}

bool read_allowed_ip(std::span<const std::uint8_t> attributes, std::vector<model::IpPrefix>& out) {
  std::optional<std::uint16_t> family;
  std::optional<std::uint8_t> length;
  std::span<const std::uint8_t> bytes;
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    if (attribute->type == WGALLOWEDIP_A_FAMILY) family = attribute->as<std::uint16_t>();
    if (attribute->type == WGALLOWEDIP_A_CIDR_MASK) length = attribute->as<std::uint8_t>();
    if (attribute->type == WGALLOWEDIP_A_IPADDR) bytes = attribute->payload;
  }
  if (reader.malformed() || !family || !length) return false;
  if (*family == AF_INET && bytes.size() == 4 && *length <= 32) {
    out.emplace_back(model::IpAddress::v4(bytes.first<4>()), *length);
    return true;
  }
  if (*family == AF_INET6 && bytes.size() == 16 && *length <= 128) {
    out.emplace_back(model::IpAddress::v6(bytes.first<16>()), *length);
    return true;
  }
  return false;
}

bool read_allowed_ips(std::span<const std::uint8_t> attributes, std::vector<model::IpPrefix>& out) {
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    if (!read_allowed_ip(attribute->payload, out)) return false;
  }
  return !reader.malformed();
}

bool read_preshared_key(std::span<const std::uint8_t> payload,
                        std::shared_ptr<const crypto::WireGuardPresharedKey>& out) {
  base::Secret<crypto::kKeySize> secret;
  if (payload.size() != secret.kSize) return false;
  std::ranges::copy(payload, secret.writable().begin());
  if (!secret.equals({})) out = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
  return true;
}

// What is unknown is passed over: later kernels may tell more.
bool read_peer(std::span<const std::uint8_t> attributes, PeerState& peer) {
  bool has_key = false;
  bool good = true;
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    switch (attribute->type) {
      case WGPEER_A_PUBLIC_KEY:
        has_key = read<KeyBytes>(*attribute, peer.public_key.bytes);
        break;
      case WGPEER_A_PRESHARED_KEY:
        good &= read_preshared_key(attribute->payload, peer.preshared_key);
        break;
      case WGPEER_A_ENDPOINT:
        good &= read_endpoint(*attribute, peer.endpoint);
        break;
      case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
        good &= read<std::uint16_t>(*attribute, peer.persistent_keepalive);
        break;
      case WGPEER_A_LAST_HANDSHAKE_TIME: {
        const auto time = attribute->as<KernelTime>();
        good &= time.has_value();
        if (time) peer.latest_handshake = to_handshake_time(time->seconds, time->nanoseconds);
        break;
      }
      case WGPEER_A_RX_BYTES:
        good &= read<std::uint64_t>(*attribute, peer.rx_bytes);
        break;
      case WGPEER_A_TX_BYTES:
        good &= read<std::uint64_t>(*attribute, peer.tx_bytes);
        break;
      case WGPEER_A_ALLOWEDIPS:
        good &= read_allowed_ips(attribute->payload, peer.allowed_ips);
        break;
    }
  }
  return good && has_key && !reader.malformed();
}

}  // namespace

std::optional<std::uint16_t> parse_family(std::span<const std::uint8_t> attributes) {
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    if (attribute->type == CTRL_ATTR_FAMILY_ID) return attribute->as<std::uint16_t>();
  }
  return std::nullopt;
}

bool DeviceParser::feed(std::span<const std::uint8_t> attributes) {
  DeviceInfo info;
  KeyBytes key{};
  bool good = true;
  std::span<const std::uint8_t> peers;
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    switch (attribute->type) {
      case WGDEVICE_A_IFINDEX:
        good &= read<std::uint32_t>(*attribute, info.ifindex);
        break;
      case WGDEVICE_A_PUBLIC_KEY:
        good &= read<KeyBytes>(*attribute, key);
        info.public_key = crypto::PublicKey{key};
        break;
      case WGDEVICE_A_LISTEN_PORT:
        good &= read<std::uint16_t>(*attribute, info.listen_port);
        break;
      case WGDEVICE_A_FWMARK:
        good &= read<std::uint32_t>(*attribute, info.fwmark);
        break;
      case WGDEVICE_A_PEERS:
        peers = attribute->payload;
        break;
    }
  }
  if (!good || reader.malformed()) return false;
  // Only the first message describes the device.
  if (!begun_) visitor_.begin(info);
  begun_ = true;
  return feed_peers(peers);
}

bool DeviceParser::feed_peers(std::span<const std::uint8_t> attributes) {
  AttributeReader reader(attributes);
  while (const auto attribute = reader.next()) {
    PeerState peer;
    if (!read_peer(attribute->payload, peer)) return false;
    if (pending_ && pending_->public_key == peer.public_key) {
      // The same peer, continued: the key and more allowed IPs.
      pending_->allowed_ips.insert(pending_->allowed_ips.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
      continue;
    }
    if (pending_) visitor_.peer(std::move(*pending_));
    pending_ = std::move(peer);
  }
  return !reader.malformed();
}

void DeviceParser::finish() {
  if (pending_) visitor_.peer(std::move(*pending_));
  pending_.reset();
}

}  // namespace anubis::wireguard
