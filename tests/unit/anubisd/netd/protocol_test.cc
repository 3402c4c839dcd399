#include "anubisd/netd/protocol.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anubisd/netd/firewall_report.h"
#include "lib/crypto/suites.h"
#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// With everything that its kind may carry.
Request full_request(const RequestKind& kind) {
  Request request{.operation = kind.operation};
  if (kind.interface == Field::kMust) request.interface = Interface::kSide;
  if (kind.peer == Field::kMust) request.peer = PeerIndex{0x01020304};
  if (kind.endpoint != Field::kNo) request.endpoint = endpoint("[2001:db8::1]:4296");
  if (kind.flags != Field::kNo) request.recreate = request.initiate_handshake = request.with_routes = true;
  if (kind.suite == Field::kMust) request.suite = crypto::Suite::kXChaCha20Poly1305;
  if (kind.preshared_key != Field::kNo) {
    request.preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(secret(7));
  }
  if (kind.newcomer != Field::kNo) {
    Newcomer& newcomer = request.newcomer.emplace();
    newcomer.public_key.bytes.fill(8);
    newcomer.side_public_key.bytes.fill(9);
    newcomer.proof.fill(10);
  }
  return request;
}

// With what it must carry.
Request bare_request(const RequestKind& kind) {
  Request request = full_request(kind);
  if (kind.endpoint == Field::kMay) request.endpoint.reset();
  request.recreate = request.initiate_handshake = request.with_routes = false;
  request.preshared_key.reset();
  return request;
}

std::vector<Request> all_requests() {
  std::vector<Request> all;
  for (const RequestKind& kind : table::kRows) {
    all.push_back(full_request(kind));
    all.push_back(bare_request(kind));
  }
  return all;
}

TEST(NetdRequest, ComesThroughAsItWas) {
  for (const Request& request : all_requests()) {
    const auto decoded = decode_request(encode(request));
    ASSERT_TRUE(decoded) << static_cast<int>(request.operation) << ": " << decoded.error().message;
    EXPECT_EQ(decoded->operation, request.operation);
    EXPECT_EQ(decoded->interface, request.interface);
    EXPECT_EQ(decoded->peer, request.peer);
    EXPECT_EQ(decoded->endpoint, request.endpoint);
    EXPECT_EQ(decoded->recreate, request.recreate);
    EXPECT_EQ(decoded->initiate_handshake, request.initiate_handshake);
    EXPECT_EQ(decoded->with_routes, request.with_routes);
    EXPECT_EQ(decoded->suite, request.suite);
    EXPECT_EQ(decoded->newcomer, request.newcomer);
    ASSERT_EQ(decoded->preshared_key == nullptr, request.preshared_key == nullptr);
    if (request.preshared_key) {
      EXPECT_TRUE(decoded->preshared_key->equals(*request.preshared_key));
    }
  }
}

TEST(NetdRequest, FlagsAreKeptApart) {
  for (const int flag : {0, 1, 2}) {
    Request request{.operation = Operation::kInstall};
    (flag == 0 ? request.recreate : flag == 1 ? request.initiate_handshake : request.with_routes) = true;
    const auto decoded = decode_request(encode(request));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->recreate, flag == 0);
    EXPECT_EQ(decoded->initiate_handshake, flag == 1);
    EXPECT_EQ(decoded->with_routes, flag == 2);
  }
}

TEST(NetdRequest, F26EveryTruncationAndOneByteMoreIsRefused) {
  for (const Request& request : all_requests()) {
    const RequestBytes bytes = encode(request);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_request(std::span(bytes).first(size)));
    std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
    longer.push_back(0);
    EXPECT_FALSE(decode_request(longer));
  }
}

