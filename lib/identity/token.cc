#include "lib/identity/token.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "lib/base/wiped_bytes.h"
#include "lib/config/name.h"
#include "lib/crypto/digest.h"
#include "lib/identity/base32.h"

namespace anubis::identity {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kChecksumSize = 8;

enum class Kind : std::uint8_t {
  kSecret = 1,
  kExpires,
  kName,
  kAddress,  // may come several times
  kServer,
  kPublicKey,
  kSidePublicKey,
  kSideAddress,
  kEndpoint,
  kSideEndpoint,
  kServicePort,
  kAllowedIp,  // may come several times
};

// --- writing

class Writer {
 public:
  void put(Kind kind, Bytes value) {
    bytes_.push_back(static_cast<std::uint8_t>(kind));
    bytes_.push_back(static_cast<std::uint8_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void put(Kind kind, std::string_view text) {
    put(kind, Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void put(Kind kind, std::uint64_t number, std::size_t size) {
    std::vector<std::uint8_t> value(size);
    for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<std::uint8_t>(number >> (8 * (size - 1 - i)));
    put(kind, value);
  }
  void put(Kind kind, const model::IpAddress& address, std::uint8_t length) {
    std::vector<std::uint8_t> value(address.bytes().begin(), address.bytes().end());
    value.push_back(length);
    put(kind, value);
  }
  base::WipedBytes finish() && {
    const auto digest = crypto::digest(bytes_);
    bytes_.insert(bytes_.end(), digest.begin(), digest.begin() + kChecksumSize);
    return std::move(bytes_);
  }

 private:
  base::WipedBytes bytes_;
};

// --- reading

// Fields in the order of their kinds. Once something is wrong, nothing more is read.
class Reader {
 public:
  explicit Reader(Bytes rest) : rest_(rest) {}

  [[nodiscard]] bool is_well() const { return well_; }
  [[nodiscard]] bool is_at_end() const { return well_ && rest_.empty(); }

  // The value of the next field, if it is of this kind.
  std::optional<Bytes> next(Kind kind) {
    if (!well_ || rest_.empty() || rest_[0] != static_cast<std::uint8_t>(kind)) return std::nullopt;
    if (rest_.size() < 2 || rest_.size() < 2u + rest_[1]) {
      well_ = false;
      return std::nullopt;
    }
    const Bytes value = rest_.subspan(2, rest_[1]);
    rest_ = rest_.subspan(2u + value.size());
    return value;
  }
  // The value of a field that must be there.
  Bytes need(Kind kind) {
    const auto value = next(kind);
    well_ = well_ && value.has_value();
    return value.value_or(Bytes());
  }
  template <class Key>
  void key(Kind kind, Key& out) {
    crypto::PublicKey key;
    copy(need(kind), key.bytes);
    // As base64 it goes through the same checks as any other key.
    const auto checked = crypto::parse_public_key(key.to_base64());
    well_ = well_ && checked.has_value();
    if (well_) out = Key(*checked);
  }
  std::uint64_t number(Kind kind, std::size_t size) {
    const Bytes value = need(kind);
    well_ = well_ && value.size() == size;
    std::uint64_t number = 0;
    if (well_) {
      for (const std::uint8_t byte : value) number = number << 8 | byte;
    }
    return number;
  }
  template <class T, class Parse>
  void text(Kind kind, T& out, Parse parse) {
    const Bytes value = need(kind);
    auto parsed = parse(std::string_view(reinterpret_cast<const char*>(value.data()), value.size()));
    well_ = well_ && parsed.has_value();
    if (well_) out = std::move(*parsed);
  }
  // Addresses with a length.
  template <class Use>
  void addresses(Kind kind, std::size_t most, Use use) {
    while (const auto value = next(kind)) {
      const auto address = address_of(*value);
      if (!address || most-- == 0) {
        well_ = false;
        return;
      }
      use(address->first, address->second);
    }
  }
  void copy(Bytes value, std::span<std::uint8_t> out) {
    well_ = well_ && value.size() == out.size();
    if (well_) std::ranges::copy(value, out.begin());
  }

 private:
  static std::optional<std::pair<model::IpAddress, std::uint8_t>> address_of(Bytes value) {
    constexpr std::size_t kV4 = 5;
    constexpr std::size_t kV6 = 17;
    if (value.size() != kV4 && value.size() != kV6) return std::nullopt;
    const auto address =
        value.size() == kV4 ? model::IpAddress::v4(value.first<4>()) : model::IpAddress::v6(value.first<16>());
    if (value.back() > address.bits()) return std::nullopt;
    return std::pair(address, value.back());
  }

  Bytes rest_;
  bool well_ = true;
};

Result<model::HostPort> parse_endpoint(std::string_view text) {
  auto endpoint = model::HostPort::parse(text);
  if (endpoint && !endpoint->port) return fail(ErrorCode::kInvalid, "has no port");
  return endpoint;
}

Result<Token> damaged() {
  return fail(ErrorCode::kInvalid,
              "the invitation is damaged or not complete; ask for it again, as a file or by QR code perhaps");
}

}  // namespace

base::SecretText format_token(const Token& token) {
  Writer writer;
  writer.put(Kind::kSecret, token.secret.view());
  writer.put(Kind::kExpires, static_cast<std::uint64_t>(token.expires), sizeof token.expires);
  writer.put(Kind::kName, token.name);
  for (const auto& each : token.addresses) writer.put(Kind::kAddress, each.address, each.length);
  writer.put(Kind::kServer, token.server);
  writer.put(Kind::kPublicKey, token.public_key.bytes);
  writer.put(Kind::kSidePublicKey, token.side_public_key.bytes);
  writer.put(Kind::kSideAddress, token.side_address, token.side_address.bits());
  writer.put(Kind::kEndpoint, token.endpoint.to_string());
  writer.put(Kind::kSideEndpoint, token.side_endpoint.to_string());
  writer.put(Kind::kServicePort, token.service_port, sizeof token.service_port);
  for (const auto& each : token.allowed_ips) writer.put(Kind::kAllowedIp, each.address(), each.length());
  const base::WipedBytes bytes = std::move(writer).finish();
  std::string digits = to_base32(bytes);
  base::SecretText text;
  text.append(kTokenPrefix);
  text.append(digits);
  explicit_bzero(digits.data(), digits.size());
  return text;
}

Result<Token> parse_token(std::string_view text) {
  base::WipedBytes digits;
  for (const char character : text.substr(0, kMaxTokenText)) {
    constexpr std::string_view kIgnored = " \t\r\n\v\f>|";
    if (kIgnored.find(character) == std::string_view::npos) digits.push_back(static_cast<std::uint8_t>(character));
  }
  std::string_view word(reinterpret_cast<const char*>(digits.data()), digits.size());
  if (text.size() > kMaxTokenText || !word.starts_with(kTokenPrefix)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("that is no invitation: one begins with \"{}\" and is a single word, as "
                            "`anubis invite` prints it",
                            kTokenPrefix));
  }
  const auto bytes = from_base32(word.substr(kTokenPrefix.size()));
  if (!bytes || bytes->size() < kChecksumSize) return damaged();
  const Bytes all(*bytes);
  const Bytes fields = all.first(all.size() - kChecksumSize);
  const auto digest = crypto::digest(fields);
  if (!std::ranges::equal(all.last<kChecksumSize>(), std::span(digest).first<kChecksumSize>())) return damaged();

  Reader reader(fields);
  base::Secret<crypto::kKeySize> secret;
  reader.copy(reader.need(Kind::kSecret), secret.writable());
  Token token{.secret = crypto::InvitationSecret(std::move(secret))};
  token.expires = static_cast<std::int64_t>(reader.number(Kind::kExpires, sizeof token.expires));
  reader.text(Kind::kName, token.name, config::parse_name);
  reader.addresses(Kind::kAddress, kMaxTokenAddresses, [&](const model::IpAddress& address, std::uint8_t length) {
    token.addresses.push_back({address, length});
  });
  reader.text(Kind::kServer, token.server, config::parse_name);
  reader.key(Kind::kPublicKey, token.public_key);
  reader.key(Kind::kSidePublicKey, token.side_public_key);
  bool has_side_address = false;
  reader.addresses(Kind::kSideAddress, 1, [&](const model::IpAddress& address, std::uint8_t length) {
    has_side_address = length == address.bits();
    token.side_address = address;
  });
  reader.text(Kind::kEndpoint, token.endpoint, parse_endpoint);
  reader.text(Kind::kSideEndpoint, token.side_endpoint, parse_endpoint);
  token.service_port = static_cast<std::uint16_t>(reader.number(Kind::kServicePort, sizeof token.service_port));
  reader.addresses(Kind::kAllowedIp, kMaxTokenRanges, [&](const model::IpAddress& address, std::uint8_t length) {
    token.allowed_ips.emplace_back(address, length);
  });
  if (!reader.is_at_end() || !has_side_address || token.service_port == 0 || token.addresses.empty() ||
      token.allowed_ips.empty()) {
    return damaged();
  }
  return token;
}

}  // namespace anubis::identity
