#include "lib/wireguard/uapi.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

using State = UapiReplyParser::State;

const std::string kSeventeens = "17171717";

std::string hex_key(std::uint8_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = kSeventeens;
  text += {kDigits[number >> 4], kDigits[number & 15]};
  text += "000000";
  for (int i = 0; i < 6; ++i) text += kSeventeens;
  return text;
}

TEST(UapiBuild, ConfigurationNamesOnlyWhatIsGiven) {
  const auto own = private_key(0);
  EXPECT_EQ(build_uapi_set({&own, 4296, 0x4a11}).text(),
            "set=1\nprivate_key=4242424242424242000000004242424242424242424242424242424242424242\n"
            "listen_port=4296\nfwmark=18961\n\n");
  EXPECT_EQ(build_uapi_set(Configuration{nullptr, {}, 0}).text(), "set=1\nfwmark=0\n\n");
}

TEST(UapiBuild, ChangesInOrderWithTheKeepaliveLast) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), std::uint8_t{0x5a});
  auto link_local = endpoint("fe80::1", 1);
  link_local.scope_id = 3;
  const std::vector<PeerChange> changes{
      {.public_key = cheap_key(0), .action = PeerAction::kRemove, .persistent_keepalive = 9},
      {.public_key = cheap_key(0),
       .endpoint = endpoint("192.0.2.1", 4296),
       .allowed_ips = prefixes({"10.1.0.0/16", "fd44::/64"}),
       .persistent_keepalive = 25,
       .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))},
      {.public_key = cheap_key(1), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0},
      {.public_key = cheap_key(2), .endpoint = link_local, .allowed_ips = prefixes({})}};
  EXPECT_EQ(build_uapi_set(changes).text(),
            "set=1\n"
            "public_key=" +
                hex_key(0) +
                "\nremove=true\n"
                "public_key=" +
                hex_key(0) +
                "\npreshared_key="
                "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"
                "endpoint=192.0.2.1:4296\nreplace_allowed_ips=true\nallowed_ip=10.1.0.0/16\nallowed_ip=fd44::/64\n"
                "persistent_keepalive_interval=25\n"
                "public_key=" +
                hex_key(1) +
                "\nupdate_only=true\npersistent_keepalive_interval=0\n"
                "public_key=" +
                hex_key(2) +
                "\nendpoint=[fe80::1%3]:1\nreplace_allowed_ips=true\n"
                "\n");
}

TEST(UapiBuild, LongestRequestStaysWithinWhatWasReserved) {
  const model::IpPrefix longest(model::IpAddress::parse("1111:1111:1111:1111:1111:1111:1111:1111").value(), 128);
  auto far = endpoint("1111:1111:1111:1111:1111:1111:1111:1111", 65535);
  far.scope_id = 4'000'000'000;
  const std::vector<PeerChange> changes(
      64, {.public_key = cheap_key(0),
           .action = PeerAction::kUpdateOnly,
           .endpoint = far,
           .allowed_ips = std::vector(100, longest),
           .persistent_keepalive = 65535,
           .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(base::Secret<crypto::kKeySize>{})});
  const auto request = build_uapi_set(changes);
  // Growing would have left copies of the keys behind.
  EXPECT_LE(request.text().size(), request.capacity());
}

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

const DerivePublicKey kCheaply = [](const crypto::PrivateKey&) { return cheap_key(1); };  // where it does not matter
const DerivePublicKey kDerive = [](const crypto::PrivateKey& key) { return key.derive_public_key(); };

// As wireguard-go 0.0.20220316 writes it, and a line of a later one.
const std::string kReply =
    "private_key=4242424242424242010000004242424242424242424242424242424242424242\n"
    "listen_port=4296\nfwmark=9\njc=4\n"
    "public_key=" +
    hex_key(1) +
    "\n"
    "preshared_key=0000000000000000000000000000000000000000000000000000000000000000\n"
    "protocol_version=1\nendpoint=192.0.2.1:4296\nlast_handshake_time_sec=1790000000\n"
    "last_handshake_time_nsec=5\ntx_bytes=1\nrx_bytes=4294967296\npersistent_keepalive_interval=25\n"
    "allowed_ip=10.1.0.0/16\nallowed_ip=fd44::/64\n"
    "public_key=" +
    hex_key(2) +
    "\n"
    "preshared_key=0100000000000000000000000000000000000000000000000000000000000000\n"
    "protocol_version=1\nendpoint=[fe80::1%3]:65535\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\n"
    "tx_bytes=0\nrx_bytes=0\npersistent_keepalive_interval=0\n"
    "errno=0\n\n";

