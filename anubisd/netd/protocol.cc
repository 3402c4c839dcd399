#include "anubisd/netd/protocol.h"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <string>

#include <fmt/core.h>

#include "lib/crypto/suites.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using model::Sighting;

// The fields of a request stand at the same place in all of them.
constexpr std::size_t kOperationAt = 0;
constexpr std::size_t kInterfaceAt = 1;
constexpr std::size_t kFlagsAt = 2;
constexpr std::size_t kSuiteAt = 3;
constexpr std::size_t kPeerAt = 4;
constexpr std::size_t kEndpointAt = 8;
constexpr std::size_t kHasKeyAt = 32;
constexpr std::size_t kKeyAt = 33;
constexpr std::size_t kHasServerAt = kKeyAt + crypto::kKeySize;
constexpr std::size_t kServerAt = kHasServerAt + 1;
constexpr std::size_t kHasNewcomerAt = kServerAt + sizeof(PeerIndex);
constexpr std::size_t kNewcomerAt = kHasNewcomerAt + 1;
constexpr std::size_t kNewcomerSize = 2 * crypto::kKeySize + std::tuple_size_v<crypto::Proof>;
constexpr std::size_t kEndAt = kNewcomerAt + kNewcomerSize;
static_assert(kEndAt <= kRequestSize);

constexpr std::uint8_t kRecreate = 1;
constexpr std::uint8_t kInitiateHandshake = 2;
constexpr std::uint8_t kWithRoutes = 4;
constexpr std::uint8_t kTakeOver = 8;
constexpr std::uint8_t kAllFlags = kRecreate | kInitiateHandshake | kWithRoutes | kTakeOver;

// family, a byte of zero, port, scope, address: 24 bytes
constexpr std::size_t kEndpointSize = 24;
static_assert(kEndpointAt + kEndpointSize == kHasKeyAt);
constexpr std::uint8_t kNoAddress = 0;
constexpr std::uint8_t kV4 = 4;
constexpr std::uint8_t kV6 = 6;

// Of a sighting.
constexpr std::uint8_t kIsUplink = 1;
constexpr std::uint8_t kIsResolving = 2;
constexpr std::uint8_t kHasMac = 4;

template <class T>
  requires std::integral<T> || std::is_enum_v<T>
void put_number(T value, std::uint8_t* out) {
  std::memcpy(out, &value, sizeof value);
}

template <class T>
  requires std::integral<T> || std::is_enum_v<T>
T get_number(const std::uint8_t* in) {
  T value{};
  std::memcpy(&value, in, sizeof value);
  return value;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// 0 stands for nothing, wherever a field may be left out.
std::uint8_t number_of(Interface which) { return static_cast<std::uint8_t>(static_cast<std::uint8_t>(which) + 1); }

std::optional<Interface> interface_of(std::uint8_t number) {
  for (const Interface which : {Interface::kProduction, Interface::kSide}) {
    if (number_of(which) == number) return which;
  }
  return std::nullopt;
}

std::optional<bool> flag_of(std::uint8_t byte) {
  if (byte > 1) return std::nullopt;
  return byte == 1;
}

void put_endpoint(const std::optional<model::Endpoint>& endpoint, std::span<std::uint8_t, kEndpointSize> out) {
  std::ranges::fill(out, std::uint8_t{0});
  if (!endpoint) return;
  out[0] = endpoint->address.family() == model::Family::kV4 ? kV4 : kV6;
  put_number(endpoint->port, &out[2]);
  put_number(endpoint->scope_id, &out[4]);
  std::ranges::copy(endpoint->address.bytes(), &out[8]);
}

// False: neither an endpoint nor none.
bool get_endpoint(std::span<const std::uint8_t, kEndpointSize> in, std::optional<model::Endpoint>& endpoint) {
  if (in[1] != 0) return false;
  model::Endpoint read{
      .address = {}, .port = get_number<std::uint16_t>(&in[2]), .scope_id = get_number<std::uint32_t>(&in[4])};
  switch (in[0]) {
    case kNoAddress:
      endpoint.reset();
      return is_zero(in);
    case kV4:
      if (!is_zero(in.subspan<12>())) return false;
      read.address = model::IpAddress::v4(in.subspan<8, 4>());
      break;
    case kV6:
      read.address = model::IpAddress::v6(in.subspan<8, 16>());
      break;
    default:
      return false;
  }
  endpoint = read;
  return true;
}

bool is_suite(std::uint8_t number) { return crypto::find_suite(number).has_value(); }

bool carries(Field field) { return field != Field::kNo; }

bool agrees(Field field, bool present) {
  switch (field) {
    case Field::kNo:
      return !present;
    case Field::kMay:
      return true;
    case Field::kMust:
      return present;
  }
  return false;
}

}  // namespace

