// One connection to the local anubisd: one Command goes out, Responses come in. Blocking, for a single thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "anubis-cli/failure.h"
#include "anubis-cli/frames.h"
#include "lib/base/fd.h"

namespace anubis::cli {

// How long the daemon may be silent; nothing: for ever.
using Patience = std::optional<std::chrono::milliseconds>;

// For what the daemon answers out of its memory.
constexpr std::chrono::milliseconds kPatience{10'000};
// For reading its configuration again: one of a million peers takes its time.
constexpr std::chrono::milliseconds kReloadPatience{60'000};
// What a daemon gets beyond the timeout that it was given itself, before we call it stuck.
constexpr std::chrono::milliseconds kGrace{5'000};

class Connection {
 public:
  // Connects and sends. NOT_RUNNING, NOT_PERMITTED, or UNREACHABLE when the daemon does not take the connection.
  static Outcome<Connection> open(const std::string& socket_path, const control::Command& command);

  // The next response. NOT_RUNNING when the daemon closes, UNREACHABLE when its silence outlasts the patience, FAILED
  // when what comes is not a response, or something can be read from INTERRUPT.
  Outcome<control::Response> receive(Patience patience, int interrupt = -1);

 private:
  Connection(base::Fd fd, const std::string& socket_path) : fd_(std::move(fd)), socket_path_(socket_path) {}
  Outcome<void> read_more(Patience left, Patience whole, int interrupt);

  base::Fd fd_;
  std::string socket_path_;
  FrameReader frames_;
};

// Sends COMMAND and hands every response before `done` to ON_RESPONSE. A `done` that is not DONE becomes the failure it
// tells.
Outcome<control::Done> exchange(const std::string& socket_path, const control::Command& command, Patience patience,
                                const std::function<void(const control::Response&)>& on_response, int interrupt = -1);

}  // namespace anubis::cli
