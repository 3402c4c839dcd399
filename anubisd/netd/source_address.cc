#include "anubisd/netd/source_address.h"

#include <utility>
#include <vector>

namespace anubis::netd {

base::Status forget_source_addresses(wireguard::Device& device) {
  class Visitor final : public wireguard::DumpVisitor {
   public:
    void begin(const wireguard::DeviceInfo& /*device*/) override { changes.clear(); }
    void peer(wireguard::PeerState&& state) override {
      if (!state.endpoint) return;
      changes.push_back(
          {.public_key = state.public_key, .action = wireguard::PeerAction::kUpdateOnly, .endpoint = state.endpoint});
    }

    std::vector<wireguard::PeerChange> changes;
  };

  Visitor visitor;
  if (auto status = device.visit(visitor); !status) return status;
  auto failures = device.apply(visitor.changes);
  if (failures.empty()) return {};
  return base::fail(std::move(failures.front().error));
}

}  // namespace anubis::netd
