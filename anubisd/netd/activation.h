// Where anubis-netd's channel comes from.
#pragma once

#include <string>

#include "anubisd/netd/channel.h"
#include "lib/base/result.h"

namespace anubis::netd {

// anubisd has started us with the channel for descriptor kInheritedChannel.
[[nodiscard]] base::Result<Channel> take_inherited_channel();

// systemd has started us because somebody connected (sd_listen_fds(3)): takes in the first who may, root or the user;
// others are turned away. kNotFound: systemd has not; kTimeout: whoever it was has gone.
[[nodiscard]] base::Result<Channel> accept_channel(const std::string& user);

}  // namespace anubis::netd
