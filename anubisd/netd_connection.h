// How anubisd comes to an anubis-netd: one of its own, or systemd's.
#pragma once

#include <optional>

#include "anubisd/netd/channel.h"
#include "anubisd/netd/spawn.h"
#include "anubisd/options.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

struct NetdConnection {
  std::optional<netd::Child> child;  // that we have started; goes last, as it ends when the channel is closed
  netd::Channel channel;
};

// Connects to options.netd_socket, or starts options.netd, else the anubis-netd that stands beside this program. The
// lock of the state directory is then held by both: nobody gets it before the last of them has gone.
[[nodiscard]] base::Result<NetdConnection> connect_to_netd(const Options& options, const base::Fd& lock);

}  // namespace anubis::daemon
