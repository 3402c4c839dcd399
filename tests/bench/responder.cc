// bench_responder RUNS SUITE
//
// What a request costs who answers it: through the daemon's side service, executor and gatekeeper, against an echo by
// bare recvmmsg and sendmmsg, and against the same echo that opens and seals each datagram. Status requests of
// 256 peers with keys and side addresses of their own (127.1.0.0 and on), so that each carries its own current token.
//
// Client and responder take turns in one thread, and only the responder's turn is measured, by the thread's CPU time:
// what the client costs, and who else uses the machine, does not count. SUITE (as in the configuration) seals both
// sides' messages. Prints pairs per CPU second, one line a run:
//   WAITING ECHO ECHO-WITH-AEAD ANUBIS
// where WAITING is how many requests wait on the socket when the responder's turn begins.
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "anubisd/endpoints.h"
#include "anubisd/executor.h"
#include "anubisd/loop.h"
#include "anubisd/netd/local_parts.h"
#include "anubisd/resolver.h"
#include "anubisd/side_service.h"
#include "anubisd/socket_address.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/random.h"
#include "lib/config/config.h"
#include "lib/crypto/sealing.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/wire/message.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace {

using namespace anubis;

constexpr std::size_t kPeers = 256;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kPairsPerRun = 8192;
constexpr int kBuffer = 8 << 20;

[[noreturn]] void die(const std::string& text) {
  fmt::print(stderr, "bench_responder: {}\n", text);
  std::exit(1);
}

template <class T>
T need(base::Result<T> result) {
  if (!result) die(result.error().message);
  return std::move(*result);
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <class Role>
crypto::RolePrivateKey<Role> make_key(base::Random& random) {
  base::Secret<crypto::kKeySize> secret;
  random.fill(secret.writable());
  return crypto::RolePrivateKey<Role>(std::move(secret));
}

model::IpAddress loopback(std::uint8_t net, std::size_t host) {
  return model::IpAddress::v4(
      std::array<std::uint8_t, 4>{127, net, static_cast<std::uint8_t>(host >> 8), static_cast<std::uint8_t>(host)});
}

base::Fd open_socket(const model::IpAddress& address, std::uint16_t& port) {
  base::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  daemon::SocketAddress own = daemon::to_socket_address({.address = address, .port = 0});
  socklen_t size = sizeof own.v6;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer) != 0 ||
      bind(fd.get(), &own.generic, own.size) != 0 || getsockname(fd.get(), &own.generic, &size) != 0) {
    die(fmt::format("cannot make a socket with a large buffer (root?): {}", std::strerror(errno)));
  }
  port = ntohs(own.v4.sin_port);
  return fd;
}

// All the peers: one socket, which takes the address of the peer whose request it sends.
class Clients {
 public:
  Clients(base::Random& random, const crypto::ProductionPublicKey& responder, crypto::Suite suite)
      : random_(random), responder_(responder), suite_(suite) {
    fd_ = open_socket(model::IpAddress{}, port_);
    for (std::size_t i = 0; i < kPeers; ++i) {
      auto key = make_key<crypto::Production>(random);
      const auto public_key = key.public_key();
      auto keys = need(crypto::derive_message_keys(suite, key, public_key, responder, nullptr));
      peers_.push_back({public_key, std::move(keys), {}, {}});
    }
  }

  [[nodiscard]] model::Peer authorised(std::size_t i) const {
    return {.name = fmt::format("peer{}", i),
            .public_key = peers_[i].public_key,
            .side_address = loopback(1, i),
            .allowed_ips = {}};
  }
  [[nodiscard]] crypto::Suite suite() const { return suite_; }
  // What opens that peer's requests and seals its replies, for the echo with AEAD.
  [[nodiscard]] const crypto::MessageKeys& keys(std::size_t i) const { return peers_[i].keys; }

