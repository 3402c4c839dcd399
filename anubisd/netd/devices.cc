#include "anubisd/netd/devices.h"

#include <string>
#include <utility>

#include <fmt/core.h>

#include "anubisd/netd/udp_table.h"
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
  if (launcher_ == nullptr) return fail(ErrorCode::kUnsupported, "the configuration says backend = \"kernel\"");
  auto process = wireguard::UserspaceProcess::adopt_or_start(std::string(interface), *launcher_);
  if (!process) return fail(process.error());
  auto device = wireguard::UserspaceDevice::create(std::string(interface));
  if (!device) return fail(device.error());
  return OpenedDevice{std::move(*device), std::move(*process)};
}

base::Status SystemDevices::check_listen_port(std::uint16_t port) {
  const auto in_use = is_udp_port_in_use(port);
  if (!in_use) return fail(in_use.error());
  if (!*in_use) return {};
  return fail(ErrorCode::kExists,
              fmt::format("another program, or another WireGuard interface, listens on {}/udp: end it or choose "
                          "another listen_port (ss -lunp shows programs, wg shows interfaces)",
                          port));
}

}  // namespace anubis::netd
