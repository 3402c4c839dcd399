#include "lib/wireguard/device.h"

#include <algorithm>
#include <limits>

namespace anubis::wireguard {
namespace {

class Collector final : public DumpVisitor {
 public:
  void begin(const DeviceInfo& device) override { state_ = {device, {}}; }
  void peer(PeerState&& peer) override { state_.peers.push_back(std::move(peer)); }
  [[nodiscard]] DeviceState take() { return std::move(state_); }

 private:
  DeviceState state_;
};

}  // namespace

HandshakeTime to_handshake_time(std::int64_t seconds, std::int64_t nanoseconds) {
  constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  return HandshakeTime(std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMaxSeconds)) +
                       std::chrono::nanoseconds(std::clamp<std::int64_t>(nanoseconds, 0, 999'999'999)));
}

std::optional<Configuration> differing_from(const DeviceInfo& present, const Configuration& wanted) {
  Configuration differing;
  if (wanted.private_key != nullptr && present.public_key != wanted.private_key->derive_public_key()) {
    differing.private_key = wanted.private_key;
  }
  // 0 means any port, so whatever it has will do.
  if (wanted.listen_port && *wanted.listen_port != 0 && *wanted.listen_port != present.listen_port) {
    differing.listen_port = wanted.listen_port;
  }
  if (wanted.fwmark && *wanted.fwmark != present.fwmark) differing.fwmark = wanted.fwmark;
  if (differing.private_key == nullptr && !differing.listen_port && !differing.fwmark) return std::nullopt;
  return differing;
}

base::Result<DeviceState> Device::dump() {
  Collector collector;
  if (auto status = visit(collector); !status) return base::fail(std::move(status.error()));
  return collector.take();
}

}  // namespace anubis::wireguard
