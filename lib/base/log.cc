#include "lib/base/log.h"

#include <memory>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

void write(Level level, std::string_view name, std::string_view text) {
  if (!logger().should_log(to_spdlog(level))) return;
  const Limit::Decision decision = admit(name, text);
  for (const std::string& suppressed : decision.suppressed) {
    logger().log(spdlog::level::warn, "log.suppressed: {}", safe(suppressed));
  }
  if (decision.write) logger().log(to_spdlog(level), "{}: {}", name, safe(text));
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