  void ask(std::size_t first, std::size_t count, std::uint16_t port) {
    const daemon::SocketAddress to = daemon::to_socket_address({.address = loopback(0, 1), .port = port});
    for (std::size_t i = first; i < first + count; ++i) {
      Peer& peer = peers_[i];
      wire::Header header{.suite = suite_, .sender = peer.public_key, .nonce = random_.bytes<crypto::kNonceSize>()};
      header.request_id = random_.bytes<std::tuple_size_v<wire::RequestId>>();
      std::memcpy(header.request_id.data(), &i, sizeof i);
      peer.asked = header.request_id;
      const auto payload = wire::create_request({.token = peer.token, .suites = {suite_}, .listen_port = 4296});
      send_from(i, to, wire::seal_message(header, peer.keys.sending, payload, wire::kRequestSize));
    }
  }

  // Each reply must come at once, belong to its request and hold the next token.
  void take_replies(std::size_t count, wire::ResultCode expected) {
    for (std::size_t n = 0; n < count; ++n) {
      std::array<std::uint8_t, wire::kMaxDatagramSize> buffer;
      const auto datagram = receive(buffer);
      const auto header = wire::decode_header(datagram);
      std::size_t i = 0;
      if (header) std::memcpy(&i, header->request_id.data(), sizeof i);
      if (!header || i >= kPeers || header->sender != responder_ || header->request_id != peers_[i].asked) {
        die("a reply belongs to no request");
      }
      const auto payload = wire::open_message(*header, peers_[i].keys.receiving, datagram);
      const auto reply = payload ? wire::consume_reply(*payload) : std::nullopt;
      if (!reply || reply->result != expected) die("a reply is not what it should be");
      peers_[i].token = reply->token;
    }
  }

  void take_echoes(std::size_t count) {
    std::array<std::uint8_t, wire::kMaxDatagramSize> buffer;
    for (std::size_t n = 0; n < count; ++n) (void)receive(buffer);
  }

 private:
  struct Peer {
    crypto::ProductionPublicKey public_key;
    crypto::MessageKeys keys;
    std::optional<wire::Token> token;
    wire::RequestId asked;
  };

  void send_from(std::size_t i, daemon::SocketAddress to, wire::Datagram bytes) {
    iovec vector{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> control{};
    msghdr message{.msg_name = &to.generic,
                   .msg_namelen = to.size,
                   .msg_iov = &vector,
                   .msg_iovlen = 1,
                   .msg_control = control.data(),
                   .msg_controllen = control.size()};
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, loopback(1, i).bytes().data(), sizeof info.ipi_spec_dst);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    if (sendmsg(fd_.get(), &message, 0) < 0) die(fmt::format("sendmsg: {}", std::strerror(errno)));
  }

  std::span<const std::uint8_t> receive(std::span<std::uint8_t> buffer) {
    const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) die(fmt::format("a reply is missing: {}", std::strerror(errno)));
    return buffer.first(static_cast<std::size_t>(size));
  }

  base::Random& random_;
  crypto::ProductionPublicKey responder_;
  crypto::Suite suite_;
  std::uint16_t port_ = 0;
  base::Fd fd_;
  std::vector<Peer> peers_;
};

// Waits, receives and sends as the side service does, and nothing besides.
class Echo {
 public:
  // clients: whose datagrams are opened and sealed again; null: they go back as they are.
  explicit Echo(const Clients* clients) : clients_(clients) {
    fd_ = open_socket(loopback(0, 1), port_);
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors_[i] = {bytes_[i].data(), bytes_[i].size()};
      headers_[i].msg_hdr = {.msg_name = &sources_[i], .msg_iov = &vectors_[i], .msg_iovlen = 1};
    }
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  void serve(std::size_t wanted) {
    for (std::size_t served = 0; served < wanted;) {
      pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      poll(&wait, 1, -1);
      for (std::size_t i = 0; i < kBatch; ++i) {
        headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6);
        vectors_[i].iov_len = bytes_[i].size();
      }
      const int count = recvmmsg(fd_.get(), headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (count <= 0) continue;
      const auto number = static_cast<std::size_t>(count);
      for (std::size_t i = 0; i < number; ++i) {
        vectors_[i].iov_len = headers_[i].msg_len;
        if (clients_ != nullptr) open_and_seal(i);
      }
      if (sendmmsg(fd_.get(), headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT) != count) {
        die("the echo could not send");
      }
      served += number;
    }
  }

