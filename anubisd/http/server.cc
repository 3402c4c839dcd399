#include "anubisd/http/server.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "anubisd/socket_address.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace anubis::daemon::http {
namespace {

using namespace std::chrono_literals;
using base::BootClock;

constexpr base::Duration kRetry = 2s;
constexpr int kSweeps = 8;  // for slow connections, in the time that a request may take
constexpr int kBacklog = 64;

base::Result<base::Fd> listen_at(const Settings& settings) {
  SocketAddress address = to_socket_address(settings.address);
  base::Fd fd(socket(address.generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "cannot make a socket");
  const int yes = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
    return base::fail_errno(errno, "cannot set SO_REUSEADDR");
  }
  if (!settings.interface.empty() && setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, settings.interface.data(),
                                                static_cast<socklen_t>(settings.interface.size())) != 0) {
    return base::fail_errno(errno, fmt::format("cannot bind to {}", settings.interface));
  }
  if (bind(fd.get(), &address.generic, address.size) != 0 || listen(fd.get(), kBacklog) != 0) {
    return base::fail_errno(errno, fmt::format("cannot listen at {}", settings.address.to_string()));
  }
  return fd;
}

// "192.0.2.1:80", "[fd77::1]:4299", "localhost".
bool is_no_name(std::string_view host) {
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.find(']', colon) == host.npos) {
    host = host.substr(0, colon);
  }
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return model::IpAddress::parse(host).has_value();
}

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* const value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Paths are compared as they were sent.
std::size_t leave_escaped(void*, MHD_Connection*, char* text) { return std::strlen(text); }

// A request that is being received.
struct Incoming {
  std::vector<std::uint8_t> body;
};

struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

MHD_Result queue(MHD_Connection* connection, const Response& response) {
  const bool is_constant = !response.constant_body.empty();
  const void* const body = is_constant ? static_cast<const void*>(response.constant_body.data()) : response.body.data();
  // The library takes what it only reads without const.
  const std::unique_ptr<MHD_Response, ResponseDeleter> out(MHD_create_response_from_buffer(
      is_constant ? response.constant_body.size() : response.body.size(), const_cast<void*>(body),
      is_constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY));
  if (out == nullptr) return MHD_NO;
  if (!response.type.empty() &&
      MHD_add_response_header(out.get(), MHD_HTTP_HEADER_CONTENT_TYPE, response.type.c_str()) == MHD_NO) {
    return MHD_NO;
  }
  for (const auto& [name, value] : response.headers) {
    if (MHD_add_response_header(out.get(), name.c_str(), value.c_str()) == MHD_NO) return MHD_NO;
  }
  return MHD_queue_response(connection, response.status, out.get());
}

Response refusal(unsigned status, std::string_view text) {
  return {.status = status, .type = "text/plain; charset=utf-8", .body = std::string(text) + "\n"};
}

}  // namespace

// The library's daemon, as long as there is one.
class Server::Listening {
 public:
  Listening(Loop& loop, const Settings& settings, const Handler& handler)
      : limits_(settings.limits), handler_(handler), due_(loop), sweep_(loop) {}
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() {
    watch_.reset();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  base::Status start(Loop& loop, base::Fd socket) {
    daemon_ = MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, &Listening::access, this,                   //
                               MHD_OPTION_LISTEN_SOCKET, socket.get(),                                         //
                               MHD_OPTION_CONNECTION_LIMIT, limits_.connections,                               //
                               MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits_.connections_of_one_address,         //
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.header_size,                        //
                               MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(limits_.silence.count()),  //
                               MHD_OPTION_STRICT_FOR_CLIENT, 1,                                                //
                               MHD_OPTION_UNESCAPE_CALLBACK, &leave_escaped, nullptr,                          //
                               MHD_OPTION_NOTIFY_CONNECTION, &Listening::connection_changed, this,             //
                               MHD_OPTION_NOTIFY_COMPLETED, &Listening::completed, this,                       //
                               MHD_OPTION_END);
    if (daemon_ == nullptr) return base::fail(base::ErrorCode::kInternal, "libmicrohttpd does not start");
    (void)socket.release();  // the library's own now
    const MHD_DaemonInfo* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
    watch_.emplace(loop, info->epoll_fd);
    wait();
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }
  [[nodiscard]] std::size_t connections() const { return deadlines_.size(); }

