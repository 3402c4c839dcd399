// The kernel's WireGuard, through generic netlink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/wireguard/batch.h"
#include "lib/wireguard/device.h"
#include "lib/wireguard/netlink_connection.h"

namespace anubis::wireguard {

// Asking loads the module where it exists but is not loaded (and modules may be loaded). An error means that the
// question could not be answered.
base::Result<bool> kernel_has_wireguard();

class KernelDevice final : public Device {
 public:
  // The device is whatever bears that name in the network namespace of the calling thread when a call is made; that
  // it exists is seen only then. kUnsupported where the kernel has no WireGuard.
  static base::Result<std::unique_ptr<KernelDevice>> create(std::string interface);
  // The same over another port, for tests.
  static base::Result<std::unique_ptr<KernelDevice>> create(std::string interface, NetlinkPortFactory factory);

  base::Status configure(const Configuration& configuration) override;
  [[nodiscard]] PeerFailures apply(std::span<const PeerChange> changes) override;
  base::Result<DeviceInfo> info() override;
  base::Status visit(DumpVisitor& visitor) override;

 private:
  KernelDevice(std::string interface, NetlinkPortFactory factory)
      : interface_(std::move(interface)), connection_(std::move(factory)) {}

  [[nodiscard]] Target target() const { return {family_, interface_}; }
  Outcome set(Message& request);
  Outcome transact(std::span<const PeerChange> changes);
  [[nodiscard]] base::Error error_of(const Answer& answer) const;

  std::string interface_;
  std::uint16_t family_ = 0;
  NetlinkConnection connection_;
};

}  // namespace anubis::wireguard
