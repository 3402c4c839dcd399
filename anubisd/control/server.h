// The control socket: lets in who may command, and keeps their connections.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <control.pb.h>

#include "anubisd/control/client.h"
#include "anubisd/control/listener.h"
#include "anubisd/timer.h"

namespace anubis::daemon {

class ControlServer final : public Client::Owner {
 public:
  static constexpr std::size_t kMaxClients = 64;
  // Of one user, and of all users together, but for root and ourselves: one user cannot keep others out, nor all of
  // them root.
  static constexpr std::size_t kMaxClientsOfUser = 24;
  static constexpr std::size_t kMaxClientsOfUsers = 56;

  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void command(ClientId client, const control::Command& command) = 0;
    virtual void client_gone(ClientId client) = 0;
  };

  // group: whose members may command, besides root and ourselves.
  ControlServer(Loop& loop, ControlListener listener, std::optional<gid_t> group, std::string group_name,
                Handler& handler);

  base::Status start();
  // Takes nobody in any more, and removes the socket.
  void close();

  // Null once it has gone. Valid until the loop turns.
  [[nodiscard]] Client* find(ClientId id);
  // Root, or who runs this daemon.
  [[nodiscard]] bool is_administrator(ClientId id) const;

  void command_received(ClientId id, const control::Command& command) override;
  void client_ended(ClientId id) override;

 private:
  void wait();
  void accept_some();
  void admit(base::Fd fd);
  // Why this user may have no further client; empty: he may.
  [[nodiscard]] std::string why_full(uid_t user) const;
  void refuse(base::Fd fd, control::ExitStatus status, std::string message);

  Loop& loop_;
  std::optional<ControlListener> listener_;
  std::optional<gid_t> group_;
  std::string group_name_;
  Handler& handler_;
  std::uint64_t last_id_ = 0;
  struct Kept {
    uid_t user = 0;
    std::unique_ptr<Client> client;
  };
  std::unordered_map<ClientId, Kept> clients_;
  std::optional<Watch> watch_;
  Timer pause_;
};

}  // namespace anubis::daemon