const RequestKind* find_kind(std::uint8_t operation) {
  const auto* const found = std::ranges::find_if(
      table::kRows, [&](const RequestKind& kind) { return static_cast<std::uint8_t>(kind.operation) == operation; });
  return found == table::kRows.end() ? nullptr : found;
}

RequestBytes encode(const Request& request) {
  RequestBytes out{};
  const RequestKind& kind = *find_kind(static_cast<std::uint8_t>(request.operation));
  out[kOperationAt] = static_cast<std::uint8_t>(request.operation);
  if (carries(kind.interface)) out[kInterfaceAt] = number_of(request.interface);
  if (carries(kind.flags)) {
    out[kFlagsAt] = static_cast<std::uint8_t>(
        (request.recreate ? kRecreate : 0) | (request.initiate_handshake ? kInitiateHandshake : 0) |
        (request.with_routes ? kWithRoutes : 0) | (request.take_over ? kTakeOver : 0));
  }
  if (carries(kind.suite)) out[kSuiteAt] = static_cast<std::uint8_t>(request.suite);
  if (carries(kind.peer)) put_number(request.peer, &out[kPeerAt]);
  if (carries(kind.endpoint)) {
    put_endpoint(request.endpoint, std::span<std::uint8_t, kEndpointSize>(&out[kEndpointAt], kEndpointSize));
  }
  if (carries(kind.preshared_key) && request.preshared_key) {
    out[kHasKeyAt] = 1;
    std::ranges::copy(request.preshared_key->view(), &out[kKeyAt]);
  }
  if (carries(kind.server) && request.server) {
    out[kHasServerAt] = 1;
    put_number(*request.server, &out[kServerAt]);
  }
  if (carries(kind.newcomer) && request.newcomer) {
    out[kHasNewcomerAt] = 1;
    std::uint8_t* const at = &out[kNewcomerAt];
    std::ranges::copy(request.newcomer->public_key.bytes, at);
    std::ranges::copy(request.newcomer->side_public_key.bytes, at + crypto::kKeySize);
    std::ranges::copy(request.newcomer->proof, at + 2 * crypto::kKeySize);
  }
  return out;
}

