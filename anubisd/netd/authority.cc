#include "anubisd/netd/authority.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/core.h>
#include <sys/eventfd.h>

#include "lib/base/log.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

void log_warnings(const config::Config& config) {
  for (const std::string& warning : config.warnings) base::log::warning("config.warning", "{}", warning);
}

bool same(const config::Production& a, const config::Production& b) {
  return a.interface == b.interface && a.public_key == b.public_key && a.listen_port == b.listen_port &&
         a.addresses == b.addresses && a.table == b.table && a.throw_ranges == b.throw_ranges &&
         a.direct_ranges == b.direct_ranges && a.mtu == b.mtu && a.fwmark == b.fwmark && a.backend == b.backend;
}

bool same(const config::Side& a, const config::Side& b) {
  return a.interface == b.interface && a.public_key == b.public_key && a.listen_port == b.listen_port &&
         a.service_port == b.service_port && a.address == b.address && a.prefix == b.prefix;
}

// Whether a host can be there at all.
bool is_sane(const model::Endpoint& endpoint) {
  static const auto broadcast = model::IpAddress::v4(std::array<std::uint8_t, 4>{255, 255, 255, 255});
  return endpoint.port != 0 && !endpoint.address.is_unspecified() && !endpoint.address.is_multicast() &&
         endpoint.address != broadcast && (endpoint.scope_id == 0 || endpoint.address.is_link_local());
}

}  // namespace

struct Authority::Loading {
  explicit Loading(base::Fd fd) : event(std::move(fd)) {}

  base::Fd event;
  std::mutex mutex;  // over what follows
  bool under_way = false;
  std::optional<Result<config::Config>> result;
};

Result<std::unique_ptr<Authority>> Authority::load(std::filesystem::path file) {
  auto config = config::load(file);
  if (!config) return fail(config.error());
  log_warnings(*config);
  return create(std::move(file), std::move(*config));
}

Result<std::unique_ptr<Authority>> Authority::create(std::filesystem::path file, config::Config config) {
  base::Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return base::fail_errno(errno, "cannot make an event descriptor");
  return std::unique_ptr<Authority>(
      new Authority(std::move(file), std::move(config), std::make_shared<Loading>(std::move(event))));
}

Authority::Authority(std::filesystem::path file, config::Config config, std::shared_ptr<Loading> loading)
    : file_(std::move(file)), config_(std::move(config)), loading_(std::move(loading)) {
  directory_.replace(std::exchange(config_.peers, {}));
}

PublicConfig Authority::public_config() const {
  return {.name = config_.name,
          .group = config_.group,
          .suites = config_.suites,
          .production = {.interface = config_.production.interface,
                         .public_key = config_.production.public_key,
                         .listen_port = config_.production.listen_port,
                         .throw_ranges = config_.production.throw_ranges,
                         .direct_ranges = config_.production.direct_ranges},
          .side = {.interface = config_.side.interface,
                   .public_key = config_.side.public_key,
                   .service_port = config_.side.service_port,
                   .address = config_.side.address},
          .companion_port = config_.companion.enabled ? config_.companion.port : std::uint16_t{0},
          .control = {.socket = config_.control.socket,
                      .group = config_.control.group,
                      .stop_timeout = config_.control.stop_timeout},
          .roaming = config_.roaming,
          .metrics = config_.metrics,
          .hosts = config_.hosts};
}

Result<crypto::MessageKeys> Authority::derive_message_keys(PeerIndex peer, model::Speaker speaker,
                                                           crypto::Suite suite) const {
  const model::Peer* const authorised = directory_.get(peer);
  if (authorised == nullptr) return fail(ErrorCode::kNotFound, "the configuration does not name this peer");
  const auto with = [&](const crypto::ProductionPublicKey& key, const crypto::PresharedKey* preshared) {
    return crypto::derive_message_keys(suite, config_.production.private_key, config_.production.public_key, key,
                                       preshared);
  };
  switch (speaker) {
    case model::Speaker::kPeer:
      return with(authorised->public_key, authorised->preshared_key.get());
    case model::Speaker::kCompanion:
      break;
  }
  if (!authorised->companion_key) return fail(ErrorCode::kNotFound, "this peer has no companion");
  return with(crypto::ProductionPublicKey(*authorised->companion_key), nullptr);
}

