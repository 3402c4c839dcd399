#include "lib/wireguard/netlink_message.h"

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "lib/wireguard/batch.h"
#include "lib/wireguard/netlink_attribute.h"
#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

constexpr Target kTarget{.family = 0x23, .interface = "wg0"};

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const auto byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

struct AllowedIp {
  std::string address;
  int length;
};

// A peer of a request, taken apart again.
struct SentPeer {
  crypto::PublicKey public_key;
  std::uint32_t flags = 0;
  std::map<int, std::vector<std::uint8_t>> attributes;
  std::size_t allowed_ips = 0;
};

std::vector<SentPeer> peers_of(const Message& message) {
  std::vector<SentPeer> peers;
  AttributeReader device(message.bytes().subspan(NLMSG_HDRLEN + GENL_HDRLEN));
  while (const auto attribute = device.next()) {
    if (attribute->type != WGDEVICE_A_PEERS) continue;
    AttributeReader list(attribute->payload);
    while (const auto nest = list.next()) {
      auto& peer = peers.emplace_back();
      AttributeReader reader(nest->payload);
      while (const auto field = reader.next()) {
        peer.attributes[field->type].assign(field->payload.begin(), field->payload.end());
        if (field->type == WGPEER_A_PUBLIC_KEY)
          peer.public_key.bytes = field->as<decltype(crypto::PublicKey::bytes)>().value();
        if (field->type == WGPEER_A_FLAGS) peer.flags = field->as<std::uint32_t>().value();
        if (field->type != WGPEER_A_ALLOWEDIPS) continue;
        AttributeReader ips(field->payload);
        while (ips.next()) ++peer.allowed_ips;
        EXPECT_FALSE(ips.malformed());
      }
      EXPECT_FALSE(reader.malformed());
    }
    EXPECT_FALSE(list.malformed());
  }
  EXPECT_FALSE(device.malformed());
  return peers;
}

std::vector<Message> all_messages(std::span<const PeerChange> changes) {
  std::vector<Message> result;
  PeerMessages messages(kTarget, changes);
  while (auto message = messages.next()) result.push_back(std::move(*message));
  return result;
}

// Attributes a line each, their fields apart: length, type, payload, padding.
std::string lines(std::initializer_list<std::string> texts) {
  std::string result;
  for (const auto& text : texts) result += text;
  std::erase(result, ' ');
  return result;
}

TEST(NetlinkMessage, GetFamilyToTheByte) {
  EXPECT_EQ(hex(build_get_family().bytes()), lines({
                                                 "24000000 1000 0500 00000000 00000000",  // GENL_ID_CTRL, REQUEST | ACK
                                                 "03 01 0000",  // CTRL_CMD_GETFAMILY, version 1
                                                 "0e00 0200 776972656775617264 00 0000",  // CTRL_ATTR_FAMILY_NAME
                                             }));
}

TEST(NetlinkMessage, GetDeviceToTheByte) {
  auto message = build_get_device(kTarget);
  message.set_sequence(0x01020304);
  EXPECT_EQ(hex(message.bytes()), lines({
                                      "1c000000 2300 0103 04030201 00000000",  // the family, REQUEST | DUMP
                                      "00 01 0000",                            // WG_CMD_GET_DEVICE, version 1
                                      "0800 0200 77673000",                    // WGDEVICE_A_IFNAME "wg0"
                                  }));
}

TEST(NetlinkMessage, SetDeviceNamesOnlyWhatIsGiven) {
  const auto own = private_key(1);
  const auto all = build_set_device(kTarget, {&own, 4296, 0x4a11});
  EXPECT_EQ(hex(all.bytes().subspan(NLMSG_HDRLEN)), lines({
                                                        "01 01 0000",                   // WG_CMD_SET_DEVICE
                                                        "0800 0200 77673000",           // WGDEVICE_A_IFNAME
                                                        "2400 0300" + hex(own.view()),  // WGDEVICE_A_PRIVATE_KEY
                                                        "0600 0600 c810 0000",          // WGDEVICE_A_LISTEN_PORT
                                                        "0800 0700 114a0000",           // WGDEVICE_A_FWMARK
                                                    }));
  const auto mark = build_set_device(kTarget, {nullptr, {}, 0});
  EXPECT_EQ(hex(mark.bytes().subspan(NLMSG_HDRLEN)), lines({"01 01 0000", "0800 0200 77673000", "0800 0700 00000000"}));
}