base::Result<Request> decode_request(std::span<const std::uint8_t> bytes) {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorCode::kInvalid, fmt::format("malformed request: {}", what));
  };
  if (bytes.size() != kRequestSize) return refuse("its size");
  const RequestKind* const kind = find_kind(bytes[kOperationAt]);
  if (kind == nullptr) return refuse("its operation");
  Request request{.operation = kind->operation};

  if (carries(kind->interface)) {
    const auto which = interface_of(bytes[kInterfaceAt]);
    if (!which) return refuse("its interface");
    request.interface = *which;
  } else if (bytes[kInterfaceAt] != 0) {
    return refuse("its interface");
  }
  const std::uint8_t flags = bytes[kFlagsAt];
  if ((flags & ~(carries(kind->flags) ? kAllFlags : 0)) != 0) return refuse("its flags");
  request.recreate = (flags & kRecreate) != 0;
  request.initiate_handshake = (flags & kInitiateHandshake) != 0;
  request.with_routes = (flags & kWithRoutes) != 0;
  request.take_over = (flags & kTakeOver) != 0;

  const std::uint8_t suite = bytes[kSuiteAt];
  if (carries(kind->suite) ? !is_suite(suite) : suite != 0) return refuse("its suite");
  request.suite = static_cast<crypto::Suite>(suite);
  request.peer = get_number<PeerIndex>(&bytes[kPeerAt]);
  if (!carries(kind->peer) && request.peer != PeerIndex{}) return refuse("its peer");

  if (!get_endpoint(bytes.subspan<kEndpointAt, kEndpointSize>(), request.endpoint) ||
      !agrees(kind->endpoint, request.endpoint.has_value())) {
    return refuse("its endpoint");
  }
  const auto has_key = flag_of(bytes[kHasKeyAt]);
  const auto key = bytes.subspan<kKeyAt, crypto::kKeySize>();
  if (!has_key || !agrees(kind->preshared_key, *has_key) || (!*has_key && !is_zero(key))) {
    return refuse("its preshared key");
  }
  if (*has_key) {
    base::Secret<crypto::kKeySize> secret;
    std::ranges::copy(key, secret.writable().begin());
    request.preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
  }
  const auto has_server = flag_of(bytes[kHasServerAt]);
  const auto server = get_number<PeerIndex>(&bytes[kServerAt]);
  if (!has_server || !agrees(kind->server, *has_server) || (!*has_server && server != PeerIndex{})) {
    return refuse("its server");
  }
  if (*has_server) request.server = server;
  const auto has_newcomer = flag_of(bytes[kHasNewcomerAt]);
  const auto newcomer = bytes.subspan<kNewcomerAt, kNewcomerSize>();
  if (!has_newcomer || !agrees(kind->newcomer, *has_newcomer) || (!*has_newcomer && !is_zero(newcomer))) {
    return refuse("its newcomer");
  }
  if (*has_newcomer) {
    Newcomer& read = request.newcomer.emplace();
    std::ranges::copy(newcomer.first<crypto::kKeySize>(), read.public_key.bytes.begin());
    std::ranges::copy(newcomer.subspan<crypto::kKeySize, crypto::kKeySize>(), read.side_public_key.bytes.begin());
    std::ranges::copy(newcomer.subspan<2 * crypto::kKeySize>(), read.proof.begin());
  }
  if (!is_zero(bytes.subspan<kEndAt>())) return refuse("its end");
  return request;
}

// --- answers

void put_header(const ReplyHeader& header, ReplyBytes& out) {
  out[0] = static_cast<std::uint8_t>(header.operation);
  out[1] = static_cast<std::uint8_t>(header.outcome);
  put_number(header.count, &out[2]);
  put_number(static_cast<std::uint32_t>(header.code), &out[4]);
}

std::optional<ReplyHeader> get_header(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != kReplySize) return std::nullopt;
  const RequestKind* const kind = find_kind(bytes[0]);
  if (kind == nullptr || bytes[1] > static_cast<std::uint8_t>(Outcome::kFailed)) return std::nullopt;
  const auto code = get_number<std::uint32_t>(&bytes[4]);
  if (code > static_cast<std::uint32_t>(ErrorCode::kInternal)) return std::nullopt;
  return ReplyHeader{kind->operation, static_cast<Outcome>(bytes[1]), static_cast<ErrorCode>(code),
                     get_number<std::uint16_t>(&bytes[2])};
}

ReplyBytes encode_failure(Operation operation, const base::Error& error) {
  constexpr std::string_view kCut = "...";
  ReplyBytes out{};
  std::string text = error.message;
  if (text.size() > kReplyRoom) text.replace(kReplyRoom - kCut.size(), std::string::npos, kCut);
  put_header({operation, Outcome::kFailed, error.code, static_cast<std::uint16_t>(text.size())}, out);
  std::ranges::copy(text, out.begin() + kReplyHeaderSize);
  return out;
}

base::Error get_failure(const ReplyHeader& header, std::span<const std::uint8_t> bytes) {
  const auto size = std::min<std::size_t>(header.count, kReplyRoom);
  const auto text = bytes.subspan(kReplyHeaderSize, size);
  return {header.code, std::string(text.begin(), text.end())};
}

