// The envelope of every side datagram: a plaintext header, then the sealed payload (docs/protocol.md, section 4).
//
//    0       4         5      6       7          8            24             56      80
//    | magic | version | type | suite | reserved | request id | sender's key | nonce | ciphertext … tag |
//
// The whole header is associated data. The plaintext inside is the payload's length, the payload and zeros.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "lib/base/secret.h"
#include "lib/base/wiped_bytes.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"

namespace anubis::wire {

// "ANUB": no WireGuard message begins so (theirs begin with 1 to 4 and three zeros).
constexpr std::array<std::uint8_t, 4> kMessageMagic{0x41, 0x4e, 0x55, 0x42};
constexpr std::uint8_t kProtocolVersion = 1;
constexpr std::size_t kHeaderSize = 80;
constexpr std::size_t kLengthSize = 2;
// What a datagram holds besides its payload and padding.
constexpr std::size_t kOverhead = kHeaderSize + kLengthSize + crypto::kTagSize;
// The size of our requests and the least size of any datagram: a reply, which has its request's size, then always has
// room for a sentence.
constexpr std::size_t kRequestSize = 512;
// IPv6's minimum MTU (1280) less the IPv6 and UDP headers: never fragmented inside the side tunnel's own MTU.
constexpr std::size_t kMaxDatagramSize = 1232;

using Datagram = std::vector<std::uint8_t>;
using RequestId = std::array<std::uint8_t, 16>;

enum class MessageType : std::uint8_t { kRequest = 1, kReply = 2 };

struct Header {
  MessageType type = MessageType::kRequest;
  crypto::Suite suite = crypto::Suite::kXChaCha20Poly1305;
  RequestId request_id{};  // a reply repeats its request's
  crypto::ProductionPublicKey sender;
  crypto::Nonce nonce{};

  bool operator==(const Header&) const = default;
};

// Why a datagram is dropped in silence; each is counted.
enum class Drop : std::uint8_t {
  kLength,          // shorter than kRequestSize or longer than kMaxDatagramSize
  kMagic,           // not ours: WireGuard's, say
  kVersion,         // a version that this program does not speak
  kType,            // neither request nor reply
  kSuite,           // a suite that this program does not know, or this hardware does not have
  kReserved,        // the reserved byte is not zero
  kUnknownSender,   // no authorised peer has the header's public key
  kSource,          // the inner source address is not that peer's side address
  kRate,            // more than that peer's share
  kAuthentication,  // the seal does not open
  kPadding,         // authentic, but its length or padding is wrong
  kUnsolicited,     // a reply to no request of ours, or one whose payload is malformed
};
constexpr std::size_t kDropReasons = 12;
[[nodiscard]] const char* name_of(Drop reason);  // "length", "unknown-sender", …

// Reads the header without any cryptography: any drop from kLength to kReserved.
[[nodiscard]] tl::expected<Header, Drop> decode_header(std::span<const std::uint8_t> datagram);
void encode_header(const Header& header, std::span<std::uint8_t, kHeaderSize> out);

// The whole datagram of exactly `size` bytes. kRequestSize ≤ size ≤ kMaxDatagramSize, and the payload must fit:
// payload.size() + kOverhead ≤ size.
[[nodiscard]] Datagram seal_message(const Header& header, const base::Secret<crypto::kKeySize>& key,
                                    std::span<const std::uint8_t> payload, std::size_t size);

// The payload of a datagram whose header has been decoded. Drop::kAuthentication or Drop::kPadding.
[[nodiscard]] tl::expected<base::WipedBytes, Drop> open_message(const Header& header,
                                                                const base::Secret<crypto::kKeySize>& key,
                                                                std::span<const std::uint8_t> datagram);

}  // namespace anubis::wire
