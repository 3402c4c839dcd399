// The text in which sessions outlive the daemon: a journal. PURE. After a first line that tells the boot, each line is
// what a session has come to, and the last one that names its key counts. Times are those of CLOCK_BOOTTIME, in
// nanoseconds, and mean nothing to another boot.
//
//   anubis-sessions 2 5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11
//   PRODUCTION-PUBLIC-KEY STATE SINCE LEASE-END WISH WISH-LEASE WISH-UNTIL
//   PRODUCTION-PUBLIC-KEY gone
//
//   STATE   up; up-renewing: a new preshared key is not confirmed; unsettled: the other end may have it up;
//           unsettled-for-good: the same, and our user wants it down; away: neither, only wished
//   WISH    once, always or persistent, followed by + when it was fulfilled; - when there is none
//   what there is none of is -; leases of wishes are in seconds
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/crypto/keys.h"
#include "lib/gate/action.h"

namespace anubis::daemon {

using RememberedSessions = std::unordered_map<crypto::ProductionPublicKey, gate::Remembered, crypto::PublicKeyHash>;

// Of the file: the 2^20 peers that a kernel's device holds at most, at less than 128 bytes each, and as much of
// journal.
constexpr std::size_t kMaxSessionStore = std::size_t{256} << 20;

[[nodiscard]] std::string format_first_line(std::string_view boot_id);
// With its end of line. None: gone.
[[nodiscard]] std::string format_session(const crypto::ProductionPublicKey& key,
                                         const std::optional<gate::Remembered>& facts);

struct ParsedSessions {
  RememberedSessions sessions;
  std::size_t skipped = 0;  // lines that are not as format_session() writes them, or whose times cannot be true now
};

// A last line without its end was being written when everything ended, and is none. Of an earlier boot: what the other
// ends may still have of us, and persistent wishes; without times. kInvalid: the first line is not ours.
[[nodiscard]] base::Result<ParsedSessions> parse_sessions(std::string_view text, std::string_view boot_id,
                                                          base::Time now);

}  // namespace anubis::daemon