// name (16, ends with a zero), ifindex, backend, created by us, fresh, a byte of zero
void Record<InterfaceReport>::put(const InterfaceReport& report, std::span<std::uint8_t, kSize> out) {
  std::ranges::copy(report.name.substr(0, 15), out.begin());
  put_number(report.ifindex, &out[16]);
  out[20] = static_cast<std::uint8_t>(report.backend);
  out[21] = report.created_by_us ? 1 : 0;
  out[22] = report.fresh ? 1 : 0;
}

std::optional<InterfaceReport> Record<InterfaceReport>::get(std::span<const std::uint8_t, kSize> in) {
  const auto created = flag_of(in[21]);
  const auto fresh = flag_of(in[22]);
  if (in[15] != 0 || in[20] > static_cast<std::uint8_t>(Backend::kUserspace) || !created || !fresh) return std::nullopt;
  return InterfaceReport{.name = reinterpret_cast<const char*>(in.data()),
                         .ifindex = get_number<std::uint32_t>(&in[16]),
                         .backend = static_cast<Backend>(in[20]),
                         .created_by_us = *created,
                         .fresh = *fresh};
}

// endpoint (24), handshake, received, sent (8 each), peer, 4 bytes of zero
void Record<PeerReport>::put(const PeerReport& report, std::span<std::uint8_t, kSize> out) {
  put_endpoint(report.endpoint, out.first<kEndpointSize>());
  put_number(std::int64_t{report.latest_handshake.time_since_epoch().count()}, &out[24]);
  put_number(report.rx_bytes, &out[32]);
  put_number(report.tx_bytes, &out[40]);
  put_number(report.peer, &out[48]);
}

std::optional<PeerReport> Record<PeerReport>::get(std::span<const std::uint8_t, kSize> in) {
  PeerReport report{.peer = get_number<PeerIndex>(&in[48])};
  if (!get_endpoint(in.first<kEndpointSize>(), report.endpoint)) return std::nullopt;
  report.latest_handshake = wireguard::HandshakeTime(std::chrono::nanoseconds(get_number<std::int64_t>(&in[24])));
  report.rx_bytes = get_number<std::uint64_t>(&in[32]);
  report.tx_bytes = get_number<std::uint64_t>(&in[40]);
  return report;
}

void Record<Interface>::put(Interface which, std::span<std::uint8_t, kSize> out) { out[0] = number_of(which); }
std::optional<Interface> Record<Interface>::get(std::span<const std::uint8_t, kSize> in) { return interface_of(in[0]); }

// kind, interface, whether there is a peer, a byte of zero, peer, count
void Record<Drift>::put(const Drift& drift, std::span<std::uint8_t, kSize> out) {
  out[0] = static_cast<std::uint8_t>(drift.kind);
  out[1] = number_of(drift.interface);
  out[2] = drift.peer ? 1 : 0;
  put_number(drift.peer.value_or(PeerIndex{}), &out[4]);
  put_number(drift.count, &out[8]);
}

std::optional<Drift> Record<Drift>::get(std::span<const std::uint8_t, kSize> in) {
  const auto which = interface_of(in[1]);
  const auto has_peer = flag_of(in[2]);
  const auto peer = get_number<PeerIndex>(&in[4]);
  if (in[0] < static_cast<std::uint8_t>(DriftKind::kPeerRemoved) ||
      in[0] > static_cast<std::uint8_t>(DriftKind::kUntold) || !which || !has_peer || in[3] != 0 ||
      (!*has_peer && peer != PeerIndex{})) {
    return std::nullopt;
  }
  return Drift{.kind = static_cast<DriftKind>(in[0]),
               .interface = *which,
               .peer = *has_peer ? std::optional(peer) : std::nullopt,
               .count = get_number<std::uint32_t>(&in[8])};
}

void Record<PeerIndex>::put(PeerIndex peer, std::span<std::uint8_t, kSize> out) { put_number(peer, out.data()); }
std::optional<PeerIndex> Record<PeerIndex>::get(std::span<const std::uint8_t, kSize> in) {
  return get_number<PeerIndex>(in.data());
}

