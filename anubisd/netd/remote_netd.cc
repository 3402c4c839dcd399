#include "anubisd/netd/remote_netd.h"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "anubisd/netd/firewall_report.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;
namespace log = base::log;

constexpr const char* kGone = "anubis-netd has ended; its own log says why, if it could tell";

void await_greeting(const Channel& channel) {
  constexpr int kPatienceMilliseconds = 5000;
  pollfd greeting{.fd = channel.fd(), .events = POLLIN, .revents = 0};
  if (poll(&greeting, 1, kPatienceMilliseconds) != 0) return;
  log::warning("netd.waiting",
               "anubis-netd does not answer yet: it reads a large configuration, or serves another anubisd");
}

void drain(int pipe) {
  std::array<char, 64> sink{};
  while (read(pipe, sink.data(), sink.size()) > 0) {
  }
}

}  // namespace

Result<RemoteNetd::Connected> RemoteNetd::connect(Channel channel) {
  await_greeting(channel);
  std::array<std::uint8_t, kGreeting.size()> bytes{};
  auto received = channel.receive(bytes);
  if (!received) return fail(received.error().within("anubis-netd"));
  if (received->size == 0) return fail(ErrorCode::kInternal, kGone);
  auto& descriptors = received->descriptors;
  if (bytes != kGreeting || descriptors.empty()) return fail(ErrorCode::kInternal, "this is not anubis-netd");
  auto snapshot = read_snapshot(descriptors[0]);
  if (!snapshot) return fail(snapshot.error());
  if (descriptors.size() != kGreetingDescriptors) return fail(ErrorCode::kInternal, "this is not anubis-netd");
  return Connected{std::unique_ptr<RemoteNetd>(new RemoteNetd(std::move(channel), std::move(descriptors[1]),
                                                              std::move(descriptors[2]), std::move(descriptors[3]))),
                   std::move(*snapshot)};
}

tl::unexpected<base::Error> RemoteNetd::lose(const base::Error& why) {
  if (!std::exchange(is_gone_, true)) {
    log::error("netd.gone", "{}", why.message);
    if (when_gone_) when_gone_();
  }
  return fail(ErrorCode::kInternal, kGone);
}

Status RemoteNetd::send(const Request& request, std::span<const int> descriptors) {
  if (is_gone_) return fail(ErrorCode::kInternal, kGone);
  RequestBytes bytes = encode(request);
  const auto sent = channel_.send(bytes, descriptors);
  explicit_bzero(bytes.data(), bytes.size());
  if (!sent) return lose({ErrorCode::kInternal, kGone});
  base::step("netd.asked");
  return {};
}

Result<ReplyHeader> RemoteNetd::receive(Operation operation, ReplyBytes& bytes, std::vector<base::Fd>& descriptors) {
  auto received = channel_.receive(bytes);
  if (!received) return lose(received.error());
  if (received->size == 0) return lose({ErrorCode::kInternal, kGone});
  const auto header = get_header(bytes);
  if (!header || header->operation != operation)
    return lose({ErrorCode::kInternal, "anubis-netd gives an answer that is none"});
  descriptors = std::move(received->descriptors);
  if (header->outcome == Outcome::kFailed) return fail(get_failure(*header, bytes));
  return *header;
}

Status RemoteNetd::ask(const Request& request, std::span<const int> descriptors) {
  if (auto status = send(request, descriptors); !status) return status;
  ReplyBytes bytes;
  std::vector<base::Fd> none;
  const auto header = receive(request.operation, bytes, none);
  return header ? Status() : fail(header.error());
}

template <class T>
Result<std::vector<T>> RemoteNetd::ask_for_all(const Request& request) {
  if (auto status = send(request); !status) return fail(status.error());
  std::vector<T> records;
  std::vector<base::Fd> none;
  while (true) {
    ReplyBytes bytes;
    const auto header = receive(request.operation, bytes, none);
    if (!header) return fail(header.error());
    const bool good = decode_records(*header, bytes, records);
    explicit_bzero(bytes.data(), bytes.size());  // they may be keys
    if (!good) return lose({ErrorCode::kInternal, "anubis-netd gives an answer that is none"});
    if (header->outcome == Outcome::kDone) return records;
  }
}

template <class T>
Result<T> RemoteNetd::ask_for_one(const Request& request) {
  auto records = ask_for_all<T>(request);
  if (!records) return fail(records.error());
  if (records->size() != 1) return lose({ErrorCode::kInternal, "anubis-netd gives an answer that is none"});
  return std::move(records->front());
}

Result<InterfaceReport> RemoteNetd::bring_up(Interface which) {
  return ask_for_one<InterfaceReport>({.operation = Operation::kBringUp, .interface = which});
}

std::vector<Interface> RemoteNetd::interfaces_to_heal() {
  drain(to_heal_.get());
  auto interfaces = ask_for_all<Interface>({.operation = Operation::kToHeal});
  return interfaces ? std::move(*interfaces) : std::vector<Interface>();
}