 private:
  void open_and_seal(std::size_t i) {
    const std::span<std::uint8_t> datagram = std::span(bytes_[i]).first(headers_[i].msg_len);
    const auto associated = datagram.first(wire::kHeaderSize);
    const auto sealed = datagram.subspan(wire::kHeaderSize);
    std::array<std::uint8_t, wire::kMaxDatagramSize> room;
    const auto plaintext = std::span(room).first(sealed.size() - crypto::kTagSize);
    crypto::Nonce nonce;
    const auto nonce_in_header = associated.last<crypto::kNonceSize>();
    std::ranges::copy(nonce_in_header, nonce.begin());
    // 127.1.x.y is peer 256 x + y.
    const auto address = ntohl(reinterpret_cast<const sockaddr_in&>(sources_[i]).sin_addr.s_addr);
    const crypto::MessageKeys& keys = clients_->keys(address & 0xffff);
    const crypto::Suite suite = clients_->suite();
    if (!crypto::open(suite, keys.sending, nonce, associated, sealed, plaintext)) die("the echo cannot open it");
    // Counted on, where Anubis draws a fresh one: the cheapest that an echo could do.
    std::memcpy(nonce_in_header.data(), &++count_, sizeof count_);
    std::ranges::copy(nonce_in_header, nonce.begin());
    crypto::seal(suite, keys.receiving, nonce, associated, plaintext, sealed);
  }

  const Clients* clients_;
  std::uint16_t port_ = 0;
  base::Fd fd_;
  std::uint64_t count_ = 0;
  std::array<std::array<std::uint8_t, wire::kMaxDatagramSize + 1>, kBatch> bytes_;
  std::array<sockaddr_in6, kBatch> sources_;
  std::array<iovec, kBatch> vectors_;
  std::array<mmsghdr, kBatch> headers_{};
};

// So few peers, asking so often, would soon use up their shares: they are counted, but never end.
gate::Limits without_limits() {
  const gate::Rate all{.interval = base::Duration(0), .burst = 1'000'000};
  return {.per_peer = all, .in_all = all, .first_contacts = all};
}

// The daemon's parts between the socket and the gatekeeper, joined as in anubisd/daemon.cc. A status request asks
// nothing of the privileged parts.
class Anubis final : public daemon::SideService::Handler, public daemon::Executor::Listener {
 public:
  Anubis(base::Random& random, config::Config config, std::vector<model::Peer> peers, crypto::Suite suite)
      : config_(std::move(config)) {
    directory_.replace(std::move(peers));
    parts_ = need(netd::make_local_parts(config_, directory_, nullptr));
    keys_ = std::make_unique<gate::LocalKeyAgreement>(config_.production.private_key, directory_);
    gatekeeper_ = std::make_unique<gate::Gatekeeper>(gate::Settings{.suites = {suite}, .limits = without_limits()},
                                                     directory_, *keys_, config_.production.public_key, random);
    endpoints_ = std::make_unique<daemon::Endpoints>(directory_, *parts_.netd, resolver_);
    executor_ =
        std::make_unique<daemon::Executor>(loop_, *gatekeeper_, directory_, *parts_.netd, *endpoints_, ports_, *this);
    service_ = need(daemon::SideService::create(
        loop_,
        {.address = loopback(0, 1),
         .port = 0,
         .interface = {},
         .widen_receive_buffer = [this](int socket) { return parts_.netd->widen_receive_buffer(socket); }},
        *this));
    executor_->use(service_.get());
  }

