// Where WireGuard devices come from: the kernel, a process of a userspace implementation, or a test.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/result.h"
#include "lib/wireguard/device.h"
#include "lib/wireguard/userspace_process.h"

namespace anubis::netd {

struct OpenedDevice {
  std::unique_ptr<wireguard::Device> device;
  std::optional<wireguard::UserspaceProcess> process;  // none: the kernel serves it
};

class Devices {
 public:
  virtual ~Devices() = default;

  // The device of a link that exists.
  virtual base::Result<OpenedDevice> open_kernel(std::string_view interface) = 0;
  // Adopts the process that serves the interface, or starts one, which makes the link.
  virtual base::Result<OpenedDevice> open_userspace(std::string_view interface) = 0;
  // Whether a device that is to be made could listen there: neither WireGuard tells when it could not (the kernel does
  // when the link goes up, wireguard-go never). kExists: another program does.
  virtual base::Status check_listen_port(std::uint16_t port) = 0;
};

class SystemDevices final : public Devices {
 public:
  // Starts userspace WireGuard where it is wanted; null: it never is. Must outlive the devices.
  explicit SystemDevices(wireguard::UserspaceLauncher* launcher) : launcher_(launcher) {}

  base::Result<OpenedDevice> open_kernel(std::string_view interface) override;
  base::Result<OpenedDevice> open_userspace(std::string_view interface) override;
  base::Status check_listen_port(std::uint16_t port) override;

 private:
  wireguard::UserspaceLauncher* launcher_;
};

}  // namespace anubis::netd
