#include "anubis-cli/json.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace anubis::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Snapshot one_peer_up() {
  Snapshot snapshot;
  snapshot.host.emplace().set_name("xena");
  auto& peer = snapshot.peers.emplace_back();
  peer.set_name("jacinth");
  peer.set_state("up");
  peer.set_initiator(true);
  peer.set_public_key("qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c=");
  peer.set_endpoint("192.0.2.1:4296");
  peer.add_allowed_ips("10.44.0.0/24");
  peer.set_since(1'790'000'000);
  peer.set_lease_seconds_left(3'540);
  peer.set_latest_handshake(1'790'000'001);
  peer.set_rx_bytes(1'234);
  peer.set_tx_bytes(5'678);
  return snapshot;
}

// The contract of design section 2: what scripts read, with its types and values.
TEST(StatusJson, HoldsTheContract) {
  const auto contract = json::parse(R"(
    {"schema": 1, "host": "xena", "daemon": "running", "peers": [
      {"name": "jacinth", "state": "up", "initiator": true,
       "public_key": "qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c=", "endpoint": "192.0.2.1:4296",
       "allowed_ips": ["10.44.0.0/24"], "since": 1790000000, "lease_seconds_left": 3540,
       "latest_handshake": 1790000001, "rx_bytes": 1234, "tx_bytes": 5678, "reason": ""}]})");
  const auto actual = json::parse(status_json(one_peer_up(), Layout::kIndented));
  for (const auto& field : {"schema", "host", "daemon"}) EXPECT_EQ(actual[field], contract[field]);
  ASSERT_EQ(actual["peers"].size(), 1U);
  for (const auto& [field, value] : contract["peers"][0].items()) EXPECT_EQ(actual["peers"][0][field], value) << field;
  EXPECT_FALSE(actual.contains("error"));
}

TEST(StatusJson, SchemaComesFirst) {
  EXPECT_EQ(status_json(one_peer_up(), Layout::kOneLine).find("{\"schema\":1,"), 0U);
}

TEST(StatusJson, NoLeaseIsNull) {
  auto snapshot = one_peer_up();
  snapshot.peers[0].clear_lease_seconds_left();
  EXPECT_TRUE(json::parse(status_json(snapshot, Layout::kOneLine))["peers"][0]["lease_seconds_left"].is_null());
  snapshot.peers[0].set_lease_seconds_left(0);
  EXPECT_EQ(json::parse(status_json(snapshot, Layout::kOneLine))["peers"][0]["lease_seconds_left"], 0);
}

TEST(StatusJson, DaemonDownIsExactlyTheContract) {
  Snapshot snapshot;
  snapshot.failure = Failure{control::NOT_RUNNING, "anubisd is not running"};
  const auto contract = json::parse(R"({"schema": 1, "daemon": "not running", "peers": []})");
  EXPECT_EQ(json::parse(status_json(snapshot, Layout::kIndented)), contract);
  // One that goes away in the middle of its answer is not running either.
  auto halfway = one_peer_up();
  halfway.failure = snapshot.failure;
  EXPECT_EQ(json::parse(status_json(halfway, Layout::kOneLine)), contract);
}

TEST(StatusJson, UnknownPeerIsAnError) {
  auto snapshot = one_peer_up();
  snapshot.peers.clear();
  snapshot.failure = Failure{control::NO_SUCH_PEER, "there is no peer tom"};
  const auto actual = json::parse(status_json(snapshot, Layout::kIndented));
  EXPECT_EQ(actual["daemon"], "running");
  EXPECT_EQ(actual["peers"], json::array());
  EXPECT_EQ(actual["error"], "there is no peer tom");
}

TEST(StatusJson, WhatCouldNotBeAskedIsUnknown) {
  Snapshot snapshot;
  snapshot.failure = Failure{control::NOT_PERMITTED, "no permission"};
  const auto actual = json::parse(status_json(snapshot, Layout::kIndented));
  EXPECT_EQ(actual["daemon"], "unknown");
  EXPECT_EQ(actual["error"], "no permission");
}

TEST(StatusJson, TellsOfTheHost) {
  auto snapshot = one_peer_up();
  snapshot.host->set_degraded("wg0 is gone");
  snapshot.host->set_place("away");
  snapshot.host->set_place_reason("nothing here is a mark of home");
  snapshot.host->set_production_interface("wg0");
  snapshot.host->set_side_address("fd77::1");
  auto& counter = *snapshot.host->add_counters();
  counter.set_name("dropped");
  counter.set_value(7);
  const auto actual = json::parse(status_json(snapshot, Layout::kIndented));
  EXPECT_EQ(actual["degraded"], "wg0 is gone");
  EXPECT_EQ(actual["place"], "away");
  EXPECT_EQ(actual["place_reason"], "nothing here is a mark of home");
  EXPECT_EQ(actual["production"]["interface"], "wg0");
  EXPECT_EQ(actual["side"]["address"], "fd77::1");
  EXPECT_EQ(actual["counters"]["dropped"], 7);
}

TEST(Json, IsSafeOnATerminalWhateverTheDaemonSays) {
  auto snapshot = one_peer_up();
  snapshot.peers[0].set_reason("\x1b[31m \x7f \xc2\x9b \xff Ž");
  const auto text = status_json(snapshot, Layout::kOneLine);
  for (const char byte : text) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << static_cast<int>(byte);
  EXPECT_EQ(json::parse(text)["peers"][0]["reason"], "\x1b[31m \x7f \xc2\x9b \xef\xbf\xbd Ž");
}

TEST(Json, OneLineIsOneLine) {
  EXPECT_THAT(status_json(one_peer_up(), Layout::kOneLine), Not(HasSubstr("\n")));
  EXPECT_THAT(status_json(one_peer_up(), Layout::kIndented), HasSubstr("\n"));
}

TEST(PeersJson, HoldsTheWholeKeys) {
  control::AuthorisedPeer peer;
  peer.set_name("jacinth");
  peer.set_public_key("production=");
  peer.set_side_public_key("side=");
  peer.set_side_address("fd77::2");
  peer.set_endpoint("jacinth.example.net:4296");
  peer.add_allowed_ips("::/0");
  peer.set_group("gateways");
  const auto actual = json::parse(peers_json({peer}, std::nullopt));
  EXPECT_EQ(actual, json::parse(R"({"schema": 1, "daemon": "running", "peers": [
    {"name": "jacinth", "group": "gateways", "lease_seconds": null, "endpoint": "jacinth.example.net:4296",
     "allowed_ips": ["::/0"], "side_address": "fd77::2", "public_key": "production=", "side_public_key": "side="}]})"));
  peer.set_lease_seconds(60);
  EXPECT_EQ(json::parse(peers_json({peer}, std::nullopt))["peers"][0]["lease_seconds"], 60);
}

TEST(PeersJson, DaemonDown) {
  EXPECT_EQ(json::parse(peers_json({}, Failure{control::NOT_RUNNING, "gone"})),
            json::parse(R"({"schema": 1, "daemon": "not running", "peers": []})"));
}

TEST(EventJson, IsOneObjectWithASchema) {
  control::Event event;
  event.set_time(1'790'000'000);
  event.set_peer("jacinth");
  event.set_kind("state");
  event.set_state("up");
  event.set_initiator(true);
  EXPECT_EQ(json::parse(event_json(event)), json::parse(R"({"schema": 1, "time": 1790000000, "event": "state",
    "peer": "jacinth", "state": "up", "initiator": true, "reason": ""})"));
  EXPECT_EQ(monitor_end_json({control::NOT_RUNNING, "gone"}), R"({"schema":1,"daemon":"not running"})");
}

TEST(Json, OfTheFirewall) {
  control::FirewallStatus status;
  status.set_state("changed");
  status.set_configured(true);
  status.set_rules("table inet anubis {\n}\n");
  auto& port = *status.add_closed_ports();
  port.set_port(4297);
  port.set_table("ip filter");
  port.set_chain("INPUT");
  port.add_families("ipv4");
  port.set_advice("ufw allow 4297/udp");
  EXPECT_EQ(nlohmann::json::parse(firewall_json(status, {})), nlohmann::json::parse(R"({"schema": 1,
    "daemon": "running", "state": "changed", "configured": true, "rules": "table inet anubis {\n}\n",
    "closed_ports": [{"port": 4297, "table": "ip filter", "chain": "INPUT", "families": ["ipv4"],
                      "advice": "ufw allow 4297/udp"}]})"));
  EXPECT_EQ(nlohmann::json::parse(firewall_json({}, Failure{control::NOT_RUNNING, "no"})),
            nlohmann::json::parse(R"({"schema": 1, "daemon": "not running"})"));
}

}  // namespace
}  // namespace anubis::cli