Status Authority::check_endpoint(PeerIndex peer, Interface which, const model::Endpoint& endpoint) const {
  const model::Peer* const authorised = directory_.get(peer);
  if (authorised == nullptr) return fail(ErrorCode::kNotFound, "the configuration does not name this peer");
  const auto& configured = which == Interface::kProduction ? authorised->endpoint : authorised->side_endpoint;
  const auto literal = configured ? configured->literal() : std::nullopt;
  const auto& further = authorised->endpoint_ports;
  const bool is_their_port =
      !configured || endpoint.port == configured->port || std::ranges::find(further, endpoint.port) != further.end();
  const bool is_their_address = !literal || (endpoint.address == *literal && endpoint.scope_id == 0);
  if (is_their_port && is_their_address && is_sane(endpoint)) return {};
  return fail(ErrorCode::kPermission,
              fmt::format("{} may not have the endpoint {}{}", authorised->name, endpoint.to_string(),
                          configured ? ": the configuration says " + configured->to_string() : ""));
}

Status Authority::check_carriage(PeerIndex client, std::optional<PeerIndex> server) const {
  const model::Peer* const carried = directory_.get(client);
  const model::Peer* const carrier = server ? directory_.get(*server) : nullptr;
  if (carried == nullptr || (server && carrier == nullptr))
    return fail(ErrorCode::kNotFound, "the configuration does not name this peer");
  const auto is_fellow = [this](const model::Peer& peer) {
    return !config_.group.empty() && peer.group == config_.group;
  };
  if (!is_fellow(*carried) && (carrier == nullptr || is_fellow(*carrier))) return {};
  return fail(ErrorCode::kPermission, fmt::format("{} does not stand in for this host with {}",
                                                  carrier != nullptr ? carrier->name : "nobody", carried->name));
}

Status Authority::begin_reload() {
  {
    const std::scoped_lock lock(loading_->mutex);
    if (loading_->under_way) return fail(ErrorCode::kBusy, "the configuration is being read already");
    loading_->under_way = true;
  }
  // Not waited for in the end: it touches nothing but what it holds itself.
  const auto read = [loading = loading_, file = file_] {
    auto result = config::load(file);
    const std::scoped_lock lock(loading->mutex);
    loading->result = std::move(result);
    (void)eventfd_write(loading->event.get(), 1);
  };
  try {
    std::thread(read).detach();
  } catch (const std::system_error& error) {
    const std::scoped_lock lock(loading_->mutex);
    loading_->under_way = false;
    return base::fail_errno(error.code().value(), "cannot start a thread");
  }
  return {};
}

int Authority::loaded_fd() const { return loading_->event.get(); }

Result<Authority::Reload> Authority::take_reload(const std::function<Status(const model::DirectoryChanges&)>& apply) {
  std::optional<Result<config::Config>> fresh;
  {
    const std::scoped_lock lock(loading_->mutex);
    if (!loading_->result) return fail(ErrorCode::kBusy, "the configuration is not read yet");
    fresh = std::exchange(loading_->result, std::nullopt);
    loading_->under_way = false;
    eventfd_t events = 0;
    (void)eventfd_read(loading_->event.get(), &events);
  }
  if (!*fresh) return fail(fresh->error());
  config::Config& config = **fresh;
  log_warnings(config);
  Reload reload{.restart_needed = restart_needed(config_, config), .applied = {}};
  config_.roaming = std::move(config.roaming);
  // Its name and its WireGuard addresses are those of the running interface, until a restart.
  config_.hosts.own.lan_addresses = std::move(config.hosts.own.lan_addresses);
  config_.hosts.others = std::move(config.hosts.others);
  config_.firewall = std::move(config.firewall);
  config_.also_listen = std::move(config.also_listen);
  config_.invitations = std::move(config.invitations);
  reload.applied = apply(directory_.replace(std::move(config.peers)));
  // Who has joined while it was being read is in the next one only.
  std::erase_if(joined_, [this](const auto& entry) {
    const auto is_open = [&](const config::Invitation& each) { return each.name == entry.first && !each.is_used; };
    return directory_.find_by_name(entry.first) || std::ranges::none_of(config_.invitations, is_open);
  });
  return reload;
}

std::vector<std::string> restart_needed(const config::Config& running, const config::Config& fresh) {
  std::vector<std::string> sections;
  if (running.name != fresh.name) sections.emplace_back("name");
  if (running.group != fresh.group) sections.emplace_back("group");
  if (running.suites != fresh.suites) sections.emplace_back("suites");
  if (!same(running.production, fresh.production)) sections.emplace_back("[production]");
  if (!same(running.side, fresh.side)) sections.emplace_back("[side]");
  if (running.companion != fresh.companion) sections.emplace_back("[companion]");
  if (running.control.socket != fresh.control.socket || running.control.group != fresh.control.group ||
      running.control.stop_timeout != fresh.control.stop_timeout) {
    sections.emplace_back("[control]");
  }
  if (running.metrics != fresh.metrics) sections.emplace_back("[metrics]");
  return sections;
}

}  // namespace anubis::netd
