// The file in which sessions outlive the daemon.
#include "anubisd/session_store.h"

#include <chrono>

#include "lib/base/duration.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

void session_store(Bytes input) {
  constexpr std::string_view kBoot = "5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11";
  const base::Time now{std::chrono::hours(100)};
  crypto::initialise();
  const auto sessions = daemon::parse_sessions(as_text(input), kBoot, now);
  if (!sessions) return require(!sessions.error().message.empty(), "an error has a text");
  for (const auto& [key, session] : *sessions) {
    require(session.since <= now, "no session began in the future");
    require(!session.lease_end || *session.lease_end <= now + base::kMaxDuration, "no lease is longer than any");
  }
  const auto again = daemon::parse_sessions(daemon::format_sessions(*sessions, kBoot), kBoot, now);
  require(again.has_value() && *again == *sessions, "what was written is read as the same");
}

}  // namespace anubis::fuzz