 private:
  void wait() {
    watch_->when_readable([this] { run(); });
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
      due_.after(std::chrono::milliseconds(milliseconds), [this] { run(); });
    } else {
      due_.cancel();
    }
  }

  void run() {
    (void)MHD_run(daemon_);
    wait();
  }

  static int socket_of(MHD_Connection* connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  }

  // The library closes who is silent; this, who speaks without end.
  void sweep() {
    const base::Time now = BootClock::now();
    for (const auto& [socket, deadline] : deadlines_) {
      if (deadline <= now) (void)shutdown(socket, SHUT_RDWR);
    }
    if (!deadlines_.empty()) sweep_.after(limits_.whole_request / kSweeps, [this] { sweep(); });
  }

  static void connection_changed(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
    auto& me = *static_cast<Listening*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      me.deadlines_[socket_of(connection)] = BootClock::now() + me.limits_.whole_request;
      if (!me.sweep_.due()) me.sweep_.after(me.limits_.whole_request / kSweeps, [&me] { me.sweep(); });
    } else {
      me.deadlines_.erase(socket_of(connection));
    }
  }

  static void completed(void* self, MHD_Connection* connection, void** incoming, MHD_RequestTerminationCode) {
    auto& me = *static_cast<Listening*>(self);
    delete static_cast<Incoming*>(*incoming);
    *incoming = nullptr;
    me.give(connection, me.limits_.whole_request);
  }

  void give(MHD_Connection* connection, base::Duration time) {
    const auto found = deadlines_.find(socket_of(connection));
    if (found != deadlines_.end()) found->second = BootClock::now() + time;
  }

  static MHD_Result access(void* self, MHD_Connection* connection, const char* path, const char* method,
                           const char* version, const char* upload, std::size_t* upload_size, void** incoming) {
    auto& me = *static_cast<Listening*>(self);
    if (*incoming == nullptr) {
      *incoming = new Incoming;
      return me.begin(connection, version);
    }
    auto& body = static_cast<Incoming*>(*incoming)->body;
    if (*upload_size == 0) return me.answer(connection, method, path, body);
    // One that had said its length would have been refused before.
    if (body.size() + *upload_size > me.limits_.body_size) return MHD_NO;
    body.insert(body.end(), upload, upload + *upload_size);
    *upload_size = 0;
    return MHD_YES;
  }

  // The headers are there, the body is not.
  MHD_Result begin(MHD_Connection* connection, std::string_view version) {
    if (version != MHD_HTTP_VERSION_1_1 && version != MHD_HTTP_VERSION_1_0) {
      return queue(connection, refusal(MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1, please"));
    }
    if (!is_no_name(header_of(connection, MHD_HTTP_HEADER_HOST))) {
      return queue(connection, refusal(MHD_HTTP_MISDIRECTED_REQUEST, "ask for this host by its address"));
    }
    const std::string_view length = header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    std::size_t size = 0;
    if (!length.empty() && (std::from_chars(length.data(), length.data() + length.size(), size).ec != std::errc() ||
                            size > limits_.body_size)) {
      return queue(connection, refusal(MHD_HTTP_CONTENT_TOO_LARGE, "that is too long"));
    }
    return MHD_YES;
  }

  MHD_Result answer(MHD_Connection* connection, std::string_view method, std::string_view path,
                    std::span<const std::uint8_t> body) {
    const sockaddr* const from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    const socklen_t size = from->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    const auto source = to_endpoint(*from, size);
    if (!source) return MHD_NO;
    give(connection, limits_.whole_answer);
    return queue(connection, handler_({.method = method == "HEAD" ? "GET" : method,
                                       .path = path,
                                       .content_type = header_of(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
                                       .body = body,
                                       .source = *source}));
  }

  const Limits& limits_;
  const Handler& handler_;
  MHD_Daemon* daemon_ = nullptr;
  std::unordered_map<int, base::Time> deadlines_;  // by socket
  std::optional<Watch> watch_;
  Timer due_;
  Timer sweep_;
};

Server::Server(Loop& loop, Settings settings, std::string what_for, Handler handler)
    : loop_(loop),
      settings_(std::move(settings)),
      what_for_(std::move(what_for)),
      handler_(std::move(handler)),
      retry_(loop) {
  start();
}

Server::~Server() = default;

void Server::start() {
  auto socket = listen_at(settings_);
  auto listening = std::make_unique<Listening>(loop_, settings_, handler_);
  const auto status = socket ? listening->start(loop_, std::move(*socket)) : base::Status(base::fail(socket.error()));
  if (!status) {
    if (std::exchange(failure_, status.error().message) != failure_) {
      base::log::warning("http.not-listening", "{}: {}; tried again every two seconds", what_for_, failure_);
    }
    return retry_.after(kRetry, [this] { start(); });
  }
  failure_.clear();
  listening_ = std::move(listening);
  base::log::info("http.listening", "{}: at http://{}{}", what_for_,
                  model::Endpoint{.address = settings_.address.address, .port = port()}.to_string(), settings_.path);
}

void Server::restart() {
  retry_.cancel();
  listening_.reset();
  start();
}

std::uint16_t Server::port() const { return listening_ ? listening_->port() : 0; }
std::size_t Server::connections() const { return listening_ ? listening_->connections() : 0; }

}  // namespace anubis::daemon::http
