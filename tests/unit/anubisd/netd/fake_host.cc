#include "tests/unit/anubisd/netd/fake_host.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/core.h>
#include <sys/eventfd.h>

#include "lib/base/fd.h"
#include "lib/network/channel.h"

namespace anubis::netd {
namespace {

class BorrowedDevice final : public wireguard::Device {
 public:
  explicit BorrowedDevice(wireguard::Device& device) : device_(device) {}
  base::Status configure(const wireguard::Configuration& configuration) override {
    return device_.configure(configuration);
  }
  wireguard::PeerFailures apply(std::span<const wireguard::PeerChange> changes) override {
    return device_.apply(changes);
  }
  base::Result<wireguard::DeviceInfo> info() override { return device_.info(); }
  base::Status visit(wireguard::DumpVisitor& visitor) override { return device_.visit(visitor); }

 private:
  wireguard::Device& device_;
};

// A netlink socket on which nothing comes but errors.
class SilentChannel final : public network::Channel {
 public:
  explicit SilentChannel(std::shared_ptr<int> error) : error_(std::move(error)), fd_(eventfd(0, EFD_CLOEXEC)) {}
  int send(std::span<const std::uint8_t> /*bytes*/) override { return 0; }
  tl::expected<Received, int> receive(std::span<std::uint8_t> /*buffer*/,
                                      std::chrono::milliseconds /*timeout*/) override {
    const int error = std::exchange(*error_, 0);
    return tl::unexpected(error != 0 ? error : ETIMEDOUT);
  }
  [[nodiscard]] int fd() const override { return fd_.get(); }
  [[nodiscard]] std::uint32_t port() const override { return 1; }

 private:
  std::shared_ptr<int> error_;
  base::Fd fd_;
};

}  // namespace

base::Result<OpenedDevice> FakeDevices::open(std::string_view interface) {
  return OpenedDevice{std::make_unique<BorrowedDevice>(devices_[std::string(interface)]), std::nullopt};
}

base::Result<OpenedDevice> FakeDevices::open_kernel(std::string_view interface) { return open(interface); }

base::Result<OpenedDevice> FakeDevices::open_userspace(std::string_view interface) {
  if (!*network_.link(interface)) {
    network_.add_link(
        {.index = 0, .name = std::string(interface), .kind = "tun", .mtu = 1420, .up = false, .alias = ""});
    ++userspace_starts_;
  }
  return open(interface);
}

base::Status FakeDevices::check_listen_port(std::uint16_t port) {
  if (taken_port_ == port) return base::fail(base::ErrorCode::kExists, "the port is taken");
  return {};
}

std::unique_ptr<LocalNetd> FakeHostTest::new_netd() {
  auto watcher = std::make_unique<network::Watcher>(std::make_unique<SilentChannel>(watcher_error_));
  return LocalNetd::create(config_, directory_, network_, devices_, firewall_, std::move(watcher)).value();
}

void FakeHostTest::bring_up() {
  netd_ = new_netd();
  for (const Interface which : {Interface::kSide, Interface::kProduction}) {
    const auto report = netd_->bring_up(which);
    ASSERT_TRUE(report) << report.error().message;
  }
}

PeerIndex FakeHostTest::add_peer(model::Peer peer) {
  const auto name = peer.name;
  peers_.push_back(std::move(peer));
  directory_.replace(peers_);
  return directory_.find_by_name(name).value();
}

std::vector<std::string> FakeHostTest::routes() {
  std::vector<std::string> routes;
  const auto ours = network_.routes({.protocol = network::kRouteProtocol, .table = {}}).value();
  for (const auto& route : ours) {
    if (route.kind != network::RouteKind::kUnicast) continue;
    routes.push_back(
        fmt::format("{} {} {}", route.prefix.to_string(), network_.link_at(route.ifindex).value()->name, route.table));
  }
  std::ranges::sort(routes);
  return routes;
}

}  // namespace anubis::netd
