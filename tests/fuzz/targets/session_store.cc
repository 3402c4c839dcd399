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
  const auto parsed = daemon::parse_sessions(as_text(input), kBoot, now);
  if (!parsed) return require(!parsed.error().message.empty(), "an error has a text");
  std::string text = daemon::format_first_line(kBoot);
  for (const auto& [key, session] : parsed->sessions) {
    require(session.since <= now, "no session began in the future");
    require(!session.lease_end || *session.lease_end <= now + base::kMaxDuration, "no lease is longer than any");
    text += daemon::format_session(key, session);
  }
  const auto again = daemon::parse_sessions(text, kBoot, now);
  require(again.has_value() && again->skipped == 0 && again->sessions == parsed->sessions,
          "what was written is read as the same");
}

}  // namespace anubis::fuzz
