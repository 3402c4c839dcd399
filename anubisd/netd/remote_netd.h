// anubisd's end of the channel: what anubis-netd does, as if it were done here. A call takes 10 to 20 µs more than what
// it asks for.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "anubisd/netd/channel.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/protocol.h"
#include "anubisd/netd/snapshot.h"
#include "lib/base/fd.h"
#include "lib/crypto/sealing.h"

namespace anubis::netd {

class RemoteNetd final : public Netd, public PeerSource {
 public:
  struct Connected;

  // Waits for the greeting: until netd has read its configuration and whoever came before us has gone. The error is
  // netd's own when it has one to tell.
  static base::Result<Connected> connect(Channel channel);

  // gone is called, once, when netd has ended or talks nonsense; every call fails from then on.
  void when_gone(std::function<void()> gone) { when_gone_ = std::move(gone); }

  base::Result<InterfaceReport> bring_up(Interface which) override;
  std::vector<Drift> take_drift() override;
  [[nodiscard]] int event_fd() const override { return to_heal_.get(); }
  std::vector<Interface> interfaces_to_heal() override;
  base::Result<std::vector<PeerIndex>> installed_peers() override;
  base::Result<Presence> install(const InstallRequest& request) override;
  base::Status remove(PeerIndex peer) override;
  base::Status carry(PeerIndex client, std::optional<PeerIndex> server) override;
  base::Result<std::vector<Carried>> carried() override;
  base::Status handshake_done(PeerIndex peer) override;
  base::Result<std::vector<PeerReport>> report(Interface which) override;
  base::Result<std::optional<PeerReport>> report(Interface which, PeerIndex peer) override;
  base::Status set_side_endpoint(PeerIndex peer, const model::Endpoint& endpoint) override;
  base::Result<std::vector<model::Sighting>> look_around() override;
  [[nodiscard]] int surroundings_fd() const override { return surroundings_.get(); }
  base::Status check_bearer_way(const model::IpAddress& destination) override;
  base::Status widen_receive_buffer(int datagram_socket) override;
  base::Result<FirewallReport> firewall_report() override;
  base::Result<std::string> firewall_rules() override;
  base::Status apply_firewall() override;
  base::Status remove_firewall() override;
  base::Status tear_down() override;

  base::Status enrol(PeerIndex invitation, const Newcomer& newcomer) override;
  base::Status begin_reload() override;
  [[nodiscard]] int reload_fd() const override { return loaded_.get(); }
  base::Result<Reloaded> take_reload() override;

  base::Result<crypto::MessageKeys> derive_message_keys(PeerIndex peer, model::Speaker speaker, crypto::Suite suite);

 private:
  RemoteNetd(Channel channel, base::Fd to_heal, base::Fd loaded, base::Fd surroundings)
      : channel_(std::move(channel)),
        to_heal_(std::move(to_heal)),
        loaded_(std::move(loaded)),
        surroundings_(std::move(surroundings)) {}

  // The next datagram of an answer. kInternal, and netd is gone for us: it was not one.
  base::Result<ReplyHeader> receive(Operation operation, ReplyBytes& bytes, std::vector<base::Fd>& descriptors);
  base::Status send(const Request& request, std::span<const int> descriptors = {});
  base::Status ask(const Request& request, std::span<const int> descriptors = {});
  template <class T>
  base::Result<std::vector<T>> ask_for_all(const Request& request);
  template <class T>
  base::Result<T> ask_for_one(const Request& request);
  tl::unexpected<base::Error> lose(const base::Error& why);

  Channel channel_;
  base::Fd to_heal_;
  base::Fd loaded_;
  base::Fd surroundings_;
  bool is_gone_ = false;
  std::function<void()> when_gone_;
};

struct RemoteNetd::Connected {
  std::unique_ptr<RemoteNetd> netd;
  Snapshot snapshot;
};

}  // namespace anubis::netd