TEST(NetlinkMessage, SetPeerToTheByte) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), std::uint8_t{0x5a});
  const std::vector<PeerChange> changes{
      {.public_key = cheap_key(0),
       .endpoint = endpoint("192.0.2.1", 4296),
       .allowed_ips = prefixes({"10.1.0.0/16", "fd44::/64"}),
       .persistent_keepalive = 25,
       .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))}};
  const auto messages = all_messages(changes);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(hex(messages[0].bytes().subspan(NLMSG_HDRLEN)),
            lines({
                "01 01 0000",                                                       // WG_CMD_SET_DEVICE
                "0800 0200 77673000",                                               // WGDEVICE_A_IFNAME
                "bc00 0880",                                                        // WGDEVICE_A_PEERS
                "b800 0080",                                                        // the peer
                "2400 0100" + repeated("17", 4) + "00000000" + repeated("17", 24),  // WGPEER_A_PUBLIC_KEY
                "0800 0300 02000000",                             // WGPEER_A_FLAGS: REPLACE_ALLOWEDIPS
                "2400 0200" + repeated("5a", 32),                 // WGPEER_A_PRESHARED_KEY
                "1400 0400 0200 10c8 c0000201 0000000000000000",  // WGPEER_A_ENDPOINT
                "4800 0980",                                      // WGPEER_A_ALLOWEDIPS
                "1c00 0080",                                      // the first
                "0600 0100 0200 0000",                            // WGALLOWEDIP_A_FAMILY
                "0800 0200 0a010000",                             // WGALLOWEDIP_A_IPADDR
                "0500 0300 10 000000",                            // WGALLOWEDIP_A_CIDR_MASK
                "2800 0080",                                      // the second
                "0600 0100 0a00 0000", "1400 0200 fd440000000000000000000000000000", "0500 0300 40 000000",
                "0600 0500 1900 0000",  // WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL
            }));
}

TEST(NetlinkMessage, ActionsBecomeFlags) {
  const std::vector<PeerChange> changes{
      {.public_key = cheap_key(0)},
      {.public_key = cheap_key(1), .allowed_ips = prefixes({})},
      {.public_key = cheap_key(2), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0},
      {.public_key = cheap_key(3), .action = PeerAction::kUpdateOnly, .allowed_ips = prefixes({"10.0.0.0/8"})},
      {.public_key = cheap_key(4),
       .action = PeerAction::kRemove,
       .endpoint = endpoint("192.0.2.1", 1),
       .allowed_ips = prefixes({"10.0.0.0/8"}),
       .persistent_keepalive = 5}};
  const auto messages = all_messages(changes);
  ASSERT_EQ(messages.size(), 1u);
  const auto peers = peers_of(messages[0]);
  ASSERT_EQ(peers.size(), 5u);
  EXPECT_EQ(peers[0].flags, 0u);
  EXPECT_EQ(peers[0].attributes.size(), 2u);
  EXPECT_EQ(peers[1].flags, std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
  EXPECT_EQ(peers[2].flags, std::uint32_t{WGPEER_F_UPDATE_ONLY});
  EXPECT_EQ(peers[2].attributes.at(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL), (std::vector<std::uint8_t>{0, 0}));
  EXPECT_EQ(peers[3].flags, std::uint32_t{WGPEER_F_UPDATE_ONLY} | std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
  EXPECT_EQ(peers[4].flags, std::uint32_t{WGPEER_F_REMOVE_ME});
  EXPECT_EQ(peers[4].attributes.size(), 2u);
}

TEST(NetlinkMessage, RecreationKeepsItsOrder) {
  const std::vector<PeerChange> changes{{.public_key = cheap_key(0), .action = PeerAction::kRemove},
                                        {.public_key = cheap_key(0)}};
  const auto peers = peers_of(all_messages(changes).at(0));
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].flags, std::uint32_t{WGPEER_F_REMOVE_ME});
  EXPECT_EQ(peers[1].flags, 0u);
}

