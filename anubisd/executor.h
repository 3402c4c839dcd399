// Carries out what the gatekeeper wants done, and tells it what became of it. The contract is in lib/gate/action.h.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>

#include "anubisd/endpoints.h"
#include "anubisd/handshake_watch.h"
#include "anubisd/netd/netd.h"
#include "anubisd/peer_ports.h"
#include "anubisd/side_service.h"
#include "anubisd/timer.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class Executor final : public SideService::Handler {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void command_finished(const gate::FinishCommand& finished) = 0;
    virtual void session_changed(const gate::SessionChanged& changed) = 0;
    virtual void remember(const gate::RememberSession& session) = 0;
    virtual void client_moved(const gate::CarryClient& moved) = 0;
    // An invited host wants to be a peer; what becomes of it.
    virtual base::Status enrol(const gate::EnrolPeer& wanted) = 0;
    // The same datagram is about to be sent there for the third time (0.75 s after the first), or once more after
    // that: its side tunnel seems to lead nowhere.
    virtual void unheard(model::PeerIndex peer, unsigned times) = 0;
    // A datagram came through the side tunnel of the peer with this side address.
    virtual void heard(const model::IpAddress& side_address) = 0;
  };

  // All must outlive the executor.
  Executor(Loop& loop, gate::Gatekeeper& gatekeeper, const model::PeerDirectory& directory, netd::Netd& netd,
           Endpoints& endpoints, const PeerPorts& ports, Listener& listener);

  // Where datagrams go from now on; null: nowhere.
  void use(SideService* side_service) { side_service_ = side_service; }

  // Due after every call of one of the gatekeeper's functions; from within such a call it does nothing, as the one
  // under way goes on until all is done.
  void settle();

  // netd has gone, and what the gate concludes from that is not true: its sessions stand. Nothing is carried out any
  // more, so that no peer and no later anubisd hears of it.
  void halt() { halted_ = true; }

  void receive(std::span<const SideService::Received> batch) override;
  // A message of a companion page, and the answer to it; none: there is none. What it asks for is done by then.
  [[nodiscard]] std::optional<wire::Datagram> ask(std::span<const std::uint8_t> message,
                                                  const model::IpAddress& source);

 private:
  void carry_out_all();
  void carry_out(const gate::SendDatagram& action);
  void carry_out(const gate::AnswerCompanion& action);
  void carry_out(const gate::ResolveEndpoint& action);
  void carry_out(const gate::InstallPeer& action);
  void carry_out(const gate::RemovePeer& action);
  void carry_out(const gate::WatchHandshake& action);
  void carry_out(const gate::FinishCommand& action);
  void carry_out(const gate::SessionChanged& action);
  void carry_out(const gate::RememberSession& action);
  void carry_out(const gate::CarryClient& action);
  void carry_out(const gate::EnrolPeer& action);
  [[nodiscard]] base::Result<gate::Installed> install(const gate::InstallPeer& action);
  void handshake_seen(model::PeerIndex peer, gate::Ticket ticket);
  void count_repetitions(const gate::SendDatagram& action);
  void flush();
  void arm_timer();

  gate::Gatekeeper& gatekeeper_;
  const model::PeerDirectory& directory_;
  netd::Netd& netd_;
  Endpoints& endpoints_;
  const PeerPorts& ports_;
  Listener& listener_;
  SideService* side_service_ = nullptr;
  HandshakeWatch handshakes_;
  struct Sent {
    std::size_t hash = 0;
    unsigned times = 0;
  };
  std::unordered_map<model::PeerIndex, Sent> last_sent_;  // to each peer that anything was sent to
  std::optional<wire::Datagram> answer_;                  // to the companion that asks
  bool settling_ = false;
  bool halted_ = false;
  Timer timer_;
};

}  // namespace anubis::daemon
