#include "anubisd/netd/firewall_report.h"

#include <limits>

#include <netd.pb.h>

namespace anubis::netd {

std::vector<Part> parts_of(std::string_view bytes) {
  std::vector<Part> parts;
  do {
    parts.push_back({std::string(bytes.substr(0, Record<Part>::kRoom))});
    bytes.remove_prefix(parts.back().bytes.size());
  } while (!bytes.empty());
  return parts;
}

std::string joined(const std::vector<Part>& parts) {
  std::string bytes;
  for (const Part& part : parts) bytes += part.bytes;
  return bytes;
}

std::string encode(const FirewallReport& report) {
  snapshot::FirewallReport out;
  out.set_state(static_cast<std::uint32_t>(report.state));
  out.set_is_configured(report.is_configured);
  for (const auto& each : report.closed_ports) {
    snapshot::ClosedPort& port = *out.add_closed_ports();
    port.set_port(each.port);
    port.set_table(each.table);
    port.set_chain(each.chain);
    port.set_v4(each.v4);
    port.set_v6(each.v6);
    port.set_advice(each.advice);
  }
  return out.SerializeAsString();
}

base::Result<FirewallReport> decode_firewall_report(const std::string& bytes) {
  snapshot::FirewallReport in;
  if (!in.ParseFromString(bytes) || in.state() > static_cast<std::uint32_t>(FirewallState::kChanged))
    return base::fail(base::ErrorCode::kInternal, "anubis-netd tells something of the firewall that is no report");
  FirewallReport report{
      .state = static_cast<FirewallState>(in.state()), .is_configured = in.is_configured(), .closed_ports = {}};
  for (const auto& each : in.closed_ports()) {
    report.closed_ports.push_back({.port = static_cast<std::uint16_t>(each.port()),
                                   .table = each.table(),
                                   .chain = each.chain(),
                                   .v4 = each.v4(),
                                   .v6 = each.v6(),
                                   .advice = each.advice()});
  }
  return report;
}

}  // namespace anubis::netd
