#include "anubisd/session_memory.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
namespace log = base::log;

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
constexpr base::Duration kRetry = 10s;
// Lines that are no longer true: so many are left until the file is written anew.
constexpr std::size_t kMostOutdated = 1000;

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

base::Status write_all(const base::Fd& fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return base::fail_errno(errno, name);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// Whole or not at all, whenever we are killed. Appends from then on.
base::Result<base::Fd> replace_file(const std::filesystem::path& file, std::string_view text, bool to_disk) {
  const std::string temporary = file.native() + ".new";
  base::Fd fd(open(temporary.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return base::fail_errno(errno, temporary);
  if (auto status = write_all(fd, text, temporary); !status) return base::fail(status.error());
  // Before the name, lest a machine that loses its power has neither the old file nor the new.
  if (to_disk && fsync(fd.get()) != 0) return base::fail_errno(errno, temporary);
  base::step("memory.written");
  if (rename(temporary.c_str(), file.c_str()) != 0) return base::fail_errno(errno, file.native());
  base::step("memory.replaced");
  return fd;
}

bool is_persistent(const gate::Remembered& facts) {
  return facts.wish && facts.wish->insistence == gate::Insistence::kPersistent;
}

}  // namespace

SessionMemory::SessionMemory(Loop& loop, const model::PeerDirectory& directory, std::filesystem::path file)
    : directory_(directory), file_(std::move(file)), retry_(loop) {}

RememberedSessions SessionMemory::load(base::Time now) {
  auto boot_id = read_whole(kBootId);
  if (!boot_id) {
    log::warning("session.memory-not-written", "{}", boot_id.error().message);
    return {};
  }
  boot_id_ = boot_id->substr(0, boot_id->find('\n'));
  sessions_ = read(now);
  std::erase_if(sessions_, [this](const auto& session) { return !directory_.find(session.first); });
  rewrite();
  return sessions_;
}

RememberedSessions SessionMemory::read(base::Time now) {
  const auto text = read_whole(file_);
  if (!text) {
    if (text.error().code != base::ErrorCode::kNotFound) {
      log::warning("session.memory-ignored", "{}", text.error().message);
    }
    return {};
  }
  auto parsed = parse_sessions(*text, boot_id_, now);
  if (!parsed) {
    log::warning("session.memory-ignored", "{}: {}", file_.native(), parsed.error().message);
    return {};
  }
  if (parsed->skipped > 0) {
    log::warning("session.memory-ignored", "{}: {} lines are not as anubisd writes them", file_.native(),
                 parsed->skipped);
  }
  return std::move(parsed->sessions);
}

void SessionMemory::remember(const gate::RememberSession& session) {
  if (const model::Peer* peer = directory_.get(session.peer)) {
    keys_.insert_or_assign(session.peer, peer->public_key);
  }
  const auto known = keys_.find(session.peer);
  if (known == keys_.end()) return;
  const crypto::ProductionPublicKey key = known->second;
  const auto before = sessions_.find(key);
  bool to_disk = before != sessions_.end() && is_persistent(before->second);
  if (session.facts) {
    to_disk = is_persistent(*session.facts) != to_disk || (to_disk && session.facts->wish != before->second.wish);
    sessions_.insert_or_assign(key, *session.facts);
  } else {
    if (before != sessions_.end()) sessions_.erase(before);
    keys_.erase(known);
  }
  if (boot_id_.empty()) return;
  if (!journal_ || lines_ > 2 * sessions_.size() + kMostOutdated) return rewrite();
  append(format_session(key, session.facts), to_disk);
}

void SessionMemory::append(const std::string& line, bool to_disk) {
  auto written = write_all(journal_, line, file_.native());
  if (written && to_disk && fsync(journal_.get()) != 0) written = base::fail_errno(errno, file_.native());
  base::step("memory.appended");
  ++lines_;
  if (!written) journal_.reset();  // there may be half a line
  note(written);
}

void SessionMemory::rewrite() {
  std::string text = format_first_line(boot_id_);
  bool to_disk = false;
  for (const auto& [key, facts] : sessions_) {
    text += format_session(key, facts);
    to_disk |= is_persistent(facts);
  }
  auto journal = replace_file(file_, text, to_disk);
  if (journal) {
    journal_ = std::move(*journal);
    lines_ = sessions_.size();
  } else {
    journal_.reset();
  }
  note(journal ? base::Status() : base::fail(journal.error()));
}

void SessionMemory::note(const base::Status& written) {
  if (!written) {
    if (!failing_) log::warning("session.memory-not-written", "{}", written.error().message);
    retry_.after(kRetry, [this] { rewrite(); });
  }
  failing_ = !written;
}

}  // namespace anubis::daemon
