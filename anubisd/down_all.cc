#include "anubisd/down_all.h"

#include <memory>
#include <utility>
#include <vector>

namespace anubis::daemon {
namespace {

constexpr std::size_t kAtATime = 64;

class DownAll : public std::enable_shared_from_this<DownAll> {
 public:
  DownAll(gate::Gatekeeper& gatekeeper, Executor& executor, PendingCommands& pending,
          const model::PeerDirectory& directory, base::Duration timeout, DownAllListener listener)
      : gatekeeper_(gatekeeper),
        executor_(executor),
        pending_(pending),
        directory_(directory),
        timeout_(timeout),
        listener_(std::move(listener)) {}

  void start() {
    const base::Time now = base::BootClock::now();
    directory_.for_each([&](model::PeerIndex peer, const model::Peer&) {
      switch (gatekeeper_.view(peer, now).state) {
        case gate::SessionState::kDown:
        case gate::SessionState::kFailed:
          return;
        case gate::SessionState::kGoingUp:
        case gate::SessionState::kUp:
        case gate::SessionState::kGoingDown:
          peers_.push_back(peer);
      }
    });
    progress_.total = peers_.size();
    if (peers_.empty()) return listener_.all(progress_);
    take_more();
  }

 private:
  void take_more() {
    const base::Time now = base::BootClock::now();
    for (; next_ < peers_.size() && next_ - progress_.done < kAtATime; ++next_) {
      if (directory_.get(peers_[next_]) == nullptr) {  // a reload took it down meanwhile
        ++progress_.done;
        continue;
      }
      const auto command = pending_.expect([self = shared_from_this()](const gate::FinishCommand& finished) {
        ++self->progress_.done;
        self->listener_.each(self->progress_, finished);
        self->take_more();
      });
      gatekeeper_.down(command, peers_[next_], timeout_, now);
    }
    executor_.settle();
    if (progress_.done == peers_.size()) {
      if (const auto all = std::exchange(listener_.all, nullptr)) all(progress_);
    }
  }

  gate::Gatekeeper& gatekeeper_;
  Executor& executor_;
  PendingCommands& pending_;
  const model::PeerDirectory& directory_;
  base::Duration timeout_;
  DownAllListener listener_;
  std::vector<model::PeerIndex> peers_;
  std::size_t next_ = 0;
  DownAllProgress progress_;
};

}  // namespace

void down_all(gate::Gatekeeper& gatekeeper, Executor& executor, PendingCommands& pending,
              const model::PeerDirectory& directory, base::Duration timeout, DownAllListener listener) {
  std::make_shared<DownAll>(gatekeeper, executor, pending, directory, timeout, std::move(listener))->start();
}

}  // namespace anubis::daemon
