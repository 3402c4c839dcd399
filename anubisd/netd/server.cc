#include "anubisd/netd/server.h"

#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "anubisd/netd/firewall_report.h"
#include "anubisd/netd/snapshot.h"
#include "lib/base/log.h"
#include "lib/base/wiped_bytes.h"

namespace anubis::netd {
namespace {

using base::fail;
using base::Result;
using base::Status;
namespace log = base::log;

std::size_t descriptors_of(Operation operation) {
  return find_kind(static_cast<std::uint8_t>(operation))->descriptor == Field::kMust ? 1 : 0;
}

}  // namespace

Result<Server::Bell> Server::Bell::create() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return base::fail_errno(errno, "cannot make a pipe");
  return Bell{base::Fd(ends[0]), base::Fd(ends[1])};
}

void Server::Bell::ring() {
  constexpr char kSound = '!';
  // Full: it is ringing already. Broken: nobody listens any more, which the channel tells better.
  (void)!::write(write.get(), &kSound, 1);
  rung = true;
}

Result<Server> Server::create(Channel channel, Netd& netd, Authority& authority, Apply apply) {
  auto to_heal = Bell::create();
  if (!to_heal) return fail(to_heal.error());
  auto loaded = Bell::create();
  if (!loaded) return fail(loaded.error());
  auto surroundings = Bell::create();
  if (!surroundings) return fail(surroundings.error());
  return Server(std::move(channel), netd, authority, std::move(apply), std::move(*to_heal), std::move(*loaded),
                std::move(*surroundings));
}

Server::Server(Channel channel, Netd& netd, Authority& authority, Apply apply, Bell to_heal, Bell loaded,
               Bell surroundings)
    : channel_(std::move(channel)),
      netd_(netd),
      authority_(authority),
      apply_(std::move(apply)),
      to_heal_(std::move(to_heal)),
      loaded_(std::move(loaded)),
      surroundings_(std::move(surroundings)) {}

Status Server::greet() {
  const auto snapshot = write_snapshot(authority_.public_config(), authority_.directory());
  if (!snapshot) return fail(snapshot.error());
  const std::array<int, kGreetingDescriptors> descriptors{snapshot->get(), to_heal_.read.get(), loaded_.read.get(),
                                                          surroundings_.read.get()};
  if (auto status = channel_.send(kGreeting, descriptors); !status) return status;
  to_heal_.read.reset();
  loaded_.read.reset();
  surroundings_.read.reset();
  return {};
}

void greet_with_failure(Channel& channel, const base::Error& error) {
  const auto failure = write_failure(error);
  // Should it not arrive, anubisd says that netd has ended, and this that it could not be told why.
  auto status = failure ? channel.send(kGreeting, std::array{failure->get()}) : Status(fail(failure.error()));
  if (!status) log::error("netd.not-told", "{}; {}", error.message, status.error().message);
}

ServingEnd Server::serve(int signal_fd, const std::function<bool()>& asked) {
  while (true) {
    // What has been told of is not looked at again until somebody came for it.
    std::array<pollfd, 5> events{{{channel_.fd(), POLLIN, 0},
                                  {signal_fd, POLLIN, 0},
                                  {to_heal_.rung ? -1 : netd_.event_fd(), POLLIN, 0},
                                  {loaded_.rung ? -1 : authority_.loaded_fd(), POLLIN, 0},
                                  {surroundings_.rung ? -1 : netd_.surroundings_fd(), POLLIN, 0}}};
    if (poll(events.data(), events.size(), -1) < 0) {
      if (errno == EINTR) continue;
      log::error("netd.cannot-wait", "{}", base::system_error(errno, "poll").message);
      return ServingEnd::kGone;
    }
    if (events[1].revents != 0 && asked()) return ServingEnd::kAsked;
    if (events[2].revents != 0) to_heal_.ring();
    if (events[3].revents != 0) loaded_.ring();
    if (events[4].revents != 0) surroundings_.ring();
    if (events[0].revents == 0) continue;
    if (const auto end = serve_one()) return *end;
  }
}

std::optional<ServingEnd> Server::serve_one() {
  base::WipedBytes bytes(kRequestSize);  // it may hold a preshared key
  const auto received = channel_.receive(bytes);
  if (received && received->size == 0) return ServingEnd::kGone;
  auto request = received ? decode_request(bytes) : fail(received.error());
  if (request && received->descriptors.size() != descriptors_of(request->operation)) {
    request = fail(base::ErrorCode::kInvalid, "malformed request: its descriptors");
  }
  if (!request) {
    log::error("netd.malformed-request", "{}", request.error().message);
    return ServingEnd::kMalformed;
  }
  // An answer that cannot be sent has nobody to read it.
  if (!carry_out(*request, received->descriptors)) return ServingEnd::kGone;
  return std::nullopt;
}

