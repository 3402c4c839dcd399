#include "lib/wireguard/userspace_device.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/core.h>
#include <net/if.h>

#include "lib/wireguard/interface_name.h"
#include "lib/wireguard/uapi.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxPeersOfWireguardGo = 65'536;

class Counter final : public DumpVisitor {
 public:
  void begin(const DeviceInfo& device) override {
    device_ = device;
    peers_ = 0;
  }
  void peer(PeerState&&) override { ++peers_; }
  [[nodiscard]] const DeviceInfo& device() const { return device_; }
  [[nodiscard]] std::size_t peers() const { return peers_; }

 private:
  DeviceInfo device_;
  std::size_t peers_ = 0;
};

// The protocol does not know the interface's number.
class WithIfindex final : public DumpVisitor {
 public:
  WithIfindex(DumpVisitor& visitor, std::uint32_t ifindex) : visitor_(visitor), ifindex_(ifindex) {}
  void begin(const DeviceInfo& device) override {
    DeviceInfo complete = device;
    complete.ifindex = ifindex_;
    visitor_.begin(complete);
  }
  void peer(PeerState&& peer) override { visitor_.peer(std::move(peer)); }

 private:
  DumpVisitor& visitor_;
  std::uint32_t ifindex_;
};

}  // namespace

base::Result<std::unique_ptr<UserspaceDevice>> UserspaceDevice::create(std::string interface,
                                                                       std::string_view directory) {
  if (auto status = check_interface_name(interface); !status) return fail(status.error());
  auto path = uapi_socket_path(directory, interface);
  return std::unique_ptr<UserspaceDevice>(new UserspaceDevice(std::move(interface), std::move(path)));
}

UserspaceDevice::UserspaceDevice(std::string interface, std::string path)
    : interface_(std::move(interface)),
      path_(path),
      connection_(std::move(path)),
      derive_([this](const crypto::PrivateKey& key) { return derive(key); }) {}

crypto::PublicKey UserspaceDevice::derive(const crypto::PrivateKey& key) {
  if (!public_key_ || !std::ranges::equal(private_key_.view(), key.view())) {
    public_key_ = key.derive_public_key();
    std::ranges::copy(key.view(), private_key_.writable().begin());
  }
  return *public_key_;
}

base::Status UserspaceDevice::configure(const Configuration& configuration) {
  const auto present = info();
  if (!present) return fail(present.error());
  const auto differing = differing_from(*present, configuration);
  if (!differing) return {};
  const auto request = build_uapi_set(*differing);
  UapiReplyParser parser;
  if (const auto asked = connection_.ask(request.text(), parser); !asked) return fail(error_of(asked.error()));
  if (parser.error() == EADDRINUSE) {
    return fail(ErrorCode::kExists,
                fmt::format("the listen port for {} is used by another program or interface", interface_));
  }
  if (parser.error() != 0) return base::fail_errno(parser.error(), fmt::format("{} refused its configuration", path_));
  return {};
}

PeerFailures UserspaceDevice::apply(std::span<const PeerChange> changes) {
  full_.reset();
  return apply_in_batches(changes, [this](std::span<const PeerChange> batch) { return transact(batch); });
}

Outcome UserspaceDevice::transact(std::span<const PeerChange> changes) {
  const auto request = build_uapi_set(changes);
  UapiReplyParser parser;
  if (const auto asked = connection_.ask(request.text(), parser); !asked) {
    const int error = asked.error();
    const bool not_connected = error == ENOENT || error == ECONNREFUSED || error == EACCES;
    return {not_connected ? Delivery::kDeviceLost : Delivery::kUnknown, error_of(error)};
  }
  if (parser.error() == 0) return {};
  // A full device is told like any other mistake. Counting takes half a second then, so it is done once.
  if (changes.size() == 1 && changes[0].action == PeerAction::kSet && is_full()) {
    return {Delivery::kRejected,
            {ErrorCode::kFull,
             fmt::format("{} is full: wireguard-go takes {} peers on a device", interface_, kMaxPeersOfWireguardGo)}};
  }
  return {Delivery::kRejected,
          base::system_error(parser.error(), fmt::format("{} refused the change of a peer", path_))};
}

bool UserspaceDevice::is_full() {
  if (!full_) {
    Counter counter;
    full_ = visit(counter) && counter.peers() >= kMaxPeersOfWireguardGo;
  }
  return *full_;
}

base::Result<DeviceInfo> UserspaceDevice::info() {
  Counter counter;
  if (auto status = visit(counter); !status) return fail(status.error());
  return counter.device();
}

base::Status UserspaceDevice::visit(DumpVisitor& visitor) {
  WithIfindex with_ifindex(visitor, if_nametoindex(interface_.c_str()));
  UapiReplyParser parser(with_ifindex, derive_);
  if (const auto asked = connection_.ask(kUapiGet, parser); !asked) return fail(error_of(asked.error()));
  if (parser.error() != 0) return base::fail_errno(parser.error(), fmt::format("{} did not tell its peers", path_));
  return {};
}

base::Error UserspaceDevice::error_of(int error) const {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED:
      return {ErrorCode::kNotFound,
              fmt::format("no userspace WireGuard serves {}: nobody listens on {}", interface_, path_)};
    case EBADMSG:
      return {ErrorCode::kIo, fmt::format("what answers on {} does not speak WireGuard's protocol", path_)};
    case ETIMEDOUT:
      return {ErrorCode::kTimeout, fmt::format("the userspace WireGuard behind {} did not answer within 5 s", path_)};
  }
  return base::system_error(error, fmt::format("cannot talk with {}", path_));
}

}  // namespace anubis::wireguard
