#include "anubis-cli/check/json.h"

#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "anubis-cli/json.h"

namespace anubis::cli {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json text_or_null(const std::optional<Value>& value) {
  return value ? Json(value->to_string()) : Json(nullptr);
}

// Microseconds are all that is known.
double milliseconds(base::Duration duration) {
  return std::round(std::chrono::duration<double, std::micro>(duration).count()) / 1000;
}

const char* word_for(AddressKind kind) {
  switch (kind) {
    case AddressKind::kLan:
      return "lan";
    case AddressKind::kWireGuard:
      return "wireguard";
    case AddressKind::kGiven:
      return "given";
  }
  return "";
}

Json route_json(const network::Way& way) {
  return {{"interface", way.interface},         {"table", way.table},
          {"prefix", text_or_null(way.prefix)}, {"gateway", text_or_null(way.gateway)},
          {"source", text_or_null(way.source)}, {"rule", way.rule_priority ? Json(*way.rule_priority) : Json(nullptr)}};
}

Json seen_json(const std::map<std::string, SeenOn>& all) {
  Json list = Json::array();
  for (const auto& [interface, seen] : all) {
    list.push_back({{"interface", interface}, {"sent", seen.sent}, {"received", seen.received}});
  }
  return list;
}

Json round_trips_json(const RoundTrips& trips) {
  return {{"min", milliseconds(trips.least)}, {"avg", milliseconds(trips.average)}, {"max", milliseconds(trips.most)}};
}

Json row_json(const Row& row, const Premises& premises) {
  const Probing& probing = row.probing;
  Json json;
  json["name"] = row.target.name;
  json["address"] = row.target.address.to_string();
  json["kind"] = word_for(row.target.kind);
  json["expected"] = row.target.expected == Expected::kThroughTunnel ? "tunnel" : "direct";
  json["path"] = !row.way ? "none" : is_in_tunnel(row, premises) ? "tunnel" : "direct";
  json["through"] = row.through;
  json["first_hop"] = text_or_null(probing.first_hop);
  json["first_hop_name"] = row.first_hop_name;
  json["route"] = row.way ? route_json(*row.way) : Json(nullptr);
  json["sent"] = probing.sent;
  json["answered"] = probing.answered;
  json["refused_by"] = text_or_null(probing.refused_by);
  json["loss_percent"] = std::round(probing.loss_percent() * 10) / 10;
  json["round_trip_ms"] = probing.round_trips ? round_trips_json(*probing.round_trips) : Json(nullptr);
  json["path_mtu"] = probing.path_mtu ? Json(*probing.path_mtu) : Json(nullptr);
  json["capture"] = row.captured ? Json{{"marker", seen_json(row.captured->marker)},
                                        {"bearer_packets", seen_json(row.captured->bearer)},
                                        {"missed", row.captured->missed}}
                                 : Json(nullptr);
  json["verdict"] = word_for(row.verdict);
  json["reason"] = row.reason;
  return json;
}

}  // namespace

std::string check_json(const Report& report, const std::optional<Failure>& failure) {
  Json json;
  json["schema"] = kSchema;
  json["daemon"] = daemon_word(failure, !report.host.empty());
  json["host"] = report.host;
  json["name"] = report.name;
  json["ok"] = !failure && !report.rows.empty() && exit_status(report.rows) == control::DONE;
  Json rows = Json::array();
  if (!failure) {
    for (const Row& row : report.rows) rows.push_back(row_json(row, report.premises));
  }
  json["addresses"] = std::move(rows);
  if (failure) json["error"] = failure->message;
  return json.dump(2, ' ', true, Json::error_handler_t::replace);
}

}  // namespace anubis::cli
