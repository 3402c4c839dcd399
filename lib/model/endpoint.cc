#include "lib/model/endpoint.h"

#include <algorithm>
#include <charconv>

namespace anubis::model {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxHostName = 253;  // RFC 1123, 2.1 and RFC 1035, 2.3.4
constexpr std::size_t kMaxLabel = 63;

bool is_label_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxHostName) return false;
  // Digits and dots alone are a mistyped address, never a name.
  if (name.find_first_not_of("0123456789.") == std::string_view::npos) return false;
  while (true) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, is_label_character)) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string bracketed(const std::string& host, bool is_v6, std::optional<std::uint16_t> port) {
  if (!port) return host;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(*port);
}

}  // namespace

std::string Endpoint::to_string() const {
  std::string host = address.to_string();
  if (scope_id != 0) host += "%" + std::to_string(scope_id);
  return bracketed(host, address.family() == Family::kV6, port);
}

base::Result<HostPort> HostPort::parse(std::string_view text) {
  HostPort parsed;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto closing = text.find(']');
    if (closing == std::string_view::npos) {
      return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" lacks the closing bracket of an IPv6 address");
    }
    parsed.host = text.substr(1, closing - 1);
    const auto address = IpAddress::parse(parsed.host);
    const auto rest = text.substr(closing + 1);
    has_port = rest.starts_with(':');
    if (!address || address->family() != Family::kV6 || (!rest.empty() && !has_port)) {
      return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is not of the form [IPv6 address]:port");
    }
    if (has_port) port = rest.substr(1);
  } else if (IpAddress::parse(text)) {
    parsed.host = text;
  } else {
    const auto colon = text.rfind(':');
    has_port = colon != std::string_view::npos;
    parsed.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    const auto address = IpAddress::parse(parsed.host);
    if (address && address->family() == Family::kV6) {
      // Where the address ends would be anybody's guess.
      return fail(ErrorCode::kInvalid,
                  "\"" + std::string(text) + "\" needs brackets around the IPv6 address: [" + parsed.host + "]:port");
    }
    if (!address && !is_host_name(parsed.host)) {
      return fail(ErrorCode::kInvalid,
                  "\"" + std::string(text) + "\" is not a host name or an address, with or without :port");
    }
  }
  if (has_port) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number == 0) {
      return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" has no valid port: 1 to 65535");
    }
    parsed.port = number;
  }
  return parsed;
}

std::optional<IpAddress> HostPort::literal() const {
  const auto address = IpAddress::parse(host);
  if (!address) return std::nullopt;
  return *address;
}

std::string HostPort::to_string() const { return bracketed(host, host.find(':') != std::string::npos, port); }

}  // namespace anubis::model
