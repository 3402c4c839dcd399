// Asking a userspace WireGuard implementation through its socket.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/wireguard/uapi.h"

namespace anubis::wireguard {

// Where implementations put their sockets: DIRECTORY/INTERFACE.sock.
constexpr std::string_view kUapiDirectory = "/var/run/wireguard";

[[nodiscard]] std::string uapi_socket_path(std::string_view directory, std::string_view interface);

// Connects without waiting. The error is an errno; ENOENT and ECONNREFUSED: nobody listens.
[[nodiscard]] tl::expected<base::Fd, int> connect_uapi(const std::string& path);

// Stays connected between requests, because connecting anew costs more than a request; an implementation that hangs up
// after each request, or that was started anew, is connected to again.
class UapiConnection {
 public:
  explicit UapiConnection(std::string path) : path_(std::move(path)) {}

  // The answer goes to the parser. The error is an errno: ETIMEDOUT after 5 s of silence or 30 s in all; EBADMSG
  // when the reply is malformed; those of connect_uapi(), and then the request has surely not arrived.
  tl::expected<void, int> ask(std::string_view request, UapiReplyParser& parser);

 private:
  enum class Progress { kDone, kHungUp, kFailed };
  struct Exchange {
    Progress progress = Progress::kDone;
    int error = 0;
  };
  Exchange exchange(std::string_view request, UapiReplyParser& parser);
  [[nodiscard]] bool is_stale() const;

  std::string path_;
  base::Fd socket_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace anubis::wireguard