void expect_reply(const Collector& collector) {
  EXPECT_EQ(collector.begins, 1);
  EXPECT_EQ(collector.state.public_key, public_key(1));
  EXPECT_EQ(collector.state.listen_port, 4296);
  EXPECT_EQ(collector.state.fwmark, 9u);
  ASSERT_EQ(collector.state.peers.size(), 2u);
  const auto& first = collector.state.peers[0];
  EXPECT_EQ(first.public_key, cheap_key(1));
  EXPECT_FALSE(first.preshared_key);
  EXPECT_EQ(first.endpoint, endpoint("192.0.2.1", 4296));
  EXPECT_EQ(first.latest_handshake, to_handshake_time(1'790'000'000, 5));
  EXPECT_EQ(first.tx_bytes, 1u);
  EXPECT_EQ(first.rx_bytes, 0x1'0000'0000u);
  EXPECT_EQ(first.persistent_keepalive, 25);
  EXPECT_EQ(first.allowed_ips, prefixes({"10.1.0.0/16", "fd44::/64"}));
  const auto& second = collector.state.peers[1];
  EXPECT_TRUE(second.preshared_key);
  EXPECT_EQ(second.endpoint.value().scope_id, 3u);
  EXPECT_EQ(second.endpoint.value().port, 65535);
  EXPECT_EQ(second.latest_handshake, HandshakeTime{});
  EXPECT_TRUE(second.allowed_ips.empty());
}

TEST(UapiParse, ReplyInOnePiece) {
  Collector collector;
  UapiReplyParser parser(collector, kDerive);
  EXPECT_EQ(parser.feed(kReply), State::kDone);
  EXPECT_EQ(parser.error(), 0);
  expect_reply(collector);
}

TEST(UapiParse, ReplyInPiecesOfEverySize) {
  for (std::size_t size = 1; size < 200; ++size) {
    Collector collector;
    UapiReplyParser parser(collector, kDerive);
    std::string_view rest = kReply;
    auto state = State::kMore;
    while (!rest.empty()) {
      ASSERT_EQ(state, State::kMore);
      state = parser.feed(rest.substr(0, size));
      rest.remove_prefix(std::min(size, rest.size()));
    }
    ASSERT_EQ(state, State::kDone);
    expect_reply(collector);
  }
}

TEST(UapiParse, CutReplyIsNeverDone) {
  for (std::size_t size = 0; size < kReply.size(); ++size) {
    Collector collector;
    UapiReplyParser parser(collector, kCheaply);
    ASSERT_EQ(parser.feed(std::string_view(kReply).substr(0, size)), State::kMore) << size;
  }
}

TEST(UapiParse, DeviceWithoutAnything) {
  Collector collector;
  UapiReplyParser parser(collector, kDerive);
  EXPECT_EQ(parser.feed("errno=0\n\n"), State::kDone);
  EXPECT_EQ(collector.begins, 1);
  EXPECT_EQ(collector.state.public_key, std::nullopt);
}

TEST(UapiParse, ErrorsOfEitherSign) {
  for (const std::string_view reply : {"errno=-98\n\n", "errno=98\n\n"}) {
    UapiReplyParser parser;
    EXPECT_EQ(parser.feed(reply), State::kDone);
    EXPECT_EQ(parser.error(), 98);
  }
  UapiReplyParser fine;
  EXPECT_EQ(fine.feed("errno=0\n\n"), State::kDone);
  EXPECT_EQ(fine.error(), 0);
}

TEST(UapiParse, MalformedRepliesAreRefused) {
  const std::string peer = "public_key=" + hex_key(1) + "\n";
  const std::string replies[] = {"\n",
                                 "errno\n",
                                 "errno=\n",
                                 "errno=x\n",
                                 "errno=0x1\n",
                                 "errno=5000\n",
                                 "errno=-9223372036854775808\n",
                                 "errno=0\nerrno=0\n",
                                 "errno=0\n\nx",
                                 "errno=0\nlisten_port=1\n",
                                 "listen_port=65536\n",
                                 "listen_port=-1\n",
                                 "listen_port= 1\n",
                                 "fwmark=4294967296\n",
                                 "private_key=42\n",
                                 "private_key=" + std::string(64, 'g') + "\n",
                                 "public_key=\n",
                                 "public_key=" + hex_key(1) + "00\n",
                                 peer + "preshared_key=00\n",
                                 peer + "endpoint=\n",
                                 peer + "endpoint=192.0.2.1\n",
                                 peer + "endpoint=192.0.2.1:65536\n",
                                 peer + "endpoint=[192.0.2.1]:1\n",
                                 peer + "endpoint=fe80::1:1\n",
                                 peer + "endpoint=[fe80::1:1\n",
                                 peer + "endpoint=name:1\n",
                                 peer + "allowed_ip=10.0.0.0/33\n",
                                 peer + "allowed_ip=\n",
                                 peer + "rx_bytes=18446744073709551616\n",
                                 peer + "persistent_keepalive_interval=65536\n",
                                 peer + "last_handshake_time_sec=1e9\n",
                                 std::string(2000, 'a'),
                                 std::string(2000, 'a') + "=1\n"};
  for (const auto& reply : replies) {
    Collector collector;
    UapiReplyParser parser(collector, kDerive);
    EXPECT_EQ(parser.feed(reply), State::kMalformed) << reply;
    EXPECT_EQ(parser.feed("errno=0\n\n"), State::kMalformed) << "stays malformed: " << reply;
  }
  // Nothing but an error may answer a set.
  UapiReplyParser parser;
  EXPECT_EQ(parser.feed("listen_port=1\n"), State::kMalformed);
}

TEST(UapiParse, MangledRepliesNeverDoHarm) {
  std::mt19937 random(20261120);
  for (int round = 0; round < 20'000; ++round) {
    auto mangled = kReply;
    for (int changes = 0; changes < 3; ++changes) mangled[random() % mangled.size()] = static_cast<char>(random());
    Collector collector;
    UapiReplyParser parser(collector, kCheaply);
    (void)parser.feed(mangled);
    EXPECT_LE(collector.state.peers.size(), 3u);
  }
}

}  // namespace
}  // namespace anubis::wireguard
