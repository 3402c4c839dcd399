// One connection of the control socket: a command comes in, responses go out. What a client can cost is bounded: it has
// kCommandTime to send a command of at most kMaxCommandSize, and it is cut off when what it does not read exceeds
// kMaxUnread or stands for kReadTime.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <control.pb.h>

#include "anubisd/loop.h"
#include "anubisd/timer.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

// Never used again, so that an answer that comes after its client has gone finds nobody.
enum class ClientId : std::uint64_t {};

class Client {
 public:
  static constexpr base::Duration kCommandTime = std::chrono::seconds(10);
  static constexpr base::Duration kReadTime = std::chrono::seconds(30);
  static constexpr std::size_t kMaxUnread = std::size_t{1} << 20;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void command_received(ClientId id, const control::Command& command) = 0;
    // May be called from within any function of the client, which must live until that has returned.
    virtual void client_ended(ClientId id) = 0;
  };

  Client(Loop& loop, base::Fd fd, ClientId id, Owner& owner);

  void send(const control::Response& response);
  // The last one.
  void finish(control::Done done);
  // Sends what `next` gives, as fast as it is read, until it has given `done`. For answers that are too long to hold.
  void stream(std::function<control::Response()> next);

 private:
  void receive();
  void take_command();
  void pump();
  // Whether everything was taken.
  bool write();
  void end();

  base::Fd fd_;
  ClientId id_;
  Owner& owner_;
  bool has_command_ = false;
  bool finishing_ = false;
  bool ended_ = false;
  std::string in_;
  std::string out_;
  std::size_t written_ = 0;  // of out_
  std::function<control::Response()> next_;
  Watch watch_;
  Timer patience_;
};

}  // namespace anubis::daemon
