#include "lib/config/host_entry.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "lib/config/peer_entry.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;
using model::IpAddress;

base::Result<IpAddress> parse_host_address(std::string_view text, const model::IpPrefix& side_prefix) {
  if (text.find('/') != std::string_view::npos) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" has a length; an address of a host stands alone: {}", text,
                                                 text.substr(0, text.find('/'))));
  }
  auto address = IpAddress::parse(text);
  if (!address) return address;
  if (address->is_link_local()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} means nothing beyond its link; name an address that all hosts can use", text));
  }
  if (!can_name_a_host(*address)) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is the address of no single host; name the host's own", text));
  }
  if (side_prefix.contains(*address)) {
    return fail(ErrorCode::kInvalid, fmt::format("{} lies in the side prefix {}, which is for Anubis alone; name an "
                                                 "address that carries traffic",
                                                 text, side_prefix.to_string()));
  }
  return address;
}

}  // namespace

std::string HostEntry::key_path(std::string_view key) const { return fmt::format("host[{}].{}", number, key); }

bool can_name_a_host(const IpAddress& address) {
  static const auto broadcast = IpAddress::v4(std::array<std::uint8_t, 4>{255, 255, 255, 255});
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() && !address.is_link_local() &&
         address != broadcast;
}

void read_host_addresses(Section& section, std::string_view key, const model::IpPrefix& side_prefix,
                         std::vector<IpAddress>& addresses, std::vector<Place>& places) {
  const auto parse = [&side_prefix](std::string_view text) { return parse_host_address(text, side_prefix); };
  for (const auto& [address, place] : section.parsed_all(key, parse)) {
    addresses.push_back(address);
    places.push_back(place);
  }
}

HostEntry read_host(const Table& table, std::uint32_t number, const model::IpPrefix& side_prefix, Report& report) {
  Section section(table, fmt::format("host[{}]", number), report);
  HostEntry entry;
  entry.number = number;
  section.require("name", "say what to call this host, as in: anubis check NAME");
  if (auto name = section.parsed("name", parse_name)) {
    entry.host.name = std::move(name->value);
    entry.name = name->place;
  }
  read_host_addresses(section, "addresses", side_prefix, entry.host.addresses, entry.addresses);
  read_host_addresses(section, "lan_addresses", side_prefix, entry.host.lan_addresses, entry.lan_addresses);
  if (!section.has("addresses") && !section.has("lan_addresses")) {
    section.error(section.place(), "lan_addresses", "is missing; say where it is, here or as addresses");
  }
  section.finish();
  return entry;
}

}  // namespace anubis::config
