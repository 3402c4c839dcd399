#include "lib/base/log.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log_limit.h"
#include "lib/base/text.h"

namespace anubis::base::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("anubis", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made.flush_on(spdlog::level::debug);
    return made;
  }();
  return instance;
}

// The files of a configuration are read beside the loop, and say something, too.
Limit::Decision admit(std::string_view name, std::string_view text) {
  static std::mutex mutex;
  static Limit limit;
  const std::lock_guard lock(mutex);
  return limit.admit(name, text, BootClock::now());
}

// Fit for a terminal, and nothing in it can pass for a line of ours: what is not printable comes as \xNN, and further
// lines are indented.
std::string safe(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = printable_size(text);
    if (size != 0) {
      out += text.substr(0, size);
    } else {
      size = 1;
      out += text.front() == '\n' ? "\n    " : fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(size);
  }
  return out;
}

// As syslog(3) numbers them.
std::string_view priority_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return "7";
    case Level::kInfo:
      return "6";
    case Level::kWarning:
      return "4";
    case Level::kError:
      return "3";
  }
  return "3";
}

struct OpenJournal {
  std::string program;
  Journal journal;
};

// None: standard error is somebody else's.
std::optional<OpenJournal>& journal() {
  static std::optional<OpenJournal> instance;
  return instance;
}

bool put_into_journal(Level level, const Subject& subject, std::string_view message) {
  if (!journal()) return false;
  std::vector<JournalField> fields{{"MESSAGE", message},
                                   {"PRIORITY", priority_of(level)},
                                   {"SYSLOG_IDENTIFIER", journal()->program},
                                   {"ANUBIS_EVENT", subject.name}};
  if (!subject.peer.empty()) fields.push_back({"ANUBIS_PEER", subject.peer});
  return journal()->journal.send(fields);
}

void put(Level level, const Subject& subject, std::string_view text) {
  const std::string message = fmt::format("{}: {}", subject.name, text);
  if (!put_into_journal(level, subject, message)) logger().log(to_spdlog(level), message);
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

void use_journal(std::string_view program, const char* socket_path) {
  // Nobody sets the environment here, nor is there a second thread yet.
  const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  journal().reset();
  if (Journal::is_behind(STDERR_FILENO, stream)) journal().emplace(std::string(program), Journal(socket_path));
}

void write(Level level, Subject subject, std::string_view text) {
  if (!logger().should_log(to_spdlog(level))) return;
  const Limit::Decision decision = admit(subject.name, text);
  for (const std::string& suppressed : decision.suppressed) put(Level::kWarning, "log.suppressed", safe(suppressed));
  if (decision.write) put(level, subject, safe(text));
}

std::string escaped(std::string_view text, std::size_t max_size) {
  std::string out;
  for (const char character : text.substr(0, max_size)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f && character != '\\') {
      out.push_back(character);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  if (text.size() > max_size) out += "...";
  return out;
}

}  // namespace anubis::base::log
