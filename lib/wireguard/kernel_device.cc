#include "lib/wireguard/kernel_device.h"

#include <cerrno>
#include <utility>

#include <fmt/core.h>

#include "lib/wireguard/interface_name.h"
#include "lib/wireguard/netlink_message.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;
using base::fail;

// A dump of a device with very many peers takes a second, in which others may change it.
constexpr int kMaxDumps = 10;
constexpr int kMaxSets = 4;

// 0: the kernel has no WireGuard.
base::Result<std::uint16_t> find_family(NetlinkConnection& connection) {
  std::uint16_t family = 0;
  auto request = build_get_family();
  const auto answer = connection.ask(request, [&family](std::span<const std::uint8_t> attributes) {
    const auto parsed = parse_family(attributes);
    family = parsed.value_or(0);
    return parsed ? Reading::kOn : Reading::kMalformed;
  });
  if (answer.ending == Ending::kRejected && answer.error == ENOENT) return std::uint16_t{0};
  if (answer.ending != Ending::kDone || family == 0) {
    return base::fail_errno(answer.error, "cannot ask the kernel for WireGuard");
  }
  return family;
}

class InfoOnly final : public DumpVisitor {
 public:
  void begin(const DeviceInfo& device) override { device_ = device; }
  void peer(PeerState&&) override {}
  [[nodiscard]] const DeviceInfo& device() const { return device_; }

 private:
  DeviceInfo device_;
};

}  // namespace

base::Result<bool> kernel_has_wireguard() {
  NetlinkConnection connection(open_generic_netlink);
  const auto family = find_family(connection);
  if (!family) return fail(family.error());
  return *family != 0;
}

base::Result<std::unique_ptr<KernelDevice>> KernelDevice::create(std::string interface) {
  return create(std::move(interface), open_generic_netlink);
}

base::Result<std::unique_ptr<KernelDevice>> KernelDevice::create(std::string interface, NetlinkPortFactory factory) {
  if (auto status = check_interface_name(interface); !status) return fail(status.error());
  std::unique_ptr<KernelDevice> device(new KernelDevice(std::move(interface), std::move(factory)));
  const auto family = find_family(device->connection_);
  if (!family) return fail(family.error());
  if (*family == 0) {
    return fail(ErrorCode::kUnsupported,
                "this kernel has no WireGuard: load its module (modprobe wireguard) or use the userspace backend");
  }
  device->family_ = *family;
  return device;
}

base::Status KernelDevice::configure(const Configuration& configuration) {
  const auto present = info();
  if (!present) return fail(present.error());
  const auto differing = differing_from(*present, configuration);
  if (!differing) return {};
  auto request = build_set_device(target(), *differing);
  auto outcome = set(request);
  if (outcome.delivery == Delivery::kApplied) return {};
  return fail(std::move(outcome.error));
}

PeerFailures KernelDevice::apply(std::span<const PeerChange> changes) {
  return apply_in_batches(changes, [this](std::span<const PeerChange> batch) { return transact(batch); });
}

Outcome KernelDevice::transact(std::span<const PeerChange> changes) {
  PeerMessages messages(target(), changes);
  while (auto request = messages.next()) {
    if (auto outcome = set(*request); outcome.delivery != Delivery::kApplied) return outcome;
  }
  return {};
}

Outcome KernelDevice::set(Message& request) {
  auto answer = connection_.ask(request, {});
  // Setting the same again is safe, and the only way to know when an acknowledgement is lost.
  for (int sets = 1; answer.ending == Ending::kLost && sets < kMaxSets; ++sets) answer = connection_.ask(request, {});
  if (answer.ending == Ending::kDone) return {};
  if (answer.ending != Ending::kRejected) return {Delivery::kUnknown, error_of(answer)};
  const bool device_lost = answer.error == ENODEV || answer.error == EOPNOTSUPP || answer.error == EPERM ||
                           answer.error == EACCES || answer.error == ENOENT;
  return {device_lost ? Delivery::kDeviceLost : Delivery::kRejected, error_of(answer)};
}

base::Result<DeviceInfo> KernelDevice::info() {
  Answer answer;
  for (int dumps = 0; dumps < kMaxDumps; ++dumps) {
    InfoOnly visitor;
    DeviceParser parser(visitor);
    auto request = build_get_device(target());
    // The device stands in the first message; the rest is not read.
    answer = connection_.ask(request, [&parser](std::span<const std::uint8_t> attributes) {
      return parser.feed(attributes) ? Reading::kStop : Reading::kMalformed;
    });
    if (answer.ending == Ending::kStopped) return visitor.device();
    if (answer.ending != Ending::kInterrupted && answer.ending != Ending::kLost) break;
  }
  return fail(error_of(answer));
}

base::Status KernelDevice::visit(DumpVisitor& visitor) {
  Answer answer;
  for (int dumps = 0; dumps < kMaxDumps; ++dumps) {
    DeviceParser parser(visitor);
    auto request = build_get_device(target());
    answer = connection_.ask(request, [&parser](std::span<const std::uint8_t> attributes) {
      return parser.feed(attributes) ? Reading::kOn : Reading::kMalformed;
    });
    if (answer.ending == Ending::kDone) {
      parser.finish();
      return {};
    }
    if (answer.ending != Ending::kInterrupted && answer.ending != Ending::kLost) break;
  }
  return fail(error_of(answer));
}

base::Error KernelDevice::error_of(const Answer& answer) const {
  switch (answer.ending) {
    case Ending::kInterrupted:
      return {ErrorCode::kBusy,
              fmt::format("{} was changed by others while it was read, {} times in a row", interface_, kMaxDumps)};
    case Ending::kLost:
      return {ErrorCode::kBusy, fmt::format("the kernel's answers about {} were lost again and again", interface_)};
    case Ending::kDone:
    case Ending::kStopped:
    case Ending::kFailed:
      return base::system_error(answer.error, fmt::format("cannot talk with the kernel about {}", interface_));
    case Ending::kRejected:
      break;
  }
  switch (answer.error) {
    case ENODEV:
      return {ErrorCode::kNotFound, fmt::format("there is no interface {}", interface_)};
    case EOPNOTSUPP:
      return {ErrorCode::kExists, fmt::format("{} exists, but is not an interface of the kernel's WireGuard: choose "
                                              "another name, or remove it",
                                              interface_)};
    case EPERM:
    case EACCES:
      return {ErrorCode::kPermission, fmt::format("not permitted to control {}: that takes CAP_NET_ADMIN", interface_)};
    case EADDRINUSE:
      return {ErrorCode::kExists,
              fmt::format("the listen port for {} is used by another program or interface", interface_)};
    case ENOMEM:
      return {ErrorCode::kFull,
              fmt::format("{} is full (the kernel takes 2^20 peers on a device), or the kernel is out of memory",
                          interface_)};
  }
  return base::system_error(answer.error, fmt::format("the kernel refused the change of {}", interface_));
}

}  // namespace anubis::wireguard
