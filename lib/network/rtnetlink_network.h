// The kernel's links, addresses, routes and rules, by rtnetlink.
#pragma once

#include <memory>

#include "lib/network/network.h"
#include "lib/network/route_message.h"
#include "lib/network/transaction.h"

namespace anubis::network {

class RtnetlinkNetwork final : public Network {
 public:
  // In the network namespace of the calling thread, for good.
  static base::Result<std::unique_ptr<RtnetlinkNetwork>> create();
  // Over sockets of the caller's making.
  static base::Result<std::unique_ptr<RtnetlinkNetwork>> create(Transactor::Open open);

  // Bears the changes made here in a Watcher's eyes; another one after a fault.
  [[nodiscard]] std::uint32_t port() const { return transactor_.port(); }

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
  explicit RtnetlinkNetwork(Transactor transactor) : transactor_(std::move(transactor)) {}

  Answer execute(const Message& message);
  // What became of wireguard_link_creation().
  base::Result<Link> settle_creation(std::span<const Answer> answers, std::uint32_t ifindex, const std::string& what);
  // refusal(), with the link's own reasons for having no IPv6.
  base::Error refusal_on(std::uint32_t ifindex, const Answer& answer, const std::string& what, model::Family family);
  base::Result<std::optional<Link>> read_link(const Message& query, std::string_view what);
  base::Result<std::vector<RouteRecord>> records(const RouteFilter& filter, std::optional<model::Family> only_family);
  base::Result<std::vector<Link>> links_that_lead_out(std::span<const std::uint32_t> except);
  std::optional<model::MacAddress> gateway_mac(const NextHop& hop);
  // What became of routes that the kernel refused because something is there already: those at `refused`.
  void settle_refused(std::span<const Route> routes, std::span<const std::size_t> refused,
                      std::vector<Failure>& failures);

  Transactor transactor_;
};

}  // namespace anubis::network
