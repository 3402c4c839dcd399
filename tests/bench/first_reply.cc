// bench_first_reply ADDRESS COMMAND [ARGUMENT...]
//
// How long a user waits: starts the command, sends an ICMP echo request to the IPv4 address every 0.2 ms from then on,
// and prints the milliseconds until the first reply arrived, and until the command ended. The command's own output is
// thrown away. Needs CAP_NET_RAW.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kInterval = 200us;
constexpr auto kLimit = 15s;

[[noreturn]] void die(const std::string& text) {
  fmt::print(stderr, "bench_first_reply: {}\n", text);
  std::exit(1);
}

[[noreturn]] void die_errno(const char* call) { die(fmt::format("{}: {}", call, std::strerror(errno))); }

std::uint16_t checksum(const icmphdr& header) {
  std::array<std::uint16_t, sizeof header / 2> words{};
  std::memcpy(words.data(), &header, sizeof header);
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

pid_t start(char** command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) die(fmt::format("cannot start {}: {}", command[0], std::strerror(error)));
  return pid;
}

// A reply to a request of ours has arrived.
bool take_reply(int fd, std::uint16_t id) {
  std::array<std::uint8_t, 256> packet{};
  while (true) {
    const ssize_t size = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return false;
    const std::size_t header = (packet[0] & 0xfu) * 4u;
    icmphdr icmp{};
    if (static_cast<std::size_t>(size) < header + sizeof icmp) continue;
    std::memcpy(&icmp, packet.data() + header, sizeof icmp);
    if (icmp.type == ICMP_ECHOREPLY && icmp.un.echo.id == id) return true;
  }
}

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) die("usage: bench_first_reply ADDRESS COMMAND [ARGUMENT...]");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) die(fmt::format("{} is no IPv4 address", argv[1]));
  const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) die_errno("socket");
  const auto id = static_cast<std::uint16_t>(getpid());

  const auto began = Clock::now();
  const pid_t pid = start(argv + 2);
  std::optional<Clock::duration> replied;
  std::optional<Clock::duration> ended;
  int status = 0;
  std::uint16_t sequence = 0;
  auto next = began;
  while (!replied || !ended) {
    const auto now = Clock::now();
    if (now - began > kLimit) {
      kill(pid, SIGKILL);
      die(fmt::format("after {} s {}", kLimit.count(), ended ? "no reply has come" : "the command has not ended"));
    }
    if (!replied && now >= next) {
      next = now + kInterval;
      icmphdr request{};
      request.type = ICMP_ECHO;
      request.un.echo.id = id;
      request.un.echo.sequence = htons(++sequence);
      request.checksum = checksum(request);
      // Fails for as long as there is no way.
      (void)sendto(fd, &request, sizeof request, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const timespec interval{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(kInterval).count()};
    ppoll(&wait, 1, &interval, nullptr);
    if (!replied && take_reply(fd, id)) replied = Clock::now() - began;
    if (!ended && waitpid(pid, &status, WNOHANG) == pid) {
      ended = Clock::now() - began;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) die(fmt::format("{} failed", argv[2]));
    }
  }
  fmt::print("{:.3f} {:.3f}\n", milliseconds(*replied), milliseconds(*ended));
}
