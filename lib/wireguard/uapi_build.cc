#include <charconv>
#include <cstring>

#include "lib/wireguard/uapi.h"

namespace anubis::wireguard {
namespace {

constexpr std::size_t kConfigurationSize = 256;
// The longest lines that a change can have beside its allowed IPs: two keys, flags, an endpoint, a number.
constexpr std::size_t kPeerSize = 448;
// "allowed_ip=" and the longest text of an IPv6 prefix.
constexpr std::size_t kAllowedIpSize = 72;

std::size_t size_of(std::span<const PeerChange> changes) {
  std::size_t size = 16;  // "set=1" and the end
  for (const auto& change : changes) {
    size += kPeerSize + (change.allowed_ips ? change.allowed_ips->size() * kAllowedIpSize : 0);
  }
  return size;
}

}  // namespace

UapiRequest::~UapiRequest() { explicit_bzero(text_.data(), text_.size()); }

void UapiRequest::line(std::string_view key, std::string_view value) {
  text_.append(key).append("=").append(value).append("\n");
}

void UapiRequest::line(std::string_view key, std::uint32_t value) {
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  line(key, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void UapiRequest::hex_line(std::string_view key, std::span<const std::uint8_t, crypto::kKeySize> value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text_.append(key).push_back('=');
  for (const std::uint8_t byte : value) {
    text_.push_back(kDigits[byte >> 4]);
    text_.push_back(kDigits[byte & 0xf]);
  }
  text_.push_back('\n');
}

UapiRequest build_uapi_set(const Configuration& configuration) {
  UapiRequest request(kConfigurationSize);
  request.line("set", 1);
  if (configuration.private_key != nullptr) request.hex_line("private_key", configuration.private_key->view());
  if (configuration.listen_port) request.line("listen_port", *configuration.listen_port);
  if (configuration.fwmark) request.line("fwmark", *configuration.fwmark);
  request.end();
  return request;
}

UapiRequest build_uapi_set(std::span<const PeerChange> changes) {
  UapiRequest request(size_of(changes));
  request.line("set", 1);
  for (const auto& change : changes) {
    request.hex_line("public_key", change.public_key.bytes);
    if (change.action == PeerAction::kRemove) {
      request.line("remove", "true");
      continue;
    }
    if (change.action == PeerAction::kUpdateOnly) request.line("update_only", "true");
    if (change.preshared_key) request.hex_line("preshared_key", change.preshared_key->view());
    if (change.endpoint) request.line("endpoint", change.endpoint->to_string());
    if (change.allowed_ips) {
      if (!change.adds_allowed_ips) request.line("replace_allowed_ips", "true");
      for (const auto& prefix : *change.allowed_ips) request.line("allowed_ip", prefix.to_string());
    }
    // Last: it can start a handshake, which needs all of the above.
    if (change.persistent_keepalive) request.line("persistent_keepalive_interval", *change.persistent_keepalive);
  }
  request.end();
  return request;
}

}  // namespace anubis::wireguard
