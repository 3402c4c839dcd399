#include "anubisd/loop.h"

#include <array>
#include <cstddef>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>

namespace anubis::daemon {

Loop::Loop() : context_(std::make_unique<asio::io_context>(1)) {}
Loop::~Loop() = default;

void Loop::run() {
  const auto stay_when_idle = asio::make_work_guard(*context_);
  context_->run();
}

void Loop::stop() { context_->stop(); }

void Loop::restart() { context_->restart(); }

void Loop::post(Callback task) { asio::post(*context_, std::move(task)); }

struct Watch::State {
  State(asio::io_context& context, int fd) : descriptor(context, fd) {}

  asio::posix::stream_descriptor descriptor;
  struct Side {
    Callback callback;
    bool waiting = false;  // a wait is under way, for this callback or for one that was cancelled
  };
  std::array<Side, 2> sides;
};

Watch::Watch(Loop& loop, int fd) : state_(std::make_shared<State>(loop.context(), fd)) {}

Watch::~Watch() {
  cancel();
  (void)state_->descriptor.release();  // not ours to close
}

void Watch::when_readable(Callback callback) { wait(state_, Event::kReadable, std::move(callback)); }
void Watch::when_writable(Callback callback) { wait(state_, Event::kWritable, std::move(callback)); }

void Watch::cancel() {
  for (auto& side : state_->sides) side.callback = nullptr;
}

void Watch::wait(const std::shared_ptr<State>& state, Event event, Callback callback) {
  auto& side = state->sides[static_cast<std::size_t>(event)];
  side.callback = std::move(callback);
  if (std::exchange(side.waiting, true)) return;
  const auto type =
      event == Event::kReadable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
  // An error is for the callback to meet, when it reads or writes.
  state->descriptor.async_wait(type, [state, event](const asio::error_code&) {
    auto& done = state->sides[static_cast<std::size_t>(event)];
    done.waiting = false;
    if (const Callback ready = std::exchange(done.callback, nullptr)) ready();
  });
}

}  // namespace anubis::daemon
