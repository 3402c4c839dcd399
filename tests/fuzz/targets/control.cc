// A client of the control socket that says anything, to a whole daemon: real sockets, a played privileged side.
//
// Input: blocks of bytes. Each is sent, and what comes back is read, before the next; at the end the client hangs up.
#include <chrono>
#include <optional>
#include <string>

#include <control.pb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "anubisd/daemon.h"
#include "anubisd/instance_lock.h"
#include "anubisd/loop.h"
#include "anubisd/premises.h"
#include "lib/base/log.h"
#include "tests/fuzz/gate_fixture.h"
#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/folder.h"

namespace anubis::fuzz {
namespace {

netd::PublicConfig make_config() {
  netd::PublicConfig config;
  config.name = "xena";
  config.production.interface = "wg0";
  config.production.listen_port = 4296;
  config.side.interface.clear();  // not bound to an interface
  config.side.address = model::IpAddress::v4(std::array<std::uint8_t, 4>{127, 0, 0, 77});
  config.side.service_port = 0;  // any
  return config;
}

class Client {
 public:
  explicit Client(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    require(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "the daemon takes clients");
  }
  void send(Bytes bytes) const { (void)::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // True once the daemon has closed.
  bool read() {
    char buffer[65536];
    ssize_t size = 0;
    while ((size = recv(fd_.get(), buffer, sizeof buffer, 0)) > 0) in_.append(buffer, static_cast<std::size_t>(size));
    return size == 0 || errno != EAGAIN;
  }
  // What came are responses, and nothing comes behind `done`. True when that came.
  [[nodiscard]] bool check() const {
    bool done = false;
    std::string_view rest = in_;
    while (rest.size() >= 4) {
      std::size_t size = 0;
      for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
      if (rest.size() < 4 + size) break;
      control::Response response;
      require(response.ParseFromArray(rest.data() + 4, static_cast<int>(size)), "a response is well-formed");
      require(!done, "done is the last response");
      done = response.has_done();
      rest.remove_prefix(4 + size);
    }
    return done;
  }

 private:
  base::Fd fd_;
  std::string in_;
};

}  // namespace

void control(Bytes input) {
  static const Parties parties;
  static netd::PublicConfig config = make_config();
  config.production.public_key = parties.xena_public;
  static const daemon::Folder folder;
  base::log::set_level(base::log::Level::kError);

  daemon::Loop loop;
  model::InMemoryDirectory directory;
  model::Peer jacinth = *parties.directory.get(parties.jacinth);
  jacinth.side_address = model::IpAddress::v4(std::array<std::uint8_t, 4>{127, 0, 0, 78});
  directory.replace({jacinth});
  daemon::FakeNetd netd;
  daemon::FakePeerSource peer_source;
  KnownKeys keys(parties.xenas);
  ConstantRandom random;
  auto lock = daemon::lock_state_directory(folder / "xena.state");
  require(lock.has_value(), "nobody else uses the state");
  auto premises = daemon::occupy(std::move(*lock), folder / "xena.state", folder / "xena.sock", "no-such-group");
  require(premises.has_value(), "there is room for a daemon");
  daemon::Daemon daemon(loop, std::move(*premises),
                        {.config = config,
                         .directory = directory,
                         .netd = netd,
                         .peer_source = peer_source,
                         .keys = keys,
                         .random = random});
  const auto started = daemon.start();
  require(started.has_value(), "the daemon starts");

  // A few turns of the loop: all that is ready now, and what follows of it.
  const auto turn = [&loop] {
    for (int i = 0; i < 4; ++i) {
      loop.post([&loop] { loop.stop(); });
      loop.run();
      loop.restart();
    }
  };
  Client client(folder / "xena.sock");
  turn();
  Reader reader(input);
  bool closed = false;
  while (!reader.at_end() && !closed) {
    client.send(reader.block());
    turn();
    closed = client.read();
  }
  (void)client.check();  // one who says too much is cut off

  // It serves the next one.
  Client other(folder / "xena.sock");
  control::Command command;
  command.mutable_peers();
  const std::string body = command.SerializeAsString();
  const std::uint8_t header[] = {0, 0, 0, static_cast<std::uint8_t>(body.size())};
  other.send(header);
  other.send({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()});
  for (int i = 0; i < 20 && !other.read(); ++i) turn();
  require(other.read() && other.check(), "the next client is served");
}

}  // namespace anubis::fuzz