TEST(NetlinkMessage, LinkLocalEndpointKeepsItsScope) {
  auto change = PeerChange{.public_key = cheap_key(0), .endpoint = endpoint("fe80::1", 4296)};
  change.endpoint->scope_id = 3;
  const auto peers = peers_of(all_messages({&change, 1}).at(0));
  EXPECT_EQ(hex(peers.at(0).attributes.at(WGPEER_A_ENDPOINT)),
            "0a00"
            "10c8"
            "00000000"
            "fe800000000000000000000000000001"
            "03000000");
}

TEST(NetlinkMessage, ManyPeersTakeFewMessages) {
  std::vector<PeerChange> changes;
  for (std::uint32_t i = 0; i < 200; ++i) {
    changes.push_back({.public_key = cheap_key(i),
                       .endpoint = endpoint("2001:db8::1", 1),
                       .allowed_ips = prefixes({"10.0.0.1/32", "fd44::1/128"}),
                       .persistent_keepalive = 25});
  }
  const auto messages = all_messages(changes);
  ASSERT_EQ(messages.size(), 4u);
  std::uint32_t expected = 0;
  for (const auto& message : messages) {
    EXPECT_LE(message.bytes().size(), Message::kCapacity);
    const auto peers = peers_of(message);
    EXPECT_LE(peers.size(), kMaxPeersPerBatch);
    for (const auto& peer : peers) EXPECT_EQ(peer.public_key, cheap_key(expected++));
  }
  EXPECT_EQ(expected, 200u);
}

TEST(NetlinkMessage, AllowedIpsBeyondAMessageAreAddedByTheNext) {
  std::vector<PeerChange> changes{{.public_key = cheap_key(0),
                                   .endpoint = endpoint("192.0.2.1", 1),
                                   .allowed_ips = many_prefixes(1500),
                                   .persistent_keepalive = 25},
                                  {.public_key = cheap_key(1), .allowed_ips = prefixes({"10.9.0.0/16"})}};
  const auto messages = all_messages(changes);
  ASSERT_GE(messages.size(), 3u);
  std::size_t allowed_ips = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_LE(messages[i].bytes().size(), Message::kCapacity);
    const bool last = i + 1 == messages.size();
    const auto peers = peers_of(messages[i]);
    ASSERT_EQ(peers.size(), last ? 2u : 1u);
    allowed_ips += peers[0].allowed_ips;
    EXPECT_EQ(peers[0].public_key, cheap_key(0));
    EXPECT_EQ(peers[0].flags,
              i == 0 ? std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS} : std::uint32_t{WGPEER_F_UPDATE_ONLY});
    EXPECT_EQ(peers[0].attributes.contains(WGPEER_A_ENDPOINT), i == 0);
    // No handshake before all is in place.
    EXPECT_EQ(peers[0].attributes.contains(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL), last);
  }
  EXPECT_EQ(allowed_ips, 1500u);
  EXPECT_EQ(peers_of(messages.back())[1].flags, std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
}

TEST(NetlinkMessage, EveryNumberOfAllowedIpsIsSentOnce) {
  for (std::uint32_t count = 520; count < 620; ++count) {
    std::vector<PeerChange> changes{{.public_key = cheap_key(0), .allowed_ips = many_prefixes(count)},
                                    {.public_key = cheap_key(1), .allowed_ips = many_prefixes(count)}};
    std::map<crypto::PublicKey, std::size_t> sent;
    for (const auto& message : all_messages(changes)) {
      ASSERT_LE(message.bytes().size(), Message::kCapacity);
      for (const auto& peer : peers_of(message)) sent[peer.public_key] += peer.allowed_ips;
    }
    ASSERT_EQ(sent[cheap_key(0)], count);
    ASSERT_EQ(sent[cheap_key(1)], count);
  }
}

