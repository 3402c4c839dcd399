#include "tests/unit/anubisd/netd/system_fixture.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace anubis::netd {

// The shell of a small system may have an `ip` of its own that knows too little; bash takes ours.
const char* by_bash(const std::string& command) {
  setenv("ANUBIS_TEST_COMMAND", command.c_str(), 1);
  return "exec bash -c \"$ANUBIS_TEST_COMMAND\" 2>&1";
}

int exit_status(const std::string& command) { return std::system(by_bash(command)); }

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(by_bash(command), "r");
  if (pipe == nullptr) return "cannot run " + command;
  char part[4096];
  for (std::size_t size = 0; (size = fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, size);
  pclose(pipe);
  return output;
}

void SystemTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, for a network namespace of its own";
  outside_ = base::Fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  jacinth_ = fmt::format("netd-{}", getpid());
  run("ip netns add " + jacinth_);
  entered_ = true;
  // WireGuard's sockets are found by paths that all network namespaces share.
  ASSERT_EQ(unshare(CLONE_NEWNET | CLONE_NEWNS), 0) << strerror(errno);
  ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << strerror(errno);
  // One shell and few processes: under an emulator each costs half a second. eth0 has no link-local address, because
  // those come and go by themselves.
  run("set -e; mkdir -p /var/run/wireguard; mount -t tmpfs anubis-test /var/run/wireguard; ip -batch - <<END\n"
      "link set lo up\n"
      "link add eth0 type veth peer name eth0 netns " +
      jacinth_ +
      "\n"
      "link set eth0 addrgenmode none\n"
      "address add 192.0.2.2/24 dev eth0\n"
      "address add 2001:db8::2/64 dev eth0 nodad\n"
      "link set eth0 up\n"
      "route add default via 192.0.2.1\n"
      "route add default via 2001:db8::1\n"
      "END\n"
      "ip -n " +
      jacinth_ +
      " -batch - <<END\n"
      "address add 192.0.2.1/24 dev eth0\n"
      "address add 2001:db8::1/64 dev eth0 nodad\n"
      "link set eth0 up\n"
      "END\n");
  network_ = network::RtnetlinkNetwork::create().value();
}

void SystemTest::TearDown() {
  network_.reset();
  if (!entered_) return;
  // Userspace WireGuard ends with its link; the namespace would outlive us as long as it does not.
  (void)output_of("ip -force -batch - <<< $'link delete wg0\nlink delete anubis0'; ip -n " + jacinth_ +
                  " link delete wgj; ip netns delete " + jacinth_);
  if (outside_) {
    ASSERT_EQ(setns(outside_.get(), CLONE_NEWNET), 0);
  }
}

// What follows from a change of a link (its carrier, tentative addresses, local routes) the kernel does by and by.
std::string SystemTest::host_state() {
  const auto look = [] {
    // What ip complains of is other tests' namespaces that come and go.
    return output_of(
        "for family in 4 6; do printf '%s\\n' link address rule 'route show table all' | ip -$family -batch - "
        "2>/dev/null; done");
  };
  for (auto last = look();;) {
    usleep(100'000);
    auto now = look();
    if (now == last) return now;
    last = std::move(now);
  }
}

std::string SystemTest::way_to(const std::string& arguments) {
  std::istringstream words(output_of("ip route get " + arguments));
  for (std::string word; words >> word;) {
    if (word == "dev" && words >> word) return word;
  }
  return words.str();
}

std::unique_ptr<LocalNetd> SystemTest::new_netd() {
  auto netd =
      LocalNetd::create(config_, directory_, *network_, devices_, firewall_, network::Watcher::create().value());
  EXPECT_TRUE(netd) << netd.error().message;
  return std::move(*netd);
}

void SystemTest::bring_up(LocalNetd& netd) {
  for (const Interface which : {Interface::kSide, Interface::kProduction}) {
    const auto report = netd.bring_up(which);
    ASSERT_TRUE(report) << report.error().message;
  }
}

PeerIndex SystemTest::add_peer(model::Peer peer) {
  const auto name = peer.name;
  peers_.push_back(std::move(peer));
  directory_.replace(peers_);
  return directory_.find_by_name(name).value();
}

void SystemTest::start_wireguard(const std::string& inside, const std::string& name) {
  if (exit_status(inside + "ip link add " + name + " type wireguard 2>/dev/null") == 0) return;
  run(inside + "setsid wireguard-go -f " + name + " >/dev/null 2>&1 &");
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (exit_status(inside + "wg show " + name + " >/dev/null 2>&1") == 0) return;
    usleep(10'000);
  }
  FAIL() << "wireguard-go does not start";
}

void SystemTest::start_jacinth(unsigned number, const std::string& address) {
  const auto inside = "ip netns exec " + jacinth_ + " ";
  start_wireguard(inside, "wgj");
  const std::string key_file = "/var/run/wireguard/key";
  // WireGuard writes keys in base64, public and private ones alike.
  crypto::PublicKey key;
  std::ranges::copy(secret(number).view(), key.bytes.begin());
  std::ofstream(key_file) << key.to_base64();
  run(fmt::format("{}wg set wgj private-key {} listen-port 4296 peer {} allowed-ips 10.44.0.7/32,fd44::7/128", inside,
                  key_file, public_key(1000).to_base64()));
  run(inside + "ip address add " + address + " dev wgj");
  run(inside + "ip link set wgj up");
  run(inside + "ip route add 10.44.0.7/32 dev wgj");
}

}  // namespace anubis::netd