// There is one form of each request: what a kind does not carry is refused, and nothing is overlooked.
TEST(NetdRequest, WhateverIsAcceptedHasNoOtherForm) {
  std::size_t refused = 0;
  std::size_t accepted = 0;
  for (const Request& request : all_requests()) {
    const RequestBytes good = encode(request);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const unsigned value : {0U, 1U, 2U, 4U, 6U, 8U, 0x80U, 0xffU}) {
        RequestBytes bytes = good;
        bytes[i] = static_cast<std::uint8_t>(value);
        const auto decoded = decode_request(bytes);
        decoded ? ++accepted : ++refused;
        if (decoded) {
          EXPECT_EQ(encode(*decoded), bytes) << "byte " << i << " = " << value;
        }
      }
    }
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(refused, 10'000u);
}

TEST(NetdRequest, UnknownNumbersAreRefused) {
  const auto with = [](const RequestKind& kind, std::size_t at, std::uint8_t value) {
    RequestBytes bytes = encode(full_request(kind));
    bytes[at] = value;
    return decode_request(bytes).has_value();
  };
  const RequestKind& tear_down = *find_kind(static_cast<std::uint8_t>(Operation::kTearDown));
  const RequestKind& bring_up = *find_kind(static_cast<std::uint8_t>(Operation::kBringUp));
  const RequestKind& install = *find_kind(static_cast<std::uint8_t>(Operation::kInstall));
  const RequestKind& keys = *find_kind(static_cast<std::uint8_t>(Operation::kMessageKeys));
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = static_cast<std::uint8_t>(value);
    const RequestKind* const kind = find_kind(byte);  // one that needs no more than zeros
    EXPECT_EQ(with(tear_down, 0, byte), kind != nullptr && kind->interface == Field::kNo &&
                                            kind->endpoint != Field::kMust && kind->suite == Field::kNo &&
                                            kind->newcomer == Field::kNo)
        << value;
    EXPECT_EQ(with(bring_up, 1, byte), byte == 1 || byte == 2) << value;
    EXPECT_EQ(with(install, 2, byte), byte < 16) << value;
    EXPECT_EQ(with(keys, 3, byte), crypto::find_suite(value).has_value()) << value;
    EXPECT_EQ(with(install, 8, byte), byte == 6) << value;   // the family of a long address
    EXPECT_EQ(with(install, 32, byte), byte == 1) << value;  // there is a key
  }
}

TEST(NetdRequest, WhatItMustCarryMayNotBeMissing) {
  Request request{.operation = Operation::kSideEndpoint, .peer = PeerIndex{1}};
  EXPECT_FALSE(decode_request(encode(request)));
  request.endpoint = endpoint("192.0.2.1:4297");
  EXPECT_TRUE(decode_request(encode(request)));
}

// --- answers

template <class T>
std::vector<T> there_and_back(const std::vector<T>& values, std::size_t expected_replies) {
  std::vector<T> back;
  std::span<const T> rest(values);
  for (std::size_t replies = 1;; ++replies) {
    const ReplyBytes bytes = encode_records(Operation::kReportAll, rest);
    const auto header = get_header(bytes);
    EXPECT_TRUE(header);
    if (!header || !decode_records(*header, bytes, back)) {
      ADD_FAILURE() << "not decoded";
      return back;
    }
    if (header->outcome == Outcome::kDone) {
      EXPECT_EQ(replies, expected_replies);
      EXPECT_THAT(rest, IsEmpty());
      return back;
    }
    EXPECT_EQ(header->outcome, Outcome::kMore);
  }
}

TEST(NetdReply, ReportsComeThroughInAsManyDatagramsAsTheyNeed) {
  std::vector<PeerReport> reports;
  for (unsigned i = 0; i < 40; ++i) {
    reports.push_back(
        {.peer = PeerIndex{i},
         .endpoint = i % 2 == 0 ? std::optional(endpoint("192.0.2.1:" + std::to_string(1000 + i))) : std::nullopt,
         .latest_handshake = wireguard::HandshakeTime(std::chrono::nanoseconds(i)),
         .rx_bytes = i,
         .tx_bytes = ~std::uint64_t{i}});
  }
  EXPECT_EQ(kPerReply<PeerReport>, 18u);
  const auto back = there_and_back(reports, 3);
  ASSERT_EQ(back.size(), reports.size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].peer, reports[i].peer);
    EXPECT_EQ(back[i].endpoint, reports[i].endpoint);
    EXPECT_EQ(back[i].latest_handshake, reports[i].latest_handshake);
    EXPECT_EQ(back[i].rx_bytes, reports[i].rx_bytes);
    EXPECT_EQ(back[i].tx_bytes, reports[i].tx_bytes);
  }
}