// A dump as the kernel writes it.
class Dumped {
 public:
  Dumped() { mnl_nlmsg_put_header(buffer_); }
  Dumped& device(std::uint16_t port) {
    mnl_attr_put_u16(header(), WGDEVICE_A_LISTEN_PORT, port);
    mnl_attr_put_u32(header(), WGDEVICE_A_FWMARK, 9);
    mnl_attr_put_u32(header(), WGDEVICE_A_IFINDEX, 5);
    mnl_attr_put_strz(header(), WGDEVICE_A_IFNAME, "wg0");
    const auto key = public_key(1);
    mnl_attr_put(header(), WGDEVICE_A_PRIVATE_KEY, 32, private_key(1).view().data());
    mnl_attr_put(header(), WGDEVICE_A_PUBLIC_KEY, 32, key.bytes.data());
    return *this;
  }
  Dumped& peer(const crypto::PublicKey& key, const std::vector<AllowedIp>& ips, bool continued = false) {
    nlattr* const list = mnl_attr_nest_start(header(), WGDEVICE_A_PEERS);
    nlattr* const nest = mnl_attr_nest_start(header(), 0);
    mnl_attr_put(header(), WGPEER_A_PUBLIC_KEY, 32, key.bytes.data());
    if (!continued) {
      const std::array<std::uint8_t, 32> preshared{0, 0, 1};
      mnl_attr_put(header(), WGPEER_A_PRESHARED_KEY, 32, preshared.data());
      const std::array<std::int64_t, 2> time{1'790'000'000, 5};
      mnl_attr_put(header(), WGPEER_A_LAST_HANDSHAKE_TIME, sizeof time, time.data());
      mnl_attr_put_u16(header(), WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
      mnl_attr_put_u64(header(), WGPEER_A_TX_BYTES, 1);
      mnl_attr_put_u64(header(), WGPEER_A_RX_BYTES, 0x1'0000'0000);
      mnl_attr_put_u32(header(), WGPEER_A_PROTOCOL_VERSION, 1);
      const std::array<std::uint8_t, 16> address{2, 0, 0x10, 0xc8, 192, 0, 2, 1};
      mnl_attr_put(header(), WGPEER_A_ENDPOINT, sizeof address, address.data());
    }
    nlattr* const allowed = mnl_attr_nest_start(header(), WGPEER_A_ALLOWEDIPS);
    for (const auto& ip : ips) {
      nlattr* const one = mnl_attr_nest_start(header(), 0);
      const auto parsed = model::IpAddress::parse(ip.address).value();
      mnl_attr_put_u8(header(), WGALLOWEDIP_A_CIDR_MASK, static_cast<std::uint8_t>(ip.length));
      mnl_attr_put_u16(header(), WGALLOWEDIP_A_FAMILY, parsed.bits() == 32 ? AF_INET : AF_INET6);
      mnl_attr_put(header(), WGALLOWEDIP_A_IPADDR, parsed.bytes().size(), parsed.bytes().data());
      mnl_attr_nest_end(header(), one);
    }
    mnl_attr_nest_end(header(), allowed);
    mnl_attr_put_u32(header(), 99, 0);  // of a later kernel
    mnl_attr_nest_end(header(), nest);
    mnl_attr_nest_end(header(), list);
    return *this;
  }
  [[nodiscard]] std::span<const std::uint8_t> attributes() const {
    std::uint32_t size = 0;  // nlmsg_len comes first
    std::memcpy(&size, buffer_, sizeof size);
    return std::span<const std::uint8_t>(buffer_).subspan(NLMSG_HDRLEN, size - NLMSG_HDRLEN);
  }

 private:
  [[nodiscard]] nlmsghdr* header() { return static_cast<nlmsghdr*>(static_cast<void*>(buffer_)); }

  alignas(nlmsghdr) std::uint8_t buffer_[4096] = {};
};

class Collector final : public DumpVisitor {
 public:
  void begin(const DeviceInfo& device) override {
    state = {device, {}};
    ++begins;
  }
  void peer(PeerState&& peer) override { state.peers.push_back(std::move(peer)); }
  DeviceState state;
  int begins = 0;
};

TEST(NetlinkParse, DeviceAndPeerWithAllThatTheKernelTells) {
  const auto dumped = Dumped().device(4296).peer(cheap_key(7), {{"10.1.0.0", 16}, {"fd44::", 64}, {"0.0.0.0", 0}});
  Collector collector;
  DeviceParser parser(collector);
  ASSERT_TRUE(parser.feed(dumped.attributes()));
  parser.finish();
  EXPECT_EQ(collector.state.public_key, public_key(1));
  EXPECT_EQ(collector.state.listen_port, 4296);
  EXPECT_EQ(collector.state.fwmark, 9u);
  EXPECT_EQ(collector.state.ifindex, 5u);
  ASSERT_EQ(collector.state.peers.size(), 1u);
  const auto& peer = collector.state.peers[0];
  EXPECT_EQ(peer.public_key, cheap_key(7));
  EXPECT_TRUE(peer.preshared_key);
  EXPECT_EQ(peer.endpoint, endpoint("192.0.2.1", 4296));
  EXPECT_EQ(peer.allowed_ips, prefixes({"10.1.0.0/16", "fd44::/64", "0.0.0.0/0"}));
  EXPECT_EQ(peer.persistent_keepalive, 25);
  EXPECT_EQ(peer.latest_handshake, to_handshake_time(1'790'000'000, 5));
  EXPECT_EQ(peer.rx_bytes, 0x1'0000'0000u);
  EXPECT_EQ(peer.tx_bytes, 1u);
}

TEST(NetlinkParse, PeersThatSpanMessagesArePutTogether) {
  Collector collector;
  DeviceParser parser(collector);
  ASSERT_TRUE(parser.feed(Dumped().device(1).peer(cheap_key(1), {{"10.1.0.0", 16}}).attributes()));
  ASSERT_TRUE(parser.feed(Dumped().peer(cheap_key(1), {{"10.2.0.0", 16}}, true).attributes()));
  ASSERT_TRUE(parser.feed(Dumped().peer(cheap_key(1), {{"10.3.0.0", 16}}, true).attributes()));
  ASSERT_TRUE(parser.feed(Dumped().peer(cheap_key(2), {}).attributes()));
  parser.finish();
  EXPECT_EQ(collector.begins, 1);
  EXPECT_EQ(collector.state.listen_port, 1);
  ASSERT_EQ(collector.state.peers.size(), 2u);
  EXPECT_EQ(collector.state.peers[0].allowed_ips, prefixes({"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"}));
  EXPECT_EQ(collector.state.peers[0].persistent_keepalive, 25);
  EXPECT_TRUE(collector.state.peers[1].allowed_ips.empty());
}

TEST(NetlinkParse, NonsenseIsRefused) {
  const auto refused = [](const Dumped& dumped) {
    Collector collector;
    return !DeviceParser(collector).feed(dumped.attributes());
  };
  EXPECT_FALSE(refused(Dumped().peer(cheap_key(1), {{"10.0.0.0", 32}})));
  EXPECT_TRUE(refused(Dumped().peer(cheap_key(1), {{"10.0.0.0", 33}})));
  EXPECT_TRUE(refused(Dumped().peer(cheap_key(1), {{"fd44::", 129}})));
}

TEST(NetlinkParse, TruncatedOrMangledBytesNeverDoHarm) {
  const auto dumped = Dumped().device(4296).peer(cheap_key(7), {{"10.1.0.0", 16}, {"fd44::", 64}});
  const std::vector<std::uint8_t> good(dumped.attributes().begin(), dumped.attributes().end());
  for (std::size_t size = 0; size < good.size(); ++size) {
    // On the heap at its exact size, so that the sanitizers see a read beyond the end.
    const std::vector<std::uint8_t> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    Collector collector;
    DeviceParser parser(collector);
    if (parser.feed(cut)) parser.finish();
  }
  std::mt19937 random(20261120);
  for (int round = 0; round < 20'000; ++round) {
    auto mangled = good;
    for (int changes = 0; changes < 3; ++changes)
      mangled[random() % mangled.size()] = static_cast<std::uint8_t>(random());
    Collector collector;
    DeviceParser parser(collector);
    if (parser.feed(mangled)) parser.finish();
    EXPECT_LE(collector.state.peers.size(), 2u);
  }
}

TEST(NetlinkParse, FamilyNumber) {
  alignas(nlmsghdr) std::uint8_t buffer[256] = {};
  nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
  mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, "wireguard");
  const auto attributes = [&] {
    return std::span<const std::uint8_t>(buffer).subspan(NLMSG_HDRLEN, message->nlmsg_len - NLMSG_HDRLEN);
  };
  EXPECT_EQ(parse_family(attributes()), std::nullopt);
  mnl_attr_put_u16(message, CTRL_ATTR_FAMILY_ID, 0x23);
  EXPECT_EQ(parse_family(attributes()), 0x23);
}

}  // namespace
}  // namespace anubis::wireguard