Status Server::carry_out(const Request& request, std::span<const base::Fd> descriptors) {
  const Operation operation = request.operation;
  switch (operation) {
    case Operation::kBringUp:
      return answer_one(operation, netd_.bring_up(request.interface));
    case Operation::kToHeal:
      to_heal_.rung = false;
      return answer(operation, Result<std::vector<Interface>>(netd_.interfaces_to_heal()));
    case Operation::kTakeDrift:
      return answer(operation, Result<std::vector<Drift>>(netd_.take_drift()));
    case Operation::kInstalledPeers:
      return answer(operation, netd_.installed_peers());
    case Operation::kInstall:
      return install(request);
    case Operation::kRemove:
      return answer(operation, netd_.remove(request.peer));
    case Operation::kCarry: {
      auto status = authority_.check_carriage(request.peer, request.server);
      if (status) status = netd_.carry(request.peer, request.server);
      return answer(operation, status);
    }
    case Operation::kCarried:
      return answer(operation, netd_.carried());
    case Operation::kHandshakeDone:
      return answer(operation, netd_.handshake_done(request.peer));
    case Operation::kReportAll:
      return answer(operation, netd_.report(request.interface));
    case Operation::kReportOne: {
      auto report = netd_.report(request.interface, request.peer);
      if (!report) return answer(operation, Status(fail(report.error())));
      return answer<PeerReport>(operation, *report ? std::span(&**report, 1) : std::span<PeerReport>());
    }
    case Operation::kSideEndpoint: {
      auto status = authority_.check_endpoint(request.peer, Interface::kSide, *request.endpoint);
      if (status) status = netd_.set_side_endpoint(request.peer, *request.endpoint);
      return answer(operation, status);
    }
    case Operation::kLookAround:
      surroundings_.rung = false;
      return answer(operation, netd_.look_around());
    case Operation::kFirewallReport: {
      const auto report = netd_.firewall_report();
      if (!report) return answer(operation, Status(fail(report.error())));
      return answer(operation, Result<std::vector<Part>>(parts_of(encode(*report))));
    }
    case Operation::kFirewallRules: {
      const auto rules = netd_.firewall_rules();
      if (!rules) return answer(operation, Status(fail(rules.error())));
      return answer(operation, Result<std::vector<Part>>(parts_of(*rules)));
    }
    case Operation::kFirewallApply:
      return answer(operation, netd_.apply_firewall());
    case Operation::kFirewallRemove:
      return answer(operation, netd_.remove_firewall());
    case Operation::kMessageKeys:
      return answer_one(operation, authority_.derive_message_keys(request.peer, model::Speaker::kPeer, request.suite));
    case Operation::kCompanionKeys:
      return answer_one(operation,
                        authority_.derive_message_keys(request.peer, model::Speaker::kCompanion, request.suite));
    case Operation::kBearerWay:
      return answer(operation, netd_.check_bearer_way(request.endpoint->address));
    case Operation::kWidenBuffer:
      return answer(operation, netd_.widen_receive_buffer(descriptors.front().get()));
    case Operation::kEnrol:
      return answer(operation, authority_.enrol(request.peer, *request.newcomer));
    case Operation::kBeginReload:
      return answer(operation, authority_.begin_reload());
    case Operation::kTakeReload:
      return take_reload();
    case Operation::kTearDown:
      return answer(operation, netd_.tear_down());
  }
  return fail(base::ErrorCode::kInternal, "no operation");
}

Status Server::install(const Request& request) {
  if (request.endpoint) {
    if (auto status = authority_.check_endpoint(request.peer, Interface::kProduction, *request.endpoint); !status) {
      return answer(request.operation, status);
    }
  }
  return answer_one(request.operation, netd_.install({.peer = request.peer,
                                                      .recreate = request.recreate,
                                                      .endpoint = request.endpoint,
                                                      .initiate_handshake = request.initiate_handshake,
                                                      .with_routes = request.with_routes,
                                                      .take_over = request.take_over,
                                                      .preshared_key = request.preshared_key}));
}

Status Server::take_reload() {
  loaded_.rung = false;
  const auto reload = authority_.take_reload(apply_);
  const auto file = reload ? write_snapshot(authority_.public_config(), authority_.directory(), reload->restart_needed,
                                            reload->applied)
                           : write_failure(reload.error());
  if (!file) return answer(Operation::kTakeReload, Status(fail(file.error())));
  ReplyBytes reply{};
  put_header({.operation = Operation::kTakeReload, .outcome = Outcome::kDone}, reply);
  return channel_.send(reply, std::array{file->get()});
}

Status Server::answer(Operation operation, const Status& status) {
  if (!status) return channel_.send(encode_failure(operation, status.error()));
  ReplyBytes reply{};
  put_header({.operation = operation, .outcome = Outcome::kDone}, reply);
  return channel_.send(reply);
}

template <class T>
Status Server::answer(Operation operation, std::span<const T> records) {
  do {
    ReplyBytes reply = encode_records(operation, records);
    const auto status = channel_.send(reply);
    explicit_bzero(reply.data(), reply.size());  // they may be keys
    if (!status) return status;
  } while (!records.empty());
  return {};
}

template <class T>
Status Server::answer(Operation operation, const Result<std::vector<T>>& records) {
  if (!records) return answer(operation, Status(fail(records.error())));
  return answer<T>(operation, std::span<const T>(*records));
}

template <class T>
Status Server::answer_one(Operation operation, const Result<T>& record) {
  if (!record) return answer(operation, Status(fail(record.error())));
  return answer<T>(operation, std::span<const T>(&*record, 1));
}

}  // namespace anubis::netd