std::vector<Drift> RemoteNetd::take_drift() {
  auto drift = ask_for_all<Drift>({.operation = Operation::kTakeDrift});
  return drift ? std::move(*drift) : std::vector<Drift>();
}

Result<std::vector<PeerIndex>> RemoteNetd::installed_peers() {
  return ask_for_all<PeerIndex>({.operation = Operation::kInstalledPeers});
}

Result<Presence> RemoteNetd::install(const InstallRequest& request) {
  return ask_for_one<Presence>({.operation = Operation::kInstall,
                                .peer = request.peer,
                                .endpoint = request.endpoint,
                                .recreate = request.recreate,
                                .initiate_handshake = request.initiate_handshake,
                                .with_routes = request.with_routes,
                                .take_over = request.take_over,
                                .preshared_key = request.preshared_key});
}

Status RemoteNetd::remove(PeerIndex peer) { return ask({.operation = Operation::kRemove, .peer = peer}); }

Status RemoteNetd::carry(PeerIndex client, std::optional<PeerIndex> server) {
  return ask({.operation = Operation::kCarry, .peer = client, .server = server});
}

Result<std::vector<Carried>> RemoteNetd::carried() { return ask_for_all<Carried>({.operation = Operation::kCarried}); }

Status RemoteNetd::handshake_done(PeerIndex peer) {
  return ask({.operation = Operation::kHandshakeDone, .peer = peer});
}

Result<std::vector<PeerReport>> RemoteNetd::report(Interface which) {
  return ask_for_all<PeerReport>({.operation = Operation::kReportAll, .interface = which});
}

Result<std::optional<PeerReport>> RemoteNetd::report(Interface which, PeerIndex peer) {
  auto records = ask_for_all<PeerReport>({.operation = Operation::kReportOne, .interface = which, .peer = peer});
  if (!records) return fail(records.error());
  if (records->empty()) return std::optional<PeerReport>();
  return std::optional(std::move(records->front()));
}

Status RemoteNetd::set_side_endpoint(PeerIndex peer, const model::Endpoint& endpoint) {
  return ask({.operation = Operation::kSideEndpoint, .peer = peer, .endpoint = endpoint});
}

Result<std::vector<model::Sighting>> RemoteNetd::look_around() {
  drain(surroundings_.get());
  return ask_for_all<model::Sighting>({.operation = Operation::kLookAround});
}

Status RemoteNetd::check_bearer_way(const model::IpAddress& destination) {
  return ask({.operation = Operation::kBearerWay, .endpoint = model::Endpoint{.address = destination}});
}

Status RemoteNetd::widen_receive_buffer(int datagram_socket) {
  return ask({.operation = Operation::kWidenBuffer}, std::array{datagram_socket});
}

Result<FirewallReport> RemoteNetd::firewall_report() {
  const auto parts = ask_for_all<Part>({.operation = Operation::kFirewallReport});
  if (!parts) return fail(parts.error());
  return decode_firewall_report(joined(*parts));
}

Result<std::string> RemoteNetd::firewall_rules() {
  const auto parts = ask_for_all<Part>({.operation = Operation::kFirewallRules});
  if (!parts) return fail(parts.error());
  return joined(*parts);
}

Status RemoteNetd::apply_firewall() { return ask({.operation = Operation::kFirewallApply}); }

Status RemoteNetd::remove_firewall() { return ask({.operation = Operation::kFirewallRemove}); }

Status RemoteNetd::tear_down() { return ask({.operation = Operation::kTearDown}); }

Status RemoteNetd::enrol(PeerIndex invitation, const Newcomer& newcomer) {
  return ask({.operation = Operation::kEnrol, .peer = invitation, .newcomer = newcomer});
}

Status RemoteNetd::begin_reload() { return ask({.operation = Operation::kBeginReload}); }

Result<Reloaded> RemoteNetd::take_reload() {
  drain(loaded_.get());
  if (auto status = send({.operation = Operation::kTakeReload}); !status) return fail(status.error());
  ReplyBytes bytes;
  std::vector<base::Fd> descriptors;
  if (auto header = receive(Operation::kTakeReload, bytes, descriptors); !header) return fail(header.error());
  if (descriptors.size() != 1) return lose({ErrorCode::kInternal, "anubis-netd gives an answer that is none"});
  auto snapshot = read_snapshot(descriptors.front());
  if (!snapshot) return fail(snapshot.error());
  snapshot->set.roaming = std::move(snapshot->config.roaming);
  snapshot->set.hosts = std::move(snapshot->config.hosts);
  return std::move(snapshot->set);
}

Result<crypto::MessageKeys> RemoteNetd::derive_message_keys(PeerIndex peer, model::Speaker speaker,
                                                            crypto::Suite suite) {
  const bool is_peer = speaker == model::Speaker::kPeer;
  return ask_for_one<crypto::MessageKeys>(
      {.operation = is_peer ? Operation::kMessageKeys : Operation::kCompanionKeys, .peer = peer, .suite = suite});
}

}  // namespace anubis::netd