  [[nodiscard]] std::uint16_t port() const { return service_->port(); }

  void serve(std::size_t wanted) {
    wanted_ = wanted;
    loop_.restart();
    loop_.run();
  }

 private:
  void receive(std::span<const daemon::SideService::Received> batch) override {
    executor_->receive(batch);
    wanted_ -= batch.size();
    if (wanted_ == 0) loop_.stop();
  }
  void command_finished(const gate::FinishCommand&) override {}
  void session_changed(const gate::SessionChanged&) override {}
  void remember(const gate::RememberSession&) override {}
  void client_moved(const gate::CarryClient&) override {}
  base::Status enrol(const gate::EnrolPeer&) override { return {}; }
  void unheard(model::PeerIndex, unsigned) override {}
  void heard(const model::IpAddress&) override {}

  daemon::Loop loop_;
  config::Config config_;
  model::InMemoryDirectory directory_;
  netd::LocalParts parts_;
  std::unique_ptr<gate::LocalKeyAgreement> keys_;
  std::unique_ptr<gate::Gatekeeper> gatekeeper_;
  daemon::Resolver resolver_{loop_, [](const model::IpAddress&) { return true; }};
  std::unique_ptr<daemon::Endpoints> endpoints_;
  daemon::PeerPorts ports_{directory_};
  std::unique_ptr<daemon::Executor> executor_;
  std::unique_ptr<daemon::SideService> service_;
  std::size_t wanted_ = 0;
};

// Pairs per second of the responder's CPU time.
template <class Responder, class TakeReplies>
double measure(Clients& clients, Responder& responder, std::size_t waiting, const TakeReplies& take_replies) {
  double used = 0;
  for (std::size_t done = 0; done < kPairsPerRun; done += waiting) {
    clients.ask(done % kPeers, waiting, responder.port());
    const double began = cpu_seconds();
    responder.serve(waiting);
    used += cpu_seconds() - began;
    take_replies();
  }
  return kPairsPerRun / used;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) die("usage: bench_responder RUNS SUITE");
  unsigned runs = 0;
  const std::string_view text = argv[1];
  if (std::from_chars(text.data(), text.data() + text.size(), runs).ec != std::errc{}) die("no such number of runs");

  crypto::initialise();
  const auto suite = crypto::find_suite(std::string_view(argv[2]));
  if (!suite || !crypto::is_available(*suite)) die("no such suite on this hardware");
  base::SystemRandom random;
  config::Config config;
  config.production.private_key = make_key<crypto::Production>(random);
  config.production.public_key = config.production.private_key.public_key();
  Clients clients(random, config.production.public_key, *suite);
  std::vector<model::Peer> peers;
  for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(clients.authorised(i));

  Anubis anubis(random, std::move(config), std::move(peers), *suite);
  const auto echo = std::make_unique<Echo>(nullptr);
  const auto aead = std::make_unique<Echo>(&clients);
  // Keys are derived at first contact, which a STALE answers with the first token.
  clients.ask(0, kPeers, anubis.port());
  anubis.serve(kPeers);
  clients.take_replies(kPeers, wire::ResultCode::kStale);

  for (unsigned run = 0; run < runs; ++run) {
    for (const std::size_t waiting : {std::size_t{1}, std::size_t{16}, kPeers}) {
      const auto echoes = [&] { clients.take_echoes(waiting); };
      const auto replies = [&] { clients.take_replies(waiting, wire::ResultCode::kOk); };
      const double bare = measure(clients, *echo, waiting, echoes);
      const double sealing = measure(clients, *aead, waiting, echoes);
      const double ours = measure(clients, anubis, waiting, replies);
      fmt::print("{} {:.0f} {:.0f} {:.0f}\n", waiting, bare, sealing, ours);
    }
  }
}
