// The cross-platform text protocol of userspace WireGuard implementations (https://www.wireguard.com/xplatform/), built
// and parsed without any socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/secret.h"
#include "lib/crypto/keys.h"
#include "lib/wireguard/device.h"

namespace anubis::wireguard {

constexpr std::string_view kUapiGet = "get=1\n\n";

// A request with keys in it: its memory is wiped.
class UapiRequest {
 public:
  explicit UapiRequest(std::size_t capacity) : capacity_(capacity) { text_.reserve(capacity); }
  UapiRequest(UapiRequest&&) = default;  // the text is on the heap: moving leaves nothing behind
  UapiRequest& operator=(UapiRequest&&) = delete;
  ~UapiRequest();

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }  // what was reserved for the text
  // "key=value\n". Stays within the capacity, so that no copy is left behind by growing.
  void line(std::string_view key, std::string_view value);
  void line(std::string_view key, std::uint32_t value);
  void hex_line(std::string_view key, std::span<const std::uint8_t, crypto::kKeySize> value);
  void end() { text_.push_back('\n'); }

 private:
  std::size_t capacity_;
  std::string text_;
};

// Sets exactly what is named.
UapiRequest build_uapi_set(const Configuration& configuration);
UapiRequest build_uapi_set(std::span<const PeerChange> changes);

// The protocol tells the private key where the kernel tells the public one.
using DerivePublicKey = std::function<crypto::PublicKey(const crypto::PrivateKey&)>;

// Parses one reply as it comes in. Takes any bytes; holds at most one line and one peer.
class UapiReplyParser {
 public:
  enum class State { kMore, kDone, kMalformed };

  // For a reply to set=1.
  UapiReplyParser() = default;
  // For a reply to get=1; both must outlive the parser.
  UapiReplyParser(DumpVisitor& visitor, const DerivePublicKey& derive) : visitor_(&visitor), derive_(&derive) {}
  UapiReplyParser(const UapiReplyParser&) = delete;
  UapiReplyParser& operator=(const UapiReplyParser&) = delete;
  ~UapiReplyParser();

  State feed(std::string_view bytes);
  // Once kDone: an errno, or 0. With any but 0 the visitor may have seen a part.
  [[nodiscard]] int error() const { return error_.value_or(0); }

 private:
  bool take_line(std::string_view line);
  bool take_device_line(std::string_view key, std::string_view value);
  bool take_peer_line(std::string_view key, std::string_view value);
  bool take_error(std::string_view value);
  void begin();
  void finish_peer();

  DumpVisitor* visitor_ = nullptr;
  const DerivePublicKey* derive_ = nullptr;
  State state_ = State::kMore;
  std::string partial_line_;
  std::size_t size_ = 0;
  std::optional<int> error_;
  bool begun_ = false;
  DeviceInfo device_;
  std::optional<PeerState> peer_;
  std::int64_t handshake_seconds_ = 0;
  std::int64_t handshake_nanoseconds_ = 0;
};

}  // namespace anubis::wireguard
