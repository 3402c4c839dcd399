#include "anubis-cli/hosts_text.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "anubis-cli/json.h"

namespace anubis::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::StartsWith;

control::NamedHost host(const std::string& name, const char* kind, const std::vector<std::string>& lan_addresses,
                        const std::vector<std::string>& addresses) {
  control::NamedHost host;
  host.set_name(name);
  host.set_kind(kind);
  host.set_wireguard_name(name + "wg");
  for (const auto& each : lan_addresses) host.add_lan_addresses(each);
  for (const auto& each : addresses) host.add_addresses(each);
  return host;
}

TEST(HostsText, ALineAnAddressWithTheNameThatFits) {
  EXPECT_THAT(hosts_lines({host("xena", "this host", {"192.168.7.2", "2001:db8::7"}, {"10.44.0.7", "fd44::7"}),
                           host("printer", "host", {"192.168.7.9"}, {})}),
              ElementsAre(StartsWith("# "), "# NAME goes directly, NAMEwg goes through WireGuard.",  //
                          "192.168.7.2  xena",                                                       //
                          "2001:db8::7  xena",                                                       //
                          "10.44.0.7    xenawg",                                                     //
                          "fd44::7      xenawg",                                                     //
                          "192.168.7.9  printer"));
}

TEST(HostsText, WhoeverHasNoAddressHasNoLine) {
  EXPECT_EQ(hosts_lines({host("xena", "this host", {}, {})}).size(), 2U);
}

TEST(HostsJson, HoldsBothNames) {
  EXPECT_EQ(json::parse(hosts_json({host("selen", "peer", {"192.168.7.3"}, {"10.44.0.3", "fd44::3"})}, std::nullopt)),
            json::parse(R"({"schema": 1, "daemon": "running", "hosts": [{"name": "selen", "kind": "peer",
              "lan_addresses": ["192.168.7.3"], "wireguard_name": "selenwg", "addresses": ["10.44.0.3", "fd44::3"]}]})"));
  EXPECT_EQ(json::parse(hosts_json({}, Failure{control::NOT_RUNNING, "gone"})),
            json::parse(R"({"schema": 1, "daemon": "not running", "hosts": []})"));
}

}  // namespace
}  // namespace anubis::cli
