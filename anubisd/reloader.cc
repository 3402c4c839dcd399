#include "anubisd/reloader.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

bool same(const config::Production& a, const config::Production& b) {
  return a.interface == b.interface && a.public_key == b.public_key && a.listen_port == b.listen_port &&
         a.addresses == b.addresses && a.table == b.table && a.throw_ranges == b.throw_ranges && a.mtu == b.mtu &&
         a.backend == b.backend;
}

bool same(const config::Side& a, const config::Side& b) {
  return a.interface == b.interface && a.public_key == b.public_key && a.listen_port == b.listen_port &&
         a.service_port == b.service_port && a.address == b.address && a.prefix == b.prefix;
}

}  // namespace

void Reloader::reload(Answer answer) {
  if (!waiting_.empty()) return next_.push_back(std::move(answer));
  waiting_.push_back(std::move(answer));
  begin();
}

void Reloader::begin() {
  background_.run(Urgency::kAwaited, [this, file = file_]() -> Callback {
    // A std::function wants to be copied, a Config does not.
    auto fresh = std::make_shared<base::Result<config::Config>>(config::load(file));
    return [this, fresh] { loaded(std::move(*fresh)); };
  });
}

void Reloader::loaded(base::Result<config::Config> fresh) {
  base::Result<std::string> message;
  if (fresh) {
    for (const std::string& warning : fresh->warnings) base::log::warning("config.warning", "{}", warning);
    const auto restart = restart_needed(running_, *fresh);
    message = apply_(std::move(fresh->peers));
    if (message && !restart.empty()) {
      *message += fmt::format("; changes to {} need a restart of anubisd", fmt::join(restart, ", "));
    }
  } else {
    message = base::fail(fresh.error().code, fresh.error().message + "\nnothing was changed");
  }
  if (message) {
    base::log::info("config.reloaded", "{}", *message);
  } else {
    base::log::error("config.not-reloaded", "{}", message.error().message);
  }
  const auto served = std::exchange(waiting_, std::exchange(next_, {}));
  if (!waiting_.empty()) begin();
  for (const Answer& answer : served) answer(message);
}

std::vector<std::string> restart_needed(const config::Config& running, const config::Config& fresh) {
  std::vector<std::string> sections;
  if (running.name != fresh.name) sections.emplace_back("name");
  if (!same(running.production, fresh.production)) sections.emplace_back("[production]");
  if (!same(running.side, fresh.side)) sections.emplace_back("[side]");
  if (running.control.socket != fresh.control.socket || running.control.group != fresh.control.group) {
    sections.emplace_back("[control]");
  }
  return sections;
}

}  // namespace anubis::daemon
