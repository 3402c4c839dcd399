#include "lib/config/values.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace anubis::config {

using base::ErrorCode;
using base::fail;
using model::HostPort;
using model::IpAddress;
using model::IpPrefix;

// What the kernel takes (dev_valid_name in net/core/dev.c), without the '%' that it would put a number for, and what
// means something else in the rules of a firewall.
base::Result<std::string> parse_interface(std::string_view text) {
  constexpr std::size_t kMaxName = 15;  // IFNAMSIZ with the terminating zero
  const auto is_bad = [](char character) {
    return character <= ' ' || character > '~' ||
           std::string_view("/:%*\\\"").find(character) != std::string_view::npos;
  };
  if (text.empty() || text.size() > kMaxName || text == "." || text == ".." || std::ranges::any_of(text, is_bad)) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("\"{}\" cannot name an interface: 1 to 15 characters without blanks, quotes and any of /:%*\\",
                    text));
  }
  return std::string(text);
}

base::Status check_allowed_ip(const IpPrefix& range, const IpPrefix& side_prefix) {
  const std::string text = range.to_string();
  const IpPrefix loopback(
      range.family() == model::Family::kV4 ? *IpAddress::parse("127.0.0.0") : *IpAddress::parse("::1"),
      range.family() == model::Family::kV4 ? 8 : 128);
  if (range.is_default_route()) return {};
  if (loopback.contains(range))
    return fail(ErrorCode::kInvalid, text + " is loopback and never leaves a host; take it out");
  if (range.length() == range.address().bits() && range.address().is_unspecified()) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is no address of anybody; a default route is written {}/0", text,
                                                 range.address().to_string()));
  }
  if (side_prefix.overlaps(range)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} overlaps the side prefix {}, which is for Anubis alone; take it out "
                            "or set side.prefix to another, on every host",
                            text, side_prefix.to_string()));
  }
  return {};
}

base::Result<HostPort> parse_endpoint(std::string_view text, const IpPrefix& side_prefix) {
  auto parsed = HostPort::parse(text);
  if (!parsed) return parsed;
  const auto literal = parsed->literal();
  if (literal && (literal->is_unspecified() || literal->is_multicast())) {
    return fail(ErrorCode::kInvalid, parsed->host + " is the address of no single host; name the host's own");
  }
  if (literal && side_prefix.contains(*literal)) {
    return fail(ErrorCode::kInvalid, parsed->host +
                                         " is a side address, which stands inside the tunnel; name the "
                                         "address at which the host is reached without it");
  }
  return parsed;
}

}  // namespace anubis::config