void Record<Carried>::put(const Carried& carried, std::span<std::uint8_t, kSize> out) {
  put_number(carried.client, out.data());
  put_number(carried.server, &out[4]);
}
std::optional<Carried> Record<Carried>::get(std::span<const std::uint8_t, kSize> in) {
  return Carried{get_number<PeerIndex>(in.data()), get_number<PeerIndex>(&in[4])};
}

void Record<Presence>::put(Presence presence, std::span<std::uint8_t, kSize> out) {
  out[0] = static_cast<std::uint8_t>(presence);
}
std::optional<Presence> Record<Presence>::get(std::span<const std::uint8_t, kSize> in) {
  if (in[0] > static_cast<std::uint8_t>(Presence::kFound)) return std::nullopt;
  return static_cast<Presence>(in[0]);
}

// link (16, ends with a zero), kind, flags, family of the address, a byte of zero, address (16), MAC address (6), two
// bytes of zero
void Record<Sighting>::put(const Sighting& sighting, std::span<std::uint8_t, kSize> out) {
  std::ranges::copy(sighting.link.substr(0, 15), out.begin());
  out[16] = static_cast<std::uint8_t>(sighting.kind);
  out[17] = static_cast<std::uint8_t>((sighting.is_uplink ? kIsUplink : 0) |
                                      (sighting.is_resolving ? kIsResolving : 0) | (sighting.mac ? kHasMac : 0));
  if (sighting.address) {
    out[18] = sighting.address->family() == model::Family::kV4 ? kV4 : kV6;
    std::ranges::copy(sighting.address->bytes(), &out[20]);
  }
  if (sighting.mac) std::ranges::copy(sighting.mac->bytes(), &out[36]);
}

std::optional<Sighting> Record<Sighting>::get(std::span<const std::uint8_t, kSize> in) {
  const std::uint8_t flags = in[17];
  if (in[15] != 0 || in[16] > static_cast<std::uint8_t>(model::SightingKind::kDefaultRoute) ||
      (flags & ~(kIsUplink | kIsResolving | kHasMac)) != 0 || in[19] != 0 || !is_zero(in.last<2>())) {
    return std::nullopt;
  }
  Sighting sighting{.kind = static_cast<model::SightingKind>(in[16]),
                    .link = reinterpret_cast<const char*>(in.data()),
                    .is_uplink = (flags & kIsUplink) != 0,
                    .is_resolving = (flags & kIsResolving) != 0};
  switch (in[18]) {
    case kNoAddress:
      break;
    case kV4:
      sighting.address = model::IpAddress::v4(in.subspan<20, 4>());
      break;
    case kV6:
      sighting.address = model::IpAddress::v6(in.subspan<20, 16>());
      break;
    default:
      return std::nullopt;
  }
  if ((flags & kHasMac) != 0) sighting.mac = model::MacAddress(in.subspan<36, model::MacAddress::kSize>());
  return sighting;
}

void Record<Part>::put(const Part& part, std::span<std::uint8_t, kSize> out) {
  put_number(static_cast<std::uint16_t>(part.bytes.size()), out.data());
  std::ranges::copy(part.bytes, out.begin() + 2);
}

std::optional<Part> Record<Part>::get(std::span<const std::uint8_t, kSize> in) {
  const auto size = get_number<std::uint16_t>(in.data());
  if (size > kRoom || !is_zero(in.subspan(std::size_t{2} + size))) return std::nullopt;
  const auto bytes = in.subspan(2, size);
  return Part{{bytes.begin(), bytes.end()}};
}

void Record<crypto::MessageKeys>::put(const crypto::MessageKeys& keys, std::span<std::uint8_t, kSize> out) {
  std::ranges::copy(keys.sending.view(), out.begin());
  std::ranges::copy(keys.receiving.view(), out.begin() + crypto::kKeySize);
}

std::optional<crypto::MessageKeys> Record<crypto::MessageKeys>::get(std::span<const std::uint8_t, kSize> in) {
  crypto::MessageKeys keys;
  std::ranges::copy(in.first<crypto::kKeySize>(), keys.sending.writable().begin());
  std::ranges::copy(in.last<crypto::kKeySize>(), keys.receiving.writable().begin());
  return keys;
}

}  // namespace anubis::netd
