#include "anubis-cli/json.h"

#include <nlohmann/json.hpp>

namespace anubis::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, Layout layout) {
  constexpr bool kAscii = true;
  return json.dump(layout == Layout::kIndented ? 2 : -1, ' ', kAscii, Json::error_handler_t::replace);
}

template <class Strings>
Json list_of(const Strings& strings) {
  Json list = Json::array();
  for (const auto& string : strings) list.push_back(string);
  return list;
}

// The sentence is of no use to a script that has read "not running" already; the contract shows that object without it.
void add_error(Json& json, const std::optional<Failure>& failure) {
  if (failure && failure->status != control::NOT_RUNNING) json["error"] = failure->message;
}

template <class Ports>
Json closed_ports_json(const Ports& ports) {
  Json list = Json::array();
  for (const auto& port : ports) {
    list.push_back({{"port", port.port()},
                    {"table", port.table()},
                    {"chain", port.chain()},
                    {"families", list_of(port.families())},
                    {"advice", port.advice()}});
  }
  return list;
}

void add_host(Json& json, const control::HostStatus& host) {
  json["version"] = host.version();
  json["degraded"] = host.degraded();
  json["place"] = host.place();
  json["place_reason"] = host.place_reason();
  json["firewall"] = host.firewall();
  json["closed_ports"] = closed_ports_json(host.closed_ports());
  json["production"] = {{"interface", host.production_interface()},
                        {"public_key", host.production_public_key()},
                        {"backend", host.production_backend()}};
  json["side"] = {
      {"interface", host.side_interface()}, {"address", host.side_address()}, {"public_key", host.side_public_key()}};
  Json counters = Json::object();
  for (const auto& counter : host.counters()) counters[counter.name()] = counter.value();
  json["counters"] = std::move(counters);
}

Json peer_json(const control::PeerStatus& peer) {
  Json json;
  json["name"] = peer.name();
  json["state"] = peer.state();
  json["initiator"] = peer.initiator();
  json["public_key"] = peer.public_key();
  json["endpoint"] = peer.endpoint();
  json["allowed_ips"] = list_of(peer.allowed_ips());
  json["since"] = peer.since();
  json["lease_seconds_left"] = peer.has_lease_seconds_left() ? Json(peer.lease_seconds_left()) : Json(nullptr);
  json["latest_handshake"] = peer.latest_handshake();
  json["rx_bytes"] = peer.rx_bytes();
  json["tx_bytes"] = peer.tx_bytes();
  json["reason"] = peer.reason();
  json["side_latest_handshake"] = peer.side_latest_handshake();
  json["side_endpoint"] = peer.side_endpoint();
  json["endpoint_port_in_use"] = peer.endpoint_port_in_use() != 0 ? Json(peer.endpoint_port_in_use()) : Json(nullptr);
  json["wanted"] = peer.wanted();
  json["wanted_seconds_left"] = peer.has_wanted_seconds_left() ? Json(peer.wanted_seconds_left()) : Json(nullptr);
  json["persistent"] = peer.persistent();
  json["retry_seconds"] = peer.has_retry_seconds() ? Json(peer.retry_seconds()) : Json(nullptr);
  json["liveness"] = peer.liveness();
  json["silent_seconds"] = peer.silent_seconds();
  json["with_server"] = peer.with_server();
  return json;
}

Json authorised_json(const control::AuthorisedPeer& peer) {
  Json json;
  json["name"] = peer.name();
  json["group"] = peer.group();
  json["lease_seconds"] = peer.lease_seconds() != 0 ? Json(peer.lease_seconds()) : Json(nullptr);
  json["endpoint"] = peer.endpoint();
  json["allowed_ips"] = list_of(peer.allowed_ips());
  json["side_address"] = peer.side_address();
  json["public_key"] = peer.public_key();
  json["side_public_key"] = peer.side_public_key();
  return json;
}

Json named_json(const control::NamedHost& host) {
  Json json;
  json["name"] = host.name();
  json["kind"] = host.kind();
  json["lan_addresses"] = list_of(host.lan_addresses());
  json["wireguard_name"] = host.wireguard_name();
  json["addresses"] = list_of(host.addresses());
  return json;
}

}  // namespace

const char* daemon_word(const std::optional<Failure>& failure, bool has_answered) {
  if (!failure) return "running";
  if (failure->status == control::NOT_RUNNING) return "not running";
  return has_answered || failure->status == control::NO_SUCH_PEER ? "running" : "unknown";
}

std::string status_json(const Snapshot& snapshot, Layout layout) {
  const bool is_running = !snapshot.failure || snapshot.failure->status != control::NOT_RUNNING;
  Json json;
  json["schema"] = kSchema;
  if (snapshot.host && is_running) json["host"] = snapshot.host->name();
  json["daemon"] = daemon_word(snapshot.failure, snapshot.host.has_value());
  Json peers = Json::array();
  if (!snapshot.failure) {  // else they may be incomplete
    for (const auto& peer : snapshot.peers) peers.push_back(peer_json(peer));
  }
  json["peers"] = std::move(peers);
  if (snapshot.host && is_running) add_host(json, *snapshot.host);
  add_error(json, snapshot.failure);
  return text_of(json, layout);
}

std::string peers_json(const std::vector<control::AuthorisedPeer>& peers, const std::optional<Failure>& failure) {
  Json json;
  json["schema"] = kSchema;
  json["daemon"] = daemon_word(failure, false);
  Json list = Json::array();
  if (!failure) {
    for (const auto& peer : peers) list.push_back(authorised_json(peer));
  }
  json["peers"] = std::move(list);
  add_error(json, failure);
  return text_of(json, Layout::kIndented);
}

std::string hosts_json(const std::vector<control::NamedHost>& hosts, const std::optional<Failure>& failure) {
  Json json;
  json["schema"] = kSchema;
  json["daemon"] = daemon_word(failure, false);
  Json list = Json::array();
  if (!failure) {
    for (const auto& host : hosts) list.push_back(named_json(host));
  }
  json["hosts"] = std::move(list);
  add_error(json, failure);
  return text_of(json, Layout::kIndented);
}

std::string firewall_json(const control::FirewallStatus& status, const std::optional<Failure>& failure) {
  Json json;
  json["schema"] = kSchema;
  json["daemon"] = daemon_word(failure, false);
  if (!failure) {
    json["state"] = status.state();
    json["configured"] = status.configured();
    json["rules"] = status.rules();
    json["closed_ports"] = closed_ports_json(status.closed_ports());
  }
  add_error(json, failure);
  return text_of(json, Layout::kIndented);
}

std::string event_json(const control::Event& event) {
  Json json;
  json["schema"] = kSchema;
  json["time"] = event.time();
  json["event"] = event.kind();
  json["peer"] = event.peer();
  json["state"] = event.state();
  json["initiator"] = event.initiator();
  json["reason"] = event.reason();
  return text_of(json, Layout::kOneLine);
}

std::string monitor_end_json(const Failure& failure) {
  Json json;
  json["schema"] = kSchema;
  json["daemon"] = daemon_word(failure, false);
  add_error(json, failure);
  return text_of(json, Layout::kOneLine);
}

}  // namespace anubis::cli
