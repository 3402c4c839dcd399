// Whether a session's other end lives, judged by WireGuard's counters alone: a link that nobody uses is quiet, and that
// is no fault; a peer is silent when we send what wants an answer and nothing comes back. No wall clock is asked.
//
// WireGuard's own rules make that possible (whitepaper, section 6): data is answered by data or, within 10 s, by a
// keepalive; a session older than 120 s is begun anew by whoever sends; none is used beyond 180 s.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/base/clock.h"

namespace anubis::gate {

// What WireGuard says of a peer.
struct Observation {
  std::int64_t handshake = 0;  // of the latest: any number that is another one for another handshake; 0: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

class Liveness {
 public:
  // To be called now and then, the more often the better: what is between two calls is seen as one.
  void observe(const Observation& seen, base::Time now);

  // For how long we have been sending without hearing anything. None: we have not.
  [[nodiscard]] std::optional<base::Duration> unanswered_for(base::Time now) const;
  [[nodiscard]] base::Duration unheard_for(base::Time now) const;
  // For how long a peer has not been heard that must have been heard by now. None: it may well be alive.
  [[nodiscard]] std::optional<base::Duration> silent_for(base::Time now) const;
  // Since the last traffic; keepalives and handshakes are none.
  [[nodiscard]] base::Duration idle_for(base::Time now) const;
  // Neither traffic nor a handshake for so long that WireGuard has forgotten its keys: it will take new ones when
  // somebody sends.
  [[nodiscard]] bool is_quiet(base::Time now) const;

 private:
  bool observed_ = false;
  Observation last_;
  base::Time observed_at_{};
  base::Time heard_at_{};
  base::Time busy_at_{};
  std::optional<base::Time> unanswered_since_;
};

}  // namespace anubis::gate
