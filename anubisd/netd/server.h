// anubis-netd's end of the channel: takes the requests of one anubisd, one after the other, and has each carried out
// after it has passed the checks of protocol.h.
#pragma once

#include <functional>
#include <span>

#include "anubisd/netd/authority.h"
#include "anubisd/netd/channel.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/protocol.h"

namespace anubis::netd {

enum class ServingEnd {
  kGone,       // anubisd has ended, however it did
  kMalformed,  // it said something that anubisd never says
  kAsked,      // by a signal
};

class Server {
 public:
  // What a reload changed, brought to the interfaces.
  using Apply = std::function<base::Status(const model::DirectoryChanges&)>;

  // netd and authority must outlive it.
  static base::Result<Server> create(Channel channel, Netd& netd, Authority& authority, Apply apply);

  // Hands over the authorised set.
  base::Status greet();
  // asked: called when signal_fd is readable; true ends it. -1: no signals.
  ServingEnd serve(int signal_fd, const std::function<bool()>& asked);

 private:
  // A pipe that tells the other side of something once, until it has come for it.
  struct Bell {
    base::Fd read;
    base::Fd write;
    bool rung = false;

    static base::Result<Bell> create();
    void ring();
  };

  Server(Channel channel, Netd& netd, Authority& authority, Apply apply, Bell to_heal, Bell loaded, Bell surroundings);

  // None: goes on.
  std::optional<ServingEnd> serve_one();
  base::Status carry_out(const Request& request, std::span<const base::Fd> descriptors);
  base::Status install(const Request& request);
  base::Status take_reload();

  base::Status answer(Operation operation, const base::Status& status);
  template <class T>
  base::Status answer(Operation operation, std::span<const T> records);
  template <class T>
  base::Status answer(Operation operation, const base::Result<std::vector<T>>& records);
  template <class T>
  base::Status answer_one(Operation operation, const base::Result<T>& record);

  Channel channel_;
  Netd& netd_;
  Authority& authority_;
  Apply apply_;
  Bell to_heal_;
  Bell loaded_;
  Bell surroundings_;
};

// Instead of all that: why there is nothing to serve.
void greet_with_failure(Channel& channel, const base::Error& error);

}  // namespace anubis::netd
