#include "tests/unit/faults/host.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "lib/wireguard/kernel_device.h"

namespace anubis::faults {
namespace {

using base::Result;
using base::Status;

constexpr std::uint8_t kForeignProtocol = 4;  // RTPROT_STATIC
constexpr std::uint32_t kTable = 214;

// Mistakes of the test's own.
void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

// What is behind a tun link, and fails when it is told to: whatever serves it does not do what it is asked for
// ("answer", "send"), or does it and nobody hears of it ("receive").
class FaultyDevice final : public wireguard::Device {
 public:
  FaultyDevice(wireguard::Device& device, Plan& plan) : device_(device), plan_(plan) {}

  Status configure(const wireguard::Configuration& configuration) override {
    return call("device configure", [&] { return device_.configure(configuration); });
  }
  Result<wireguard::DeviceInfo> info() override {
    return call("device info", [&] { return device_.info(); });
  }
  Status visit(wireguard::DumpVisitor& visitor) override {
    return call("device dump", [&] { return device_.visit(visitor); });
  }
  wireguard::PeerFailures apply(std::span<const wireguard::PeerChange> changes) override {
    const Fault* const fault = plan_.pass("device apply");
    if (fault == nullptr) return device_.apply(changes);
    const bool is_done = fault->way == Way::kReceive;
    if (is_done) (void)device_.apply(changes);
    wireguard::PeerFailures failures;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      failures.push_back(
          {i, is_done ? wireguard::FailedState::kUnknown : wireguard::FailedState::kNotApplied, error_of(*fault)});
    }
    return failures;
  }

 private:
  static base::Error error_of(const Fault& fault) {
    return base::system_error(fault.error, "the device does not answer");
  }

  template <class Call>
  auto call(const char* site, const Call& real) -> decltype(real()) {
    const Fault* const fault = plan_.pass(site);
    if (fault == nullptr) return real();
    if (fault->way == Way::kReceive) (void)real();
    return base::fail(error_of(*fault));
  }

  wireguard::Device& device_;
  Plan& plan_;
};

// False: it is there already.
bool add_tun(const std::string& name) {
  const base::Fd tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
  std::strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
  if (!tun || ioctl(tun.get(), TUNSETIFF, &request) != 0) return false;
  if (ioctl(tun.get(), TUNSETPERSIST, 1) != 0) throw std::runtime_error("a tun link cannot stay");
  // No link-local address, which would come and go by itself.
  if (FILE* file = fopen(("/proc/sys/net/ipv6/conf/" + name + "/addr_gen_mode").c_str(), "w"); file != nullptr) {
    (void)fputs("1", file);
    (void)fclose(file);
  }
  return true;
}

std::string describe(const network::Route& route, const std::string& link) {
  return fmt::format("route {} {} table {} protocol {}", route.prefix.to_string(),
                     route.kind == network::RouteKind::kThrow ? "throw" : link, route.table, route.protocol);
}

}  // namespace

Result<netd::OpenedDevice> TestDevices::open_kernel(std::string_view interface) {
  auto device = wireguard::KernelDevice::create(std::string(interface), faulty_generic_netlink(plan_));
  if (!device) return base::fail(device.error());
  return netd::OpenedDevice{std::move(*device), std::nullopt};
}

Result<netd::OpenedDevice> TestDevices::open_userspace(std::string_view interface) {
  const std::string name(interface);
  if (add_tun(name)) fakes_[name].reappear();
  return netd::OpenedDevice{std::make_unique<FaultyDevice>(fakes_[name], plan_), std::nullopt};
}

wireguard::Device& TestDevices::at(const std::string& interface) {
  if (!must(wireguard::kernel_has_wireguard())) return fakes_[interface];
  auto& device = real_[interface];
  if (!device) device = must(wireguard::KernelDevice::create(interface));
  return *device;
}

void TestDevices::clear() { fakes_.clear(); }

Host::Host(Plan& plan) : plan_(plan), config_(netd::xena()), devices_(plan) {
  directory_.replace(
      {netd::peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}), netd::peer("opal", 2, {"10.44.2.0/24"})});
  clean_ = must(network::RtnetlinkNetwork::create());
  must(clean_->set_link(1, {.mtu = {}, .up = true, .alias = {}}));
  if (!add_tun("other")) throw std::runtime_error("no tun link");
  must(clean_->set_link(ifindex("other"), {.mtu = {}, .up = true, .alias = {}}));
  must(clean_->add_address(ifindex("other"), {netd::ip("192.0.2.2"), 24}, network::PrefixRoute::kAdd));
  for (const std::uint32_t table : {network::kMainTable, kTable}) {
    network::Route route;
    route.prefix = netd::prefix("203.0.113.0/24");
    route.table = table;
    route.ifindex = ifindex("other");
    route.protocol = kForeignProtocol;
    must(network::all_in_place(clean_->add_routes(std::span(&route, 1))));
  }
  must(clean_->add_rule({.priority = 100, .table = 100, .protocol = kForeignProtocol}));
}

