#include "anubisd/reloader.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/log.h"

namespace anubis::daemon {

void Reloader::reload(Answer answer) {
  if (!waiting_.empty()) return next_.push_back(std::move(answer));
  waiting_.push_back(std::move(answer));
  begin();
}

void Reloader::begin() {
  if (const auto status = source_.begin_reload(); !status) return finish(base::fail(status.error()));
  loaded_.when_readable([this] { loaded(); });
}

void Reloader::loaded() {
  auto reloaded = source_.take_reload();
  if (!reloaded && reloaded.error().code == base::ErrorCode::kBusy) {
    return loaded_.when_readable([this] { loaded(); });
  }
  if (!reloaded) {
    return finish(base::fail(reloaded.error().code, reloaded.error().message + "\nnothing was changed"));
  }
  const auto restart = std::exchange(reloaded->restart_needed, {});
  auto message = apply_(std::move(*reloaded));
  if (message && !restart.empty()) {
    *message += fmt::format("; changes to {} need a restart of anubisd", fmt::join(restart, ", "));
  }
  finish(message);
}

void Reloader::finish(const base::Result<std::string>& message) {
  if (message) {
    base::log::info("config.reloaded", "{}", *message);
  } else {
    base::log::error("config.not-reloaded", "{}", message.error().message);
  }
  const auto served = std::exchange(waiting_, std::exchange(next_, {}));
  if (!waiting_.empty()) begin();
  for (const Answer& answer : served) answer(message);
}

}  // namespace anubis::daemon
