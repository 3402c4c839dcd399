#include "lib/gate/liveness.h"

#include <chrono>

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;

// Sizes of messages: whitepaper, section 5.4. A keepalive is a data message without data.
constexpr std::uint64_t kKeepalive = 32;
constexpr std::uint64_t kHandshake = 148 + 92 + kKeepalive;  // initiation, response, and the first keepalive
constexpr Duration kKeepaliveInterval = 10s;                 // KEEPALIVE_TIMEOUT: the most frequent ones
constexpr Duration kRejectAfter = 180s;                      // REJECT_AFTER_TIME
// An initiation is repeated each 5 s: so long without an answer are several of them.
constexpr Duration kUnanswered = 30s;

// As many as a link may carry in that time on which nobody speaks.
std::uint64_t most_keepalives(Duration time) { return static_cast<std::uint64_t>(time / kKeepaliveInterval) + 2; }

bool are_keepalives(std::uint64_t bytes, Duration time) {
  return bytes % kKeepalive == 0 && bytes / kKeepalive <= most_keepalives(time);
}

bool is_traffic(std::uint64_t bytes, Duration time, bool with_handshake) {
  return bytes > most_keepalives(time) * kKeepalive + (with_handshake ? 2 * kHandshake : 0);
}

}  // namespace

void Liveness::observe(const Observation& seen, Time now) {
  // A peer made anew counts from zero.
  const bool is_anew = !observed_ || seen.rx_bytes < last_.rx_bytes || seen.tx_bytes < last_.tx_bytes;
  if (is_anew) {
    if (!observed_) busy_at_ = now;
    heard_at_ = now;
    unanswered_since_.reset();
  } else {
    const Duration time = now - observed_at_;
    const bool shaken = seen.handshake != last_.handshake;
    const std::uint64_t received = seen.rx_bytes - last_.rx_bytes;
    const std::uint64_t sent = seen.tx_bytes - last_.tx_bytes;
    if (received > 0 || shaken) {
      heard_at_ = now;
      unanswered_since_.reset();
    } else if (sent > 0 && !are_keepalives(sent, time) && !unanswered_since_) {
      unanswered_since_ = now;
    }
    // What is sent to somebody who is not there is no traffic.
    const bool heard = heard_at_ == now;
    if (heard && (is_traffic(received, time, shaken) || is_traffic(sent, time, shaken))) busy_at_ = now;
  }
  observed_ = true;
  last_ = seen;
  observed_at_ = now;
}

std::optional<Duration> Liveness::unanswered_for(Time now) const {
  if (!unanswered_since_) return std::nullopt;
  return now - *unanswered_since_;
}

std::optional<Duration> Liveness::silent_for(Time now) const {
  const Duration silence = now - heard_at_;
  if (!unanswered_since_ || now - *unanswered_since_ < kUnanswered || silence < kRejectAfter) return std::nullopt;
  return silence;
}

Duration Liveness::unheard_for(Time now) const { return observed_ ? now - heard_at_ : Duration{0}; }

Duration Liveness::idle_for(Time now) const { return observed_ ? now - busy_at_ : Duration{0}; }

bool Liveness::is_quiet(Time now) const {
  return observed_ && !unanswered_since_ && now - heard_at_ >= kRejectAfter && idle_for(now) >= kRejectAfter;
}

}  // namespace anubis::gate
