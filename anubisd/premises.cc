#include "anubisd/premises.h"

#include <utility>

#include "lib/base/log.h"

namespace anubis::daemon {

base::Result<Premises> occupy(base::Fd lock, const std::filesystem::path& state_directory,
                              const std::filesystem::path& socket, const std::string& group_name) {
  const auto group = find_group(group_name);
  if (!group) {
    base::log::warning("control.no-group",
                       "there is no group {}: only root may command; as root: groupadd --system {}, then restart "
                       "anubisd",
                       group_name, group_name);
  }
  auto listener = ControlListener::bind(socket, group);
  if (!listener) return base::fail(listener.error());
  return Premises{std::move(lock), state_directory, socket, std::move(*listener), group};
}

}  // namespace anubis::daemon
