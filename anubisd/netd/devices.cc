#include "anubisd/netd/devices.h"

#include <cerrno>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "lib/wireguard/kernel_device.h"
#include "lib/wireguard/userspace_device.h"

namespace anubis::netd {

using base::ErrorCode;
using base::fail;

base::Result<OpenedDevice> SystemDevices::open_kernel(std::string_view interface) {
  auto device = wireguard::KernelDevice::create(std::string(interface));
  if (!device) return fail(device.error());
  return OpenedDevice{std::move(*device), std::nullopt};
}

base::Result<OpenedDevice> SystemDevices::open_userspace(std::string_view interface) {
  auto process = wireguard::UserspaceProcess::adopt_or_start(std::string(interface));
  if (!process) return fail(process.error());
  auto device = wireguard::UserspaceDevice::create(std::string(interface));
  if (!device) return fail(device.error());
  return OpenedDevice{std::move(*device), std::move(*process)};
}

base::Status SystemDevices::check_listen_port(std::uint16_t port) {
  // WireGuard listens on all addresses of both families; IPv4 exists everywhere.
  const base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return base::fail_errno(errno, "cannot open a UDP socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  if (errno == EADDRINUSE) {
    return fail(ErrorCode::kExists,
                fmt::format("another program, or another WireGuard interface, listens on {}/udp: end it or choose "
                            "another listen_port (ss -lunp shows programs, wg shows interfaces)",
                            port));
  }
  return base::fail_errno(errno, fmt::format("cannot listen on {}/udp", port));
}

}  // namespace anubis::netd
