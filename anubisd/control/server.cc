#include "anubisd/control/server.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "anubisd/control/credentials.h"
#include "anubisd/control/frames.h"
#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

constexpr int kAcceptsPerWakeUp = 16;
// After accept has failed for want of descriptors or memory: it would fail again at once.
constexpr base::Duration kPause = std::chrono::milliseconds(100);

bool is_privileged(uid_t uid) { return uid == 0 || uid == geteuid(); }

}  // namespace

ControlServer::ControlServer(Loop& loop, ControlListener listener, std::optional<gid_t> group, std::string group_name,
                             Handler& handler)
    : loop_(loop),
      listener_(std::move(listener)),
      group_(group),
      group_name_(std::move(group_name)),
      handler_(handler),
      watch_(std::in_place, loop, listener_->fd()),
      pause_(loop) {}

base::Status ControlServer::start() {
  auto status = listener_->listen();
  if (status) wait();
  return status;
}

void ControlServer::close() {
  pause_.cancel();
  watch_.reset();
  listener_.reset();
}

Client* ControlServer::find(ClientId id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.client.get();
}

void ControlServer::wait() {
  watch_->when_readable([this] { accept_some(); });
}

void ControlServer::accept_some() {
  for (int i = 0; i < kAcceptsPerWakeUp; ++i) {
    base::Fd fd(accept4(listener_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      base::log::warning("control.accept-failed", "{}", base::system_error(errno, "cannot take a client in").message);
      return pause_.after(kPause, [this] { wait(); });
    }
    if (!fd) break;
    admit(std::move(fd));
  }
  wait();
}

void ControlServer::admit(base::Fd fd) {
  const auto credentials = credentials_of(fd.get());
  if (!credentials) return;
  if (!may_command(*credentials, geteuid(), group_)) {
    base::log::warning("control.not-permitted", "user {} is not in the group {}", credentials->uid, group_name_);
    return refuse(std::move(fd), control::NOT_PERMITTED,
                  fmt::format("only root and members of the group {0} may command anubisd; as root: usermod -aG {0} "
                              "USER, then log in again",
                              group_name_));
  }
  if (auto why = why_full(credentials->uid); !why.empty()) {
    return refuse(std::move(fd), control::FAILED, std::move(why));
  }
  const ClientId id{++last_id_};
  clients_.emplace(id, Kept{credentials->uid, std::make_unique<Client>(loop_, std::move(fd), id, *this)});
}

bool ControlServer::is_administrator(ClientId id) const {
  const auto found = clients_.find(id);
  return found != clients_.end() && is_privileged(found->second.user);
}

std::string ControlServer::why_full(uid_t user) const {
  std::size_t of_user = 0;
  std::size_t of_users = 0;
  for (const auto& [id, kept] : clients_) {
    if (kept.user == user) ++of_user;
    if (!is_privileged(kept.user)) ++of_users;
  }
  if (!is_privileged(user) && of_user >= kMaxClientsOfUser) {
    return fmt::format("anubisd serves {} clients of this user already; end some, or try again in a moment", of_user);
  }
  if (clients_.size() >= kMaxClients || (!is_privileged(user) && of_users >= kMaxClientsOfUsers)) {
    return fmt::format("anubisd serves {} clients already; try again in a moment", clients_.size());
  }
  return {};
}

// Whatever the socket does not take at once is lost: a client that is refused may not cost more.
void ControlServer::refuse(base::Fd fd, control::ExitStatus status, std::string message) {
  control::Response response;
  response.mutable_done()->set_status(status);
  response.mutable_done()->set_message(std::move(message));
  std::string frame;
  append_frame(response, frame);
  (void)send(fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
}

void ControlServer::command_received(ClientId id, const control::Command& command) { handler_.command(id, command); }

void ControlServer::client_ended(ClientId id) {
  handler_.client_gone(id);
  // Not here: we are inside one of its functions.
  loop_.post([this, id] { clients_.erase(id); });
}

}  // namespace anubis::daemon
