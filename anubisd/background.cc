#include "anubisd/background.h"

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

namespace anubis::daemon {
namespace {

using Work = std::function<Callback()>;

// Signals are for the loop's thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

struct Background::Shared {
  explicit Shared(Loop& the_loop, std::size_t most) : loop(&the_loop), max_threads(most) {}

  // With the mutex held.
  std::optional<std::pair<Urgency, Work>> take() {
    for (const Urgency urgency : {Urgency::kAwaited, Urgency::kLater}) {
      auto& queue = queues[static_cast<std::size_t>(urgency)];
      if (queue.empty()) continue;
      if (urgency == Urgency::kLater && max_threads > 1 && later_running + 1 >= max_threads) continue;
      std::pair<Urgency, Work> taken{urgency, std::move(queue.front())};
      queue.pop_front();
      return taken;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t queued() const { return queues[0].size() + queues[1].size(); }

  std::mutex mutex;
  std::condition_variable changed;
  Loop* loop;  // null once the owner is gone
  const std::size_t max_threads;
  std::size_t threads = 0;
  std::size_t idle = 0;
  std::size_t later_running = 0;
  std::array<std::deque<Work>, 2> queues;
};

Background::Background(Loop& loop, std::size_t max_threads) : shared_(std::make_shared<Shared>(loop, max_threads)) {}

Background::~Background() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->loop = nullptr;
  for (auto& queue : shared_->queues) queue.clear();
  shared_->changed.notify_all();
}

void Background::run(Urgency urgency, std::function<Callback()> work) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->queues[static_cast<std::size_t>(urgency)].push_back(std::move(work));
  if (shared_->queued() > shared_->idle && shared_->threads < shared_->max_threads) {
    const SignalsBlocked while_starting;
    ++shared_->threads;
    std::thread(serve, shared_).detach();
  } else {
    shared_->changed.notify_one();
  }
}

void Background::serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    auto taken = shared->take();
    if (shared->loop == nullptr) return;
    if (!taken) {
      ++shared->idle;
      shared->changed.wait(lock);
      --shared->idle;
      continue;
    }
    auto& [urgency, work] = *taken;
    if (urgency == Urgency::kLater) ++shared->later_running;
    lock.unlock();
    Callback result = work();
    work = nullptr;
    lock.lock();
    if (urgency == Urgency::kLater) --shared->later_running;
    if (shared->loop != nullptr) shared->loop->post(std::move(result));
  }
}

}  // namespace anubis::daemon