TEST(NetdReply, AReportOfTheFirewallComesThroughInParts) {
  FirewallReport report{.state = FirewallState::kChanged, .is_configured = true, .closed_ports = {}};
  for (std::uint16_t port = 4000; port < 4100; ++port) {
    report.closed_ports.push_back({.port = port,
                                   .table = "inet filter",
                                   .chain = "input",
                                   .v6 = true,
                                   .advice = "nft insert rule inet filter input udp dport accept"});
  }
  const std::string bytes = encode(report);
  const auto parts = parts_of(bytes);
  ASSERT_GT(parts.size(), 1u);
  std::vector<Part> received;
  for (std::span<const Part> rest(parts); !rest.empty();) {
    const ReplyBytes reply = encode_records(Operation::kFirewallReport, rest);
    ASSERT_TRUE(decode_records(get_header(reply).value(), reply, received));
  }
  const auto decoded = decode_firewall_report(joined(received));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->state, report.state);
  EXPECT_TRUE(decoded->is_configured);
  EXPECT_EQ(decoded->closed_ports, report.closed_ports);
  EXPECT_FALSE(decode_firewall_report("\x08\x09"));  // a state that there is not
  EXPECT_EQ(joined(parts_of("")), "");
}

TEST(NetdReply, SightingsComeThrough) {
  using model::Sighting;
  using model::SightingKind;
  const auto mac = model::MacAddress::parse("52:54:00:12:34:56").value();
  const std::vector<Sighting> sightings{
      {.kind = SightingKind::kAddress, .link = "eth0", .is_uplink = true, .address = ip("192.0.2.7")},
      {.kind = SightingKind::kAddress, .link = "a-name-of-15-by", .address = ip("2001:db8::7")},
      {.kind = SightingKind::kDefaultRoute, .link = "ppp0", .is_uplink = true},
      {.kind = SightingKind::kDefaultRoute, .link = "eth0", .address = ip("192.0.2.1"), .mac = mac},
      {.kind = SightingKind::kDefaultRoute, .link = "eth0", .address = ip("192.0.2.1"), .is_resolving = true},
  };
  EXPECT_EQ(there_and_back(sightings, 1), sightings);
  EXPECT_EQ(there_and_back(std::vector<Sighting>(50, sightings[3]), 3), std::vector<Sighting>(50, sightings[3]));
}

TEST(NetdReply, ASightingHasNoOtherForm) {
  std::array<std::uint8_t, Record<model::Sighting>::kSize> good{};
  Record<model::Sighting>::put({.kind = model::SightingKind::kAddress, .link = "eth0", .address = ip("192.0.2.7")},
                               good);
  ASSERT_TRUE(Record<model::Sighting>::get(good));
  for (const auto& [at, value] : {std::pair{15, 'x'}, {16, 2}, {17, 8}, {18, 5}, {19, 1}, {42, 1}, {43, 1}}) {
    auto bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_FALSE(Record<model::Sighting>::get(bad)) << at;
  }
}

