#include "anubisd/farewells.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace anubis::daemon {
namespace {

constexpr std::size_t kAtATime = 64;

class Round : public std::enable_shared_from_this<Round> {
 public:
  explicit Round(Farewells farewells) : with_(std::move(farewells)) {}

  void start() {
    const base::Time now = base::BootClock::now();
    with_.directory.for_each([&](model::PeerIndex peer, const model::Peer&) {
      if (peer != with_.except && with_.concerns(with_.gatekeeper.view(peer, now))) peers_.push_back(peer);
    });
    progress_.total = peers_.size();
    go_on();
  }

 private:
  void go_on() {
    const base::Time now = base::BootClock::now();
    const std::size_t end = std::min(peers_.size(), next_ + kAtATime);
    for (; next_ < end; ++next_) {
      if (with_.directory.get(peers_[next_]) == nullptr) {  // a reload took it down meanwhile
        ++progress_.done;
        continue;
      }
      const auto command = with_.pending.expect([self = shared_from_this()](const gate::FinishCommand& finished) {
        ++self->progress_.done;
        self->with_.each(self->progress_, finished);
        self->finish_if_all();
      });
      with_.end(command, peers_[next_], now);
    }
    with_.executor.settle();
    if (next_ < peers_.size()) {
      with_.loop.post([self = shared_from_this()] { self->go_on(); });
    } else {
      finish_if_all();
    }
  }

  void finish_if_all() {
    if (progress_.done != peers_.size()) return;
    if (const auto all = std::exchange(with_.all, nullptr)) all(progress_);
  }

  Farewells with_;
  std::vector<model::PeerIndex> peers_;
  std::size_t next_ = 0;
  FarewellProgress progress_;
};

}  // namespace

bool is_going_on(const gate::SessionView& session) {
  switch (session.state) {
    case gate::SessionState::kDown:
    case gate::SessionState::kFailed:
      return session.wish.has_value();
    case gate::SessionState::kGoingUp:
    case gate::SessionState::kUp:
    case gate::SessionState::kGoingDown:
      return true;
  }
  return false;
}

void say_farewell(Farewells farewells) { std::make_shared<Round>(std::move(farewells))->start(); }

}  // namespace anubis::daemon
