#include "lib/roaming/home.h"

#include <algorithm>

#include <fmt/format.h>

namespace anubis::roaming {
namespace {

using base::ErrorCode;
using base::fail;
using model::IpPrefix;
using model::MacAddress;

bool is_hexadecimal(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
         (character >= 'A' && character <= 'F');
}

// Nobody calls a connection so: it is an address or a range that was mistyped. A name of digits and letters alone is
// one.
bool looks_like_numbers(std::string_view text) {
  constexpr std::string_view kPunctuation = ".:/";
  return text.find_first_of(kPunctuation) != std::string_view::npos && std::ranges::all_of(text, [&](char character) {
           return is_hexadecimal(character) || kPunctuation.find(character) != std::string_view::npos;
         });
}

base::Result<Mark> check(const MacAddress& mac) {
  if (mac.is_of_a_host()) return Mark(mac);
  return fail(ErrorCode::kInvalid, mac.to_string() + " is the MAC address of no single host; write the gateway's own");
}

base::Result<Mark> check(const IpPrefix& range) {
  if (range.is_default_route()) {
    return fail(ErrorCode::kInvalid, range.to_string() + " is everywhere; write the range of the home network");
  }
  const model::IpAddress& address = range.address();
  if (address.is_loopback() || address.is_link_local() || address.is_multicast() || address.is_unspecified()) {
    return fail(ErrorCode::kInvalid,
                range.to_string() + " tells no network from another; write the range of the home network");
  }
  return Mark(range);
}

}  // namespace

base::Result<Mark> parse_mark(std::string_view text) {
  if (const auto mac = MacAddress::parse(text)) return check(*mac);
  if (const auto range = IpPrefix::parse(text)) return check(*range);
  if (looks_like_numbers(text)) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("\"{}\" is neither a MAC address (52:54:00:12:34:56) nor a range (192.168.7.0/24), and looks "
                    "like no connection's name",
                    text));
  }
  return Mark(ConnectionName{std::string(text)});
}

std::string to_string(const Mark& mark) {
  if (const auto* const name = std::get_if<ConnectionName>(&mark)) return name->text;
  if (const auto* const mac = std::get_if<MacAddress>(&mark)) return mac->to_string();
  return std::get<IpPrefix>(mark).to_string();
}

}  // namespace anubis::roaming