TEST(NetdReply, OtherRecordsComeThrough) {
  EXPECT_THAT(there_and_back<Interface>({Interface::kProduction, Interface::kSide}, 1),
              ElementsAre(Interface::kProduction, Interface::kSide));
  EXPECT_THAT(there_and_back<PeerIndex>({PeerIndex{7}, PeerIndex{0xffffffff}}, 1),
              ElementsAre(PeerIndex{7}, PeerIndex{0xffffffff}));
  EXPECT_THAT(there_and_back<PeerIndex>({}, 1), IsEmpty());
  EXPECT_THAT(there_and_back<Presence>({Presence::kFound}, 1), ElementsAre(Presence::kFound));
  const Drift of_peer{.kind = DriftKind::kPeerRemoved, .interface = Interface::kSide, .peer = PeerIndex{0}, .count = 0};
  const Drift untold{.kind = DriftKind::kUntold, .interface = Interface::kProduction, .peer = {}, .count = 70'000};
  EXPECT_THAT(there_and_back<Drift>({of_peer, untold}, 1), ElementsAre(of_peer, untold));
  const auto interface = there_and_back<InterfaceReport>({{.name = "a-name-of-15-by",
                                                           .ifindex = 77,
                                                           .backend = Backend::kUserspace,
                                                           .created_by_us = true,
                                                           .fresh = false}},
                                                         1);
  ASSERT_THAT(interface, SizeIs(1));
  EXPECT_EQ(interface[0].name, "a-name-of-15-by");
  EXPECT_EQ(interface[0].ifindex, 77u);
  EXPECT_EQ(interface[0].backend, Backend::kUserspace);
  EXPECT_TRUE(interface[0].created_by_us);
  EXPECT_FALSE(interface[0].fresh);
}

TEST(NetdReply, UnknownNumbersAreRefused) {
  const auto refuses = []<class T>(const T& value, std::size_t at, std::uint8_t byte) {
    std::span<const T> one(&value, 1);
    ReplyBytes bytes = encode_records(Operation::kReportAll, one);
    bytes[kReplyHeaderSize + at] = byte;
    std::vector<T> back;
    return !decode_records(*get_header(bytes), bytes, back);
  };
  EXPECT_TRUE(refuses(Presence::kFound, 0, 2));
  EXPECT_TRUE(refuses(Interface::kSide, 0, 0));
  EXPECT_TRUE(refuses(Interface::kSide, 0, 3));
  const Drift drift{.kind = DriftKind::kRules, .interface = Interface::kProduction, .peer = {}};
  EXPECT_TRUE(refuses(drift, 0, 0));
  EXPECT_TRUE(refuses(drift, 0, static_cast<std::uint8_t>(DriftKind::kUntold) + 1));
  EXPECT_TRUE(refuses(drift, 1, 0));
  EXPECT_TRUE(refuses(drift, 2, 2));
  EXPECT_TRUE(refuses(drift, 4, 1));                              // a peer where there is none
  EXPECT_TRUE(refuses(PeerReport{}, 0, 5));                       // the family
  EXPECT_TRUE(refuses(InterfaceReport{.name = "wg0"}, 15, 'x'));  // the name has no end
  EXPECT_TRUE(refuses(InterfaceReport{.name = "wg0"}, 20, 2));
  EXPECT_TRUE(refuses(InterfaceReport{.name = "wg0"}, 22, 2));
}

TEST(NetdReply, AHeaderWithUnknownNumbersOrTooManyRecordsIsRefused) {
  ReplyBytes bytes{};
  put_header({.operation = Operation::kReportAll, .outcome = Outcome::kDone, .count = 19}, bytes);
  std::vector<PeerReport> reports;
  EXPECT_FALSE(decode_records(*get_header(bytes), bytes, reports));
  EXPECT_THAT(reports, IsEmpty());

  EXPECT_FALSE(get_header(std::span(bytes).first(kReplySize - 1)));
  for (const auto& [at, value] : {std::pair{0, 0}, {0, 200}, {1, 3}, {4, 200}, {7, 1}}) {
    ReplyBytes bad = bytes;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_FALSE(get_header(bad)) << at << " = " << value;
  }
}

TEST(NetdReply, AFailureBringsItsCodeAndItsTextCutToTheRoom) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, kReplyRoom, kReplyRoom + 1, std::size_t{100'000}}) {
    const ReplyBytes bytes = encode_failure(Operation::kInstall, {base::ErrorCode::kConflict, std::string(size, 'x')});
    const auto header = get_header(bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->outcome, Outcome::kFailed);
    const base::Error error = get_failure(*header, bytes);
    EXPECT_EQ(error.code, base::ErrorCode::kConflict);
    EXPECT_EQ(error.message.size(), std::min(size, kReplyRoom));
    EXPECT_EQ(error.message.ends_with("..."), size > kReplyRoom);
  }
}

}  // namespace
}  // namespace anubis::netd
