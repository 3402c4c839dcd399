#include "tests/unit/anubis-cli/scripted_daemon.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace anubis::cli {
namespace {

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

base::Fd unix_socket() {
  base::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(static_cast<bool>(fd), "socket");
  return fd;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  check(path.size() < sizeof address.sun_path, "path");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/anubis-cli-test-XXXXXX";
  check(mkdtemp(name) != nullptr, "mkdtemp");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

base::Fd listen_at(const std::string& path, int backlog) {
  base::Fd fd = unix_socket();
  const sockaddr_un address = address_of(path);
  check(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  check(listen(fd.get(), backlog) == 0, "listen");
  return fd;
}

base::Fd connect_to(const std::string& path) {
  base::Fd fd = unix_socket();
  const sockaddr_un address = address_of(path);
  check(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
  return fd;
}

ScriptedDaemon::ScriptedDaemon(const std::string& path, std::vector<Scene> scenes)
    : path_(path), scenes_(std::move(scenes)), listener_(listen_at(path, 4)), stop_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { run(); });
}

ScriptedDaemon::~ScriptedDaemon() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
  unlink(path_.c_str());
}

std::vector<control::Command> ScriptedDaemon::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

// False when all must end.
bool ScriptedDaemon::wait_readable(int fd) const {
  pollfd sources[] = {{.fd = stop_.get(), .events = POLLIN, .revents = 0}, {.fd = fd, .events = POLLIN, .revents = 0}};
  if (poll(sources, 2, -1) < 0) return false;
  return sources[0].revents == 0;
}

void ScriptedDaemon::run() {
  for (std::size_t scene = 0; wait_readable(listener_.get());) {
    const base::Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    play(client.get(), scenes_[scene]);
    if (scene + 1 < scenes_.size()) ++scene;
  }
}

void ScriptedDaemon::play(int fd, const Scene& scene) {
  std::string received;
  std::size_t size = 4;
  while (received.size() < size) {
    char buffer[512];
    if (!wait_readable(fd)) return;
    const ssize_t read = recv(fd, buffer, sizeof buffer, 0);
    if (read <= 0) return;
    received.append(buffer, static_cast<std::size_t>(read));
    if (received.size() < 4) continue;
    size = 4;
    for (std::size_t i = 0; i < 4; ++i) size += std::size_t{static_cast<unsigned char>(received[i])} << (24 - 8 * i);
  }
  control::Command command;
  if (command.ParseFromString(received.substr(4))) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(command);
  }
  for (std::size_t sent = 0; sent < scene.bytes.size();) {
    const ssize_t written = send(fd, scene.bytes.data() + sent, scene.bytes.size() - sent, MSG_NOSIGNAL);
    if (written <= 0) return;
    sent += static_cast<std::size_t>(written);
  }
  if (scene.then == Then::kStayOpen) wait_readable(fd);  // until the client leaves
}

std::string framed(const std::vector<control::Response>& responses) {
  std::string bytes;
  for (const auto& response : responses) {
    const std::string body = response.SerializeAsString();
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>((body.size() >> shift) & 0xff));
    bytes.append(body);
  }
  return bytes;
}

control::Response host(const std::string& name, const std::string& degraded) {
  control::Response response;
  response.mutable_host()->set_name(name);
  response.mutable_host()->set_degraded(degraded);
  return response;
}

control::Response peer(const std::string& name, const std::string& state, const std::string& reason) {
  control::Response response;
  response.mutable_peer()->set_name(name);
  response.mutable_peer()->set_state(state);
  response.mutable_peer()->set_reason(reason);
  return response;
}

control::Response done() { return done(control::DONE, ""); }

control::Response done(control::ExitStatus status, const std::string& message) {
  control::Response response;
  response.mutable_done()->set_status(status);
  response.mutable_done()->set_message(message);
  return response;
}

}  // namespace anubis::cli
