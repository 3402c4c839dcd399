// A small HTTP/1.1 server on the daemon's loop: one handler, whole requests, whole answers. What HTTP is, libmicrohttpd
// knows; it starts no thread here and never waits.
//
// A request whose Host is a name is refused: only addresses and "localhost" are let through, so that no page in
// somebody's browser can give this host a name of its own and read what is said here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "anubisd/loop.h"
#include "anubisd/timer.h"
#include "lib/base/clock.h"
#include "lib/model/endpoint.h"

namespace anubis::daemon::http {

// Valid while the handler runs.
struct Request {
  std::string_view method;  // "GET" for HEAD, too: the body of its answer is left out
  std::string_view path;    // as it was sent, without the query
  std::string_view content_type;
  std::span<const std::uint8_t> body;
  model::Endpoint source;
};

struct Response {
  unsigned status = 200;
  std::string type = {};  // empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // In place of `body`: bytes that outlive the server.
  std::span<const std::uint8_t> constant_body = {};
};

// Called from the loop. It answers at once, as nothing may block there.
using Handler = std::function<Response(const Request&)>;

struct Limits {
  unsigned connections = 64;
  unsigned connections_of_one_address = 8;
  std::size_t header_size = 8 * 1024;  // of a request
  // Of a request. Beyond: 413 if it says its length; in chunks, the connection's end without an answer, as the library
  // takes none before the body's end.
  std::size_t body_size = 8 * 1024;
  std::chrono::seconds silence{15};                         // of a connection, between requests as well
  base::Duration whole_request = std::chrono::seconds(30);  // from the connection's begin or the last answer
  base::Duration whole_answer = std::chrono::seconds(120);
};

struct Settings {
  model::Endpoint address;     // port 0: any
  std::string interface = {};  // bound to it; empty: not bound
  std::string path = "/";      // of what the log names
  Limits limits = {};
};

class Server {
 public:
  // Listens as soon as it can: where the address is not there yet, or somebody else has the port, that is logged, and
  // tried again every two seconds. `what_for` begins the sentences in the log.
  Server(Loop& loop, Settings settings, std::string what_for, Handler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Anew: the interface that it was bound to is another one. Closes all connections.
  void restart();

  // 0: it does not listen.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;

 private:
  class Listening;
  void start();

  Loop& loop_;
  const Settings settings_;
  const std::string what_for_;
  const Handler handler_;
  std::string failure_;  // as it was logged last
  std::unique_ptr<Listening> listening_;
  Timer retry_;
};

}  // namespace anubis::daemon::http