std::uint32_t Host::ifindex(const std::string& name) {
  const auto link = must(clean_->link(name));
  if (!link) throw std::runtime_error("there is no " + name);
  return link->index;
}

Status Host::start() {
  kill();
  auto network = network::RtnetlinkNetwork::create(faulty_route_channels(plan_));
  if (!network) return base::fail(network.error());
  network_ = std::move(*network);
  auto watcher = network::Watcher::create(faulty_notifications(plan_));
  if (!watcher) return base::fail(watcher.error());
  (*watcher)->ignore(static_cast<network::RtnetlinkNetwork&>(*network_).port());
  auto netd = netd::LocalNetd::create(config_, directory_, *network_, devices_, firewall_, std::move(*watcher));
  if (!netd) return base::fail(netd.error());
  netd_ = std::move(*netd);
  return {};
}

Status Host::bring_up() {
  for (const auto which : {netd::Interface::kSide, netd::Interface::kProduction}) {
    if (const auto report = netd_->bring_up(which); !report) return base::fail(report.error());
  }
  return {};
}

void Host::kill() {
  netd_.reset();
  network_.reset();
}

void Host::purge() {
  kill();
  config_.production.table = kTable;
  config_.production.throw_ranges = {netd::prefix("192.168.122.0/24")};
  for (const char* name : {"wg0", "wg7", "anubis0"}) {
    if (const auto link = must(clean_->link(name))) must(clean_->delete_link(link->index));
  }
  for (const auto& rule : must(clean_->rules(network::kRouteProtocol))) must(clean_->remove_rule(rule));
  const auto routes = must(clean_->routes({.protocol = network::kRouteProtocol, .table = {}}));
  must(network::all_in_place(clean_->remove_routes(routes)));
  devices_.clear();
}

void Host::add_foreign_interface(const std::string& name) {
  if (!must(wireguard::kernel_has_wireguard())) {
    must(devices_.open_userspace(name));
  } else {
    must(clean_->create_wireguard_link(name, ""));
  }
  const wireguard::PeerChange stranger{.public_key = netd::public_key(99),
                                       .allowed_ips = {{netd::prefix("10.66.0.0/16")}}};
  if (!devices_.at(name).apply(std::span(&stranger, 1)).empty()) throw std::runtime_error("no peer of others");
  must(clean_->set_link(ifindex(name), {.mtu = {}, .up = true, .alias = {}}));
}

void Host::describe_link(const std::string& name, std::vector<std::string>& lines) {
  const auto link = must(clean_->link(name));
  if (!link) return;
  lines.push_back(fmt::format("link {} {} mtu {} alias '{}'", name, link->up ? "up" : "down", link->mtu, link->alias));
  for (const auto& address : must(clean_->addresses(link->index))) {
    lines.push_back(fmt::format("address {} {}", name, address.address.to_string()));
  }
  if (name == "other") return;
  const auto device = must(devices_.at(name).dump());
  lines.push_back(fmt::format("device {} key {} port {}", name, device.public_key ? device.public_key->brief() : "none",
                              device.listen_port));
  for (const auto& peer : device.peers) {
    std::vector<std::string> allowed_ips;
    allowed_ips.reserve(peer.allowed_ips.size());
    for (const auto& prefix : peer.allowed_ips) allowed_ips.push_back(prefix.to_string());
    std::ranges::sort(allowed_ips);
    std::string all;
    for (const auto& each : allowed_ips) all += each + " ";
    lines.push_back(fmt::format("peer {} {} {} allowed {}keepalive {} psk {}", name, peer.public_key.brief(),
                                peer.endpoint ? peer.endpoint->to_string() : "nowhere", all, peer.persistent_keepalive,
                                peer.preshared_key != nullptr));
  }
}

std::string Host::state() {
  std::vector<std::string> lines;
  std::map<std::uint32_t, std::string> names;
  for (const char* name : {"wg0", "anubis0", "other"}) {
    if (const auto link = must(clean_->link(name))) names[link->index] = name;
    describe_link(name, lines);
  }
  for (const std::uint8_t protocol : {network::kRouteProtocol, kForeignProtocol}) {
    for (const auto& rule : must(clean_->rules(protocol))) {
      lines.push_back(fmt::format("rule {} {} table {} protocol {}", rule.family == model::Family::kV4 ? 4 : 6,
                                  rule.priority, rule.table, protocol));
    }
    for (const auto& route : must(clean_->routes({.protocol = protocol, .table = {}}))) {
      lines.push_back(describe(route, names[route.ifindex]));
    }
  }
  std::ranges::sort(lines);
  std::string state;
  for (const auto& line : lines) state += line + "\n";
  return state;
}

}  // namespace anubis::faults
