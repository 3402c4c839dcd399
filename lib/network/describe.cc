#include "lib/network/describe.h"

#include <cerrno>

#include <linux/rtnetlink.h>
#include <net/if.h>

namespace anubis::network {
namespace {

std::string type_name(std::uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return "";
    case RTN_LOCAL:
      return "local ";
    case RTN_BLACKHOLE:
      return "blackhole ";
    case RTN_UNREACHABLE:
      return "unreachable ";
    case RTN_PROHIBIT:
      return "prohibit ";
    case RTN_THROW:
      return "throw ";
    default:  // not an enum of ours
      return "type " + std::to_string(type) + " ";
  }
}

}  // namespace

std::string table_name(std::uint32_t table) { return table == kMainTable ? "main" : std::to_string(table); }

std::string link_name(std::uint32_t ifindex) {
  char name[IF_NAMESIZE];
  if (if_indextoname(ifindex, name) != nullptr) return name;
  return "link " + std::to_string(ifindex);
}

std::string describe(const Route& route) {
  std::string text = route.kind == RouteKind::kThrow ? "throw " : "";
  text += route.prefix.to_string();
  if (route.ifindex != 0) text += " to " + link_name(route.ifindex);
  return text + " in table " + table_name(route.table);
}

std::string describe(const RouteRecord& record) {
  std::string text = type_name(record.type) + record.route.prefix.to_string();
  if (record.gateway) text += " via " + record.gateway->to_string();
  if (record.route.ifindex != 0) text += " to " + link_name(record.route.ifindex);
  return text + " in table " + table_name(record.route.table) + " (protocol " + protocol_name(record.route.protocol) +
         ")";
}

std::string describe(const Rule& rule) {
  return "rule " + std::to_string(rule.priority) + " (" + (rule.family == model::Family::kV4 ? "IPv4" : "IPv6") +
         (rule.action == RuleAction::kLookUp ? ", to table " + table_name(rule.table) : ", unreachable") + ")";
}

base::Error refusal(const Answer& answer, std::string_view what) {
  base::Error error = base::system_error(answer.error, std::string("cannot ").append(what));
  if (!answer.text.empty()) error.message += " (" + answer.text + ")";
  return error;
}

base::Error refusal(const Answer& answer, std::string_view what, model::Family family) {
  base::Error error = refusal(answer, what);
  if (family == model::Family::kV4) return error;
  if (means_no_such_family(answer)) {
    error.code = base::ErrorCode::kUnsupported;
    error.message += "; this kernel has IPv6 switched off";
  } else if (answer.error == EACCES) {  // without the capability it would be EPERM
    error.code = base::ErrorCode::kUnsupported;
    error.message += "; IPv6 is switched off for this link (sysctl net.ipv6.conf.*.disable_ipv6)";
  }
  return error;
}

bool means_no_such_family(const Answer& answer) { return answer.error == EOPNOTSUPP || answer.error == EAFNOSUPPORT; }

}  // namespace anubis::network
