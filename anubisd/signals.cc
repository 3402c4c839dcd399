#include "anubisd/signals.h"

#include <utility>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

namespace anubis::daemon {

struct Signals::State {
  State(asio::io_context& context, std::function<void(int)> wanted) : set(context), callback(std::move(wanted)) {}

  asio::signal_set set;
  std::function<void(int)> callback;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> callback)
    : state_(std::make_shared<State>(loop.context(), std::move(callback))) {
  for (const int signal : signals) state_->set.add(signal);
  wait(state_);
}

Signals::~Signals() {
  state_->callback = nullptr;
  state_->set.cancel();
}

void Signals::wait(const std::shared_ptr<State>& state) {
  state->set.async_wait([state](const asio::error_code& error, int signal) {
    if (error || !state->callback) return;
    const auto callback = state->callback;  // it may end us
    callback(signal);
    wait(state);
  });
}

}  // namespace anubis::daemon
