// A kernel of one's own for tests, with the real one's habits: routes vanish silently with the link, its up state or
// its last IPv4 address; foreign routes stand in the way; IPv6 or WireGuard may be missing; calls fail when told to.
// The conformance tests in tests/unit/network hold it to what the real one does.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lib/network/network.h"

namespace anubis::network {

class FakeNetwork final : public Network {
 public:
  enum class Operation : std::uint8_t {
    kLink,
    kCreateLink,
    kDeleteLink,
    kSetLink,
    kAddresses,
    kAddAddress,
    kRemoveAddress,
    kRoutes,
    kAddRule,
    kRemoveRule,
    kRules,
    kRouteTo,
    kUsableAddresses,
    kDefaultRoutes,
  };

  // What the host has without us. The link's index is chosen here and returned.
  std::uint32_t add_link(Link link);
  void add_foreign_route(const Route& route) { routes_.push_back(route); }  // with a protocol that is not ours
  void rename_link(std::uint32_t ifindex, std::string name) { find(ifindex)->name = std::move(name); }
  void add_default_route(model::Sighting seen) { default_routes_.push_back(std::move(seen)); }
  void lack_wireguard() { has_wireguard_ = false; }
  void lack_ipv6() { has_ipv6_ = false; }
  void lack_ipv6_on(std::uint32_t ifindex) { without_ipv6_.push_back(ifindex); }

  // The next call of that operation fails, once; may be given several times.
  void fail_next(Operation operation, base::Error error) { faults_.emplace(operation, std::move(error)); }
  // Adding a route of that prefix fails, once (as ENOMEM would have it).
  void fail_route(const model::IpPrefix& prefix, base::Error error) { route_faults_.emplace(prefix, std::move(error)); }

  // How often something was changed; repeating what is so already counts for nothing.
  [[nodiscard]] std::size_t changes() const { return changes_; }

  base::Result<std::optional<Link>> link(std::string_view name) override;
  base::Result<std::optional<Link>> link_at(std::uint32_t ifindex) override;
  base::Result<Link> create_wireguard_link(std::string_view name, std::string_view alias) override;
  base::Status delete_link(std::uint32_t ifindex) override;
  base::Status set_link(std::uint32_t ifindex, const LinkSettings& settings) override;

  base::Result<std::vector<Address>> addresses(std::uint32_t ifindex) override;
  base::Status add_address(std::uint32_t ifindex, const model::InterfaceAddress& address,
                           PrefixRoute prefix_route) override;
  base::Status remove_address(std::uint32_t ifindex, const model::InterfaceAddress& address) override;

  std::vector<Failure> add_routes(std::span<const Route> routes) override;
  std::vector<Failure> remove_routes(std::span<const Route> routes) override;
  base::Result<std::vector<Route>> routes(const RouteFilter& filter) override;

  base::Status add_rule(const Rule& rule) override;
  base::Status remove_rule(const Rule& rule) override;
  base::Result<std::vector<Rule>> rules(std::uint8_t protocol) override;

  base::Result<RouteAnswer> route_to(const RouteQuery& query) override;

  base::Result<std::vector<model::Sighting>> usable_addresses(std::span<const std::uint32_t> except) override;
  base::Result<std::vector<model::Sighting>> default_routes(std::span<const std::uint32_t> except) override;

 private:
  struct Placed {
    std::uint32_t ifindex = 0;
    Address address;
    PrefixRoute prefix_route = PrefixRoute::kAdd;
  };

  [[nodiscard]] base::Status fault(Operation operation);
  [[nodiscard]] Link* find(std::uint32_t ifindex);
  [[nodiscard]] bool has_ipv6(std::uint32_t ifindex) const;
  [[nodiscard]] static std::optional<Route> prefix_route_of(const Placed& placed);
  void drop_routes(std::uint32_t ifindex, std::optional<model::Family> family);
  [[nodiscard]] base::Status add_route(const Route& route);

  bool has_wireguard_ = true;
  bool has_ipv6_ = true;
  std::uint32_t next_index_ = 2;  // 1 is the loopback link
  std::vector<Link> links_;
  std::vector<Placed> addresses_;
  std::vector<Route> routes_;
  std::vector<Rule> rules_;
  std::vector<model::Sighting> default_routes_;
  std::vector<std::uint32_t> without_ipv6_;
  std::multimap<Operation, base::Error> faults_;
  std::multimap<model::IpPrefix, base::Error> route_faults_;
  std::size_t changes_ = 0;
};

}  // namespace anubis::network
