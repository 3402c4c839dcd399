#include "anubisd/control/client.h"

#include <array>
#include <cerrno>
#include <utility>

#include <google/protobuf/stubs/logging.h>
#include <sys/socket.h>

#include "anubisd/control/frames.h"

namespace anubis::daemon {
namespace {

constexpr std::size_t kReadSize = 4096;
constexpr std::size_t kStreamAhead = std::size_t{64} << 10;

}  // namespace

Client::Client(Loop& loop, base::Fd fd, ClientId id, Owner& owner)
    : fd_(std::move(fd)), id_(id), owner_(owner), watch_(loop, fd_.get()), patience_(loop) {
  patience_.after(kCommandTime, [this] { end(); });
  watch_.when_readable([this] { receive(); });
}

void Client::receive() {
  std::array<char, kReadSize> buffer;
  const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return end();
  if (size > 0) {
    if (has_command_) return end();  // one command a connection
    in_.append(buffer.data(), static_cast<std::size_t>(size));
    take_command();
  }
  if (!ended_) watch_.when_readable([this] { receive(); });
}

void Client::take_command() {
  if (in_.size() < kFrameHeaderSize) return;
  const std::size_t size = announced_size(in_);
  if (size > kMaxCommandSize || in_.size() > kFrameHeaderSize + size) return end();
  if (in_.size() < kFrameHeaderSize + size) return;
  control::Command command;
  const google::protobuf::LogSilencer silencer;  // a client must not write to our log what protobuf thinks of it
  if (!command.ParseFromArray(in_.data() + kFrameHeaderSize, static_cast<int>(size))) return end();
  has_command_ = true;
  std::string().swap(in_);
  patience_.cancel();
  owner_.command_received(id_, command);
}

void Client::send(const control::Response& response) {
  if (ended_) return;
  append_frame(response, out_);
  pump();
}

void Client::finish(control::Done done) {
  if (ended_) return;
  control::Response response;
  *response.mutable_done() = std::move(done);
  append_frame(response, out_);
  finishing_ = true;
  pump();
}

void Client::stream(std::function<control::Response()> next) {
  if (ended_) return;
  next_ = std::move(next);
  pump();
}

void Client::pump() {
  while (next_ && out_.size() - written_ < kStreamAhead) {
    const control::Response response = next_();
    append_frame(response, out_);
    if (!response.has_done()) continue;
    finishing_ = true;
    next_ = nullptr;
  }
  if (!write()) {
    if (ended_) return;
    if (out_.size() - written_ > kMaxUnread) return end();
    watch_.when_writable([this] { pump(); });
    return;
  }
  if (next_) return watch_.when_writable([this] { pump(); });  // in turn with everybody else on the loop
  if (finishing_) end();
}

bool Client::write() {
  while (written_ < out_.size()) {
    const ssize_t size = ::send(fd_.get(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (size > 0) {
      written_ += static_cast<std::size_t>(size);
      patience_.cancel();
    } else if (errno == EAGAIN) {
      if (!patience_.due()) patience_.after(kReadTime, [this] { end(); });
      return false;
    } else if (errno != EINTR) {
      end();
      return false;
    }
  }
  out_.clear();
  written_ = 0;
  return true;
}

void Client::end() {
  if (std::exchange(ended_, true)) return;
  watch_.cancel();
  patience_.cancel();
  next_ = nullptr;
  owner_.client_ended(id_);
}

}  // namespace anubis::daemon
