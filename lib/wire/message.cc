#include "lib/wire/message.h"

#include <algorithm>
#include <cassert>

namespace anubis::wire {
namespace {

// Magic, version, type, suite, reserved: what can be judged before the rest is looked at.
constexpr std::size_t kFixedSize = 8;
constexpr std::size_t kVersionOffset = 4;
constexpr std::size_t kTypeOffset = 5;
constexpr std::size_t kSuiteOffset = 6;
constexpr std::size_t kReservedOffset = 7;
constexpr std::size_t kRequestIdOffset = kFixedSize;
constexpr std::size_t kSenderOffset = kRequestIdOffset + RequestId{}.size();
constexpr std::size_t kNonceOffset = kSenderOffset + crypto::kKeySize;
static_assert(kNonceOffset + crypto::kNonceSize == kHeaderSize);

std::optional<MessageType> find_type(std::uint8_t number) {
  const auto type = static_cast<MessageType>(number);
  switch (type) {
    case MessageType::kRequest:
    case MessageType::kReply:
      return type;
  }
  return std::nullopt;
}

}  // namespace

const char* name_of(Drop reason) {
  switch (reason) {
    case Drop::kLength:
      return "length";
    case Drop::kMagic:
      return "magic";
    case Drop::kVersion:
      return "version";
    case Drop::kType:
      return "type";
    case Drop::kSuite:
      return "suite";
    case Drop::kReserved:
      return "reserved";
    case Drop::kUnknownSender:
      return "unknown-sender";
    case Drop::kSource:
      return "source";
    case Drop::kRate:
      return "rate";
    case Drop::kAuthentication:
      return "authentication";
    case Drop::kPadding:
      return "padding";
    case Drop::kUnsolicited:
      return "unsolicited";
  }
  return "unknown";
}

tl::expected<Header, Drop> decode_header(std::span<const std::uint8_t> datagram) {
  // Magic and version come before the length, so that the counters tell a stray WireGuard packet or a message of a
  // later version, which may have sizes of its own, from a mutilated one of ours.
  if (datagram.size() < kFixedSize) return tl::unexpected(Drop::kLength);
  if (!std::ranges::equal(datagram.first(kMessageMagic.size()), kMessageMagic)) return tl::unexpected(Drop::kMagic);
  if (datagram[kVersionOffset] != kProtocolVersion) return tl::unexpected(Drop::kVersion);
  if (datagram.size() < kRequestSize || datagram.size() > kMaxDatagramSize) return tl::unexpected(Drop::kLength);
  const auto type = find_type(datagram[kTypeOffset]);
  if (!type) return tl::unexpected(Drop::kType);
  const auto suite = crypto::find_suite(datagram[kSuiteOffset]);
  if (!suite || !crypto::is_available(*suite)) return tl::unexpected(Drop::kSuite);
  if (datagram[kReservedOffset] != 0) return tl::unexpected(Drop::kReserved);

  Header header{.type = *type, .suite = *suite, .request_id = {}, .sender = {}, .nonce = {}};
  std::ranges::copy(datagram.subspan<kRequestIdOffset, RequestId{}.size()>(), header.request_id.begin());
  std::ranges::copy(datagram.subspan<kSenderOffset, crypto::kKeySize>(), header.sender.bytes.begin());
  std::ranges::copy(datagram.subspan<kNonceOffset, crypto::kNonceSize>(), header.nonce.begin());
  return header;
}

void encode_header(const Header& header, std::span<std::uint8_t, kHeaderSize> out) {
  std::ranges::copy(kMessageMagic, out.begin());
  out[kVersionOffset] = kProtocolVersion;
  out[kTypeOffset] = static_cast<std::uint8_t>(header.type);
  out[kSuiteOffset] = static_cast<std::uint8_t>(header.suite);
  out[kReservedOffset] = 0;
  std::ranges::copy(header.request_id, out.subspan<kRequestIdOffset>().begin());
  std::ranges::copy(header.sender.bytes, out.subspan<kSenderOffset>().begin());
  std::ranges::copy(header.nonce, out.subspan<kNonceOffset>().begin());
}

Datagram seal_message(const Header& header, const base::Secret<crypto::kKeySize>& key,
                      std::span<const std::uint8_t> payload, std::size_t size) {
  assert(size >= kRequestSize && size <= kMaxDatagramSize && payload.size() + kOverhead <= size);
  Datagram datagram(size);  // all zero, the padding with it
  const std::span whole(datagram);
  encode_header(header, whole.first<kHeaderSize>());
  const auto sealed = whole.subspan(kHeaderSize);
  sealed[0] = static_cast<std::uint8_t>(payload.size() >> 8);
  sealed[1] = static_cast<std::uint8_t>(payload.size() & 0xff);
  std::ranges::copy(payload, sealed.subspan(kLengthSize).begin());
  crypto::seal(header.suite, key, header.nonce, whole.first(kHeaderSize),
               sealed.first(sealed.size() - crypto::kTagSize), sealed);
  return datagram;
}

tl::expected<base::WipedBytes, Drop> open_message(const Header& header, const base::Secret<crypto::kKeySize>& key,
                                                  std::span<const std::uint8_t> datagram) {
  if (datagram.size() < kOverhead) return tl::unexpected(Drop::kLength);
  const auto sealed = datagram.subspan(kHeaderSize);
  base::WipedBytes plaintext(sealed.size() - crypto::kTagSize);
  if (!crypto::open(header.suite, key, header.nonce, datagram.first(kHeaderSize), sealed, plaintext)) {
    return tl::unexpected(Drop::kAuthentication);
  }
  const auto end = kLengthSize + (std::size_t{plaintext[0]} << 8 | plaintext[1]);
  if (end > plaintext.size()) return tl::unexpected(Drop::kPadding);
  // Without an early way out, so that the compiler takes many bytes at a time: most of a request is padding.
  std::uint8_t padding = 0;
  for (const std::uint8_t byte : std::span(plaintext).subspan(end)) padding |= byte;
  if (padding != 0) return tl::unexpected(Drop::kPadding);
  plaintext.resize(end);
  plaintext.erase(plaintext.begin(), plaintext.begin() + kLengthSize);
  return plaintext;
}

}  // namespace anubis::wire
