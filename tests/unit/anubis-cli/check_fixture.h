// A network for the tests of `anubis check`: xena asks, jacinth and surya are its peers, printer is behind jacinth.
#pragma once

#include <initializer_list>
#include <string>

#include "anubis-cli/check/row.h"
#include "anubis-cli/check/target.h"

namespace anubis::cli {

inline model::IpAddress ip(std::string_view text) { return model::IpAddress::parse(text).value(); }

inline void add_peer(Picture& picture, const char* name, const char* state,
                     std::initializer_list<const char*> allowed_ips) {
  auto& peer = picture.peers.emplace_back();
  peer.set_name(name);
  peer.set_state(state);
  for (const char* each : allowed_ips) peer.add_allowed_ips(each);
}

inline void add_host(Picture& picture, const char* name, const char* kind,
                     std::initializer_list<const char*> lan_addresses, std::initializer_list<const char*> addresses) {
  auto& host = picture.hosts.emplace_back();
  host.set_name(name);
  host.set_kind(kind);
  host.set_wireguard_name(std::string(name) + "wg");
  for (const char* each : lan_addresses) host.add_lan_addresses(each);
  for (const char* each : addresses) host.add_addresses(each);
}

inline Picture picture_of(const char* jacinths_state) {
  Picture picture;
  picture.host.set_name("xena");
  picture.host.set_production_interface("wg0");
  picture.host.add_production_throw("192.168.122.0/24");
  add_peer(picture, "jacinth", jacinths_state, {"10.44.0.0/24", "192.168.0.0/16"});
  add_peer(picture, "surya", "up", {"10.44.0.3/32"});
  add_host(picture, "xena", "this host", {"192.168.7.2"}, {"10.44.0.1"});
  add_host(picture, "jacinth", "peer", {"192.168.7.1", "2001:db8::1"}, {"10.44.0.2"});
  add_host(picture, "surya", "peer", {}, {});
  add_host(picture, "printer", "host", {"192.168.7.9"}, {});
  return picture;
}

// Through wg0 to jacinth, answered, and watched: all is well.
inline Row good_row() {
  Row row;
  row.target = {"jacinthwg", ip("10.44.0.2"), AddressKind::kWireGuard, Expected::kThroughTunnel};
  row.way = network::Way{.interface = "wg0",
                         .mtu = 1420,
                         .table = 214,
                         .prefix = model::IpPrefix::parse("10.44.0.0/24").value(),
                         .gateway = {},
                         .source = ip("10.44.0.1"),
                         .rule_priority = 21410};
  row.through = "jacinth";
  row.probing.sent = 10;
  row.probing.answered = 10;
  row.probing.first_hop = ip("10.44.0.2");
  row.probing.round_trips =
      RoundTrips{std::chrono::microseconds(1'234), std::chrono::milliseconds(2), std::chrono::milliseconds(3)};
  row.probing.path_mtu = 1420;
  row.captured = Captured{.marker = {{"wg0", {12, 11}}}, .bearer = {{"eth0", {12, 12}}}, .missed = 0};
  return row;
}

inline const Premises kPremises{.production_interface = "wg0", .most_loss_percent = 20};

}  // namespace anubis::cli
