#include "anubisd/session_memory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using base::BootClock;
namespace log = base::log;

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
// A daemon that is killed within this time of a change has forgotten the change.
constexpr base::Duration kDelay = 50ms;
constexpr base::Duration kRetry = 10s;
// The loop waits for the disk meanwhile: many sessions on a slow disk are written less often, so that it is at most one
// part in so many of its time.
constexpr int kShareOfTime = 20;

base::Result<std::string> read_whole(const std::filesystem::path& file) {
  const base::Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return base::fail_errno(errno, file.native());
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= kMaxSessionStore) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, file.native());
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return base::fail(base::ErrorCode::kInvalid, fmt::format("{} is too large", file.native()));
}

// Whole or not at all, whenever we are killed.
base::Status replace_file(const std::filesystem::path& file, std::string_view text) {
  const std::string temporary = file.native() + ".new";
  const base::Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return base::fail_errno(errno, temporary);
  while (!text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return base::fail_errno(errno, temporary);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  // No fsync: a crash of the machine makes the file void anyway, by its boot id.
  if (rename(temporary.c_str(), file.c_str()) != 0) return base::fail_errno(errno, file.native());
  return {};
}

}  // namespace

SessionMemory::SessionMemory(Loop& loop, const model::PeerDirectory& directory, std::filesystem::path file)
    : directory_(directory), file_(std::move(file)), delay_(kDelay), timer_(loop) {}

RememberedSessions SessionMemory::load(base::Time now) {
  auto boot_id = read_whole(kBootId);
  if (!boot_id) {
    log::warning("session.memory-not-written", "{}", boot_id.error().message);
    return {};
  }
  boot_id_ = boot_id->substr(0, boot_id->find('\n'));
  const auto text = read_whole(file_);
  if (!text) {
    if (text.error().code != base::ErrorCode::kNotFound) {
      log::warning("session.memory-ignored", "{}", text.error().message);
    }
    return {};
  }
  auto sessions = parse_sessions(*text, boot_id_, now);
  if (!sessions) {
    log::warning("session.memory-ignored", "{}: {}", file_.native(), sessions.error().message);
    return {};
  }
  // What of it is not adopted must not be found again by the daemon after us.
  if (!sessions->empty()) timer_.after(delay_, [this] { write(); });
  return std::move(*sessions);
}

void SessionMemory::remember(const gate::RememberSession& session) {
  if (!session.facts) {
    sessions_.erase(session.peer);
  } else if (const model::Peer* peer = directory_.get(session.peer)) {
    sessions_[session.peer] = {peer->public_key, *session.facts};
  }
  if (!boot_id_.empty() && !timer_.due()) timer_.after(delay_, [this] { write(); });
}

void SessionMemory::flush() {
  if (!timer_.due()) return;
  timer_.cancel();
  write();
}

void SessionMemory::write() {
  const base::Time begin = BootClock::now();
  RememberedSessions sessions;
  for (const auto& [peer, entry] : sessions_) sessions.emplace(entry.key, entry.facts);
  const auto written = replace_file(file_, format_sessions(sessions, boot_id_));
  delay_ = std::max(kDelay, (BootClock::now() - begin) * kShareOfTime);
  if (!written) {
    if (!failing_) log::warning("session.memory-not-written", "{}", written.error().message);
    timer_.after(kRetry, [this] { write(); });
  }
  failing_ = !written;
}

}  // namespace anubis::daemon
