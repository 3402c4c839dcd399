#include "lib/wireguard/netlink_message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include "lib/wireguard/batch.h"

namespace anubis::wireguard {
namespace {

// What a peer needs beside its allowed IPs (keys 36 each, endpoint 32, numbers 8 each, nests 4 each), and what one
// allowed IP needs (IPv6 24, family 8, length 8, nest 4): a bit more than that.
constexpr std::size_t kPeerRoom = 192;
constexpr std::size_t kAllowedIpRoom = 48;

bool has_room(const nlmsghdr* message, std::size_t room) { return message->nlmsg_len + room <= Message::kCapacity; }

void put_endpoint(nlmsghdr* message, const model::Endpoint& endpoint) {
  switch (endpoint.address.family()) {
    case model::Family::kV4: {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(endpoint.port);
      std::memcpy(&address.sin_addr, endpoint.address.bytes().data(), sizeof address.sin_addr);
      mnl_attr_put(message, WGPEER_A_ENDPOINT, sizeof address, &address);
      return;
    }
    case model::Family::kV6: {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(endpoint.port);
      address.sin6_scope_id = endpoint.scope_id;
      std::memcpy(&address.sin6_addr, endpoint.address.bytes().data(), sizeof address.sin6_addr);
      mnl_attr_put(message, WGPEER_A_ENDPOINT, sizeof address, &address);
      return;
    }
  }
}

void put_allowed_ip(nlmsghdr* message, const model::IpPrefix& prefix) {
  nlattr* const nest = mnl_attr_nest_start(message, 0);
  mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, prefix.family() == model::Family::kV4 ? AF_INET : AF_INET6);
  mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, prefix.address().bytes().size(), prefix.address().bytes().data());
  mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, prefix.length());
  mnl_attr_nest_end(message, nest);
}

std::uint32_t flags_of(const PeerChange& change, bool continued) {
  constexpr std::uint32_t kUpdateOnly = WGPEER_F_UPDATE_ONLY;
  // A continuation never brings a peer back that has gone meanwhile.
  if (continued) return kUpdateOnly;
  const bool replaces = change.allowed_ips && !change.adds_allowed_ips;
  const std::uint32_t replace = replaces ? std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS} : 0;
  switch (change.action) {
    case PeerAction::kRemove:
      return WGPEER_F_REMOVE_ME;
    case PeerAction::kSet:
      return replace;
    case PeerAction::kUpdateOnly:
      return kUpdateOnly | replace;
  }
  return 0;
}

}  // namespace

Message::Message() : buffer_(std::make_unique<std::uint8_t[]>(kCapacity)) { mnl_nlmsg_put_header(buffer_.get()); }

Message::~Message() {
  if (buffer_) explicit_bzero(buffer_.get(), header()->nlmsg_len);
}

nlmsghdr* Message::header() const { return static_cast<nlmsghdr*>(static_cast<void*>(buffer_.get())); }

std::span<const std::uint8_t> Message::bytes() const { return {buffer_.get(), header()->nlmsg_len}; }

void Message::set_sequence(std::uint32_t sequence) { header()->nlmsg_seq = sequence; }

nlmsghdr* Message::start(std::uint16_t type, std::uint16_t flags, std::uint8_t command, std::uint8_t version) {
  nlmsghdr* const message = mnl_nlmsg_put_header(buffer_.get());
  message->nlmsg_type = type;
  message->nlmsg_flags = flags;
  const genlmsghdr generic{.cmd = command, .version = version, .reserved = 0};
  std::memcpy(mnl_nlmsg_put_extra_header(message, sizeof generic), &generic, sizeof generic);
  return message;
}

Message build_get_family() {
  Message built;
  nlmsghdr* const message = built.start(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
  mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
  return built;
}

Message build_get_device(const Target& target) {
  Message built;
  nlmsghdr* const message = built.start(target.family, NLM_F_REQUEST | NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);
  mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, std::string(target.interface).c_str());
  return built;
}

Message build_set_device(const Target& target, const Configuration& configuration) {
  Message built;
  nlmsghdr* const message = built.start(target.family, NLM_F_REQUEST | NLM_F_ACK, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
  mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, std::string(target.interface).c_str());
  if (configuration.private_key != nullptr) {
    const auto key = configuration.private_key->view();
    mnl_attr_put(message, WGDEVICE_A_PRIVATE_KEY, key.size(), key.data());
  }
  if (configuration.listen_port) mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, *configuration.listen_port);
  if (configuration.fwmark) mnl_attr_put_u32(message, WGDEVICE_A_FWMARK, *configuration.fwmark);
  return built;
}

std::optional<Message> PeerMessages::next() {
  if (change_ == changes_.size()) return std::nullopt;
  Message built;
  nlmsghdr* const message = built.start(target_.family, NLM_F_REQUEST | NLM_F_ACK, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
  mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, std::string(target_.interface).c_str());
  nlattr* const peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
  for (std::size_t count = 0; count < kMaxPeersPerBatch && change_ < changes_.size(); ++count) {
    if (!has_room(message, kPeerRoom + kAllowedIpRoom) || !put_peer(message)) break;
  }
  mnl_attr_nest_end(message, peers);
  return built;
}

bool PeerMessages::put_peer(nlmsghdr* message) {
  const PeerChange& change = changes_[change_];
  const bool continued = allowed_ip_ != 0;
  nlattr* const peer = mnl_attr_nest_start(message, 0);
  mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, change.public_key.bytes.size(), change.public_key.bytes.data());
  mnl_attr_put_u32(message, WGPEER_A_FLAGS, flags_of(change, continued));
  bool complete = true;
  if (change.action != PeerAction::kRemove) {
    if (!continued && change.preshared_key) {
      const auto key = change.preshared_key->view();
      mnl_attr_put(message, WGPEER_A_PRESHARED_KEY, key.size(), key.data());
    }
    if (!continued && change.endpoint) put_endpoint(message, *change.endpoint);
    if (change.allowed_ips && !change.allowed_ips->empty()) {
      nlattr* const nest = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
      while (allowed_ip_ < change.allowed_ips->size() && has_room(message, kAllowedIpRoom)) {
        put_allowed_ip(message, (*change.allowed_ips)[allowed_ip_++]);
      }
      mnl_attr_nest_end(message, nest);
      complete = allowed_ip_ == change.allowed_ips->size();
    }
    if (complete && change.persistent_keepalive) {
      mnl_attr_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *change.persistent_keepalive);
    }
  }
  mnl_attr_nest_end(message, peer);
  if (complete) {
    ++change_;
    allowed_ip_ = 0;
  }
  return complete;
}

}  // namespace anubis::wireguard
