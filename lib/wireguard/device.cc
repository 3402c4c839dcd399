#include "lib/wireguard/device.h"

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

base::Result<DeviceState> Device::dump() {
  Collector collector;
  if (auto status = visit(collector); !status) return base::fail(std::move(status.error()));
  return collector.take();
}

}  // namespace anubis::wireguard
