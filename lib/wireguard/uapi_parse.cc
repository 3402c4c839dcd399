#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "lib/wireguard/uapi.h"

namespace anubis::wireguard {
namespace {

// A key of 64 hexadecimal digits with its name takes 80 bytes; later versions may say longer things.
constexpr std::size_t kMaxLine = 1024;
// 65,536 peers with three keys' worth of lines and a dozen allowed IPs each are well below.
constexpr std::size_t kMaxReply = std::size_t{256} * 1024 * 1024;

template <class T>
bool read_number(std::string_view text, T& out) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  out = number;
  return true;
}

int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool read_key(std::string_view text, std::span<std::uint8_t, crypto::kKeySize> out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

// "192.0.2.1:4296", "[2001:db8::1]:4296", "[fe80::1%3]:4296".
bool read_endpoint(std::string_view text, std::optional<model::Endpoint>& out) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  model::Endpoint endpoint;
  if (!read_number(text.substr(colon + 1), endpoint.port)) return false;
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    const auto percent = host.find('%');
    // A zone that is told by name cannot be known here: the endpoint is still right but for it.
    if (percent != std::string_view::npos) (void)read_number(host.substr(percent + 1), endpoint.scope_id);
    host = host.substr(0, percent);
  }
  const auto address = model::IpAddress::parse(host);
  if (!address || (address->family() == model::Family::kV6) != bracketed) return false;
  endpoint.address = *address;
  out = endpoint;
  return true;
}

}  // namespace

UapiReplyParser::~UapiReplyParser() { explicit_bzero(partial_line_.data(), partial_line_.size()); }

UapiReplyParser::State UapiReplyParser::feed(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > kMaxReply) state_ = State::kMalformed;
  // Now, once: a string that grows leaves a copy behind, perhaps of a key.
  partial_line_.reserve(kMaxLine);
  while (!bytes.empty() && state_ != State::kMalformed) {
    const auto newline = bytes.find('\n');
    const auto piece = bytes.substr(0, newline);
    if (state_ == State::kDone || partial_line_.size() + piece.size() > kMaxLine) {
      state_ = State::kMalformed;
      break;
    }
    if (newline == std::string_view::npos) {
      partial_line_.append(piece);
      break;
    }
    bytes.remove_prefix(newline + 1);
    bool good = false;
    if (partial_line_.empty()) {
      good = take_line(piece);
    } else {
      partial_line_.append(piece);
      good = take_line(partial_line_);
      explicit_bzero(partial_line_.data(), partial_line_.size());
      partial_line_.clear();
    }
    if (!good) state_ = State::kMalformed;
  }
  return state_;
}

bool UapiReplyParser::take_line(std::string_view line) {
  if (line.empty()) {
    if (!error_) return false;
    state_ = State::kDone;
    return true;
  }
  if (error_) return false;
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const auto key = line.substr(0, equals);
  const auto value = line.substr(equals + 1);
  if (key == "errno") return take_error(value);
  if (visitor_ == nullptr) return false;
  if (key == "public_key") {
    finish_peer();
    begin();
    peer_.emplace();
    return read_key(value, peer_->public_key.bytes);
  }
  return peer_ ? take_peer_line(key, value) : take_device_line(key, value);
}

bool UapiReplyParser::take_error(std::string_view value) {
  int error = 0;
  // wireguard-go tells them negative, others positive.
  if (!read_number(value, error) || error < -4095 || error > 4095) return false;
  error_ = error < 0 ? -error : error;
  if (visitor_ != nullptr && error == 0) {
    finish_peer();
    begin();
  }
  return true;
}

// What is unknown is passed over: implementations tell things of their own.
bool UapiReplyParser::take_device_line(std::string_view key, std::string_view value) {
  if (key == "private_key") {
    base::Secret<crypto::kKeySize> secret;
    if (!read_key(value, secret.writable())) return false;
    device_.public_key = (*derive_)(crypto::PrivateKey(std::move(secret)));
    return true;
  }
  if (key == "listen_port") return read_number(value, device_.listen_port);
  if (key == "fwmark") return read_number(value, device_.fwmark);
  return true;
}

bool UapiReplyParser::take_peer_line(std::string_view key, std::string_view value) {
  if (key == "preshared_key") {
    base::Secret<crypto::kKeySize> secret;
    if (!read_key(value, secret.writable())) return false;
    if (!secret.equals({})) {
      peer_->preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
    }
    return true;
  }
  if (key == "endpoint") return read_endpoint(value, peer_->endpoint);
  if (key == "allowed_ip") {
    const auto prefix = model::IpPrefix::parse(value);
    if (prefix) peer_->allowed_ips.push_back(*prefix);
    return prefix.has_value();
  }
  if (key == "persistent_keepalive_interval") return read_number(value, peer_->persistent_keepalive);
  if (key == "last_handshake_time_sec") return read_number(value, handshake_seconds_);
  if (key == "last_handshake_time_nsec") return read_number(value, handshake_nanoseconds_);
  if (key == "rx_bytes") return read_number(value, peer_->rx_bytes);
  if (key == "tx_bytes") return read_number(value, peer_->tx_bytes);
  return true;
}

void UapiReplyParser::begin() {
  if (!begun_) visitor_->begin(device_);
  begun_ = true;
}

void UapiReplyParser::finish_peer() {
  if (!peer_) return;
  peer_->latest_handshake =
      to_handshake_time(std::exchange(handshake_seconds_, 0), std::exchange(handshake_nanoseconds_, 0));
  visitor_->peer(std::move(*peer_));
  peer_.reset();
}

}  // namespace anubis::wireguard
