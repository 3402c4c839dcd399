#include "anubisd/netd/launcher.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include <signal.h>

#include "lib/base/log.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

enum class Wish : std::uint8_t { kLaunch = 1, kStatus = 2, kKeep = 3 };

constexpr std::size_t kWishSize = 8;
using WishBytes = std::array<std::uint8_t, kWishSize>;

// A launch is answered with two descriptors: the process, and its first words.
struct Answer {
  std::uint8_t failed = 0;
  std::uint8_t has_status = 0;
  std::uint16_t text_size = 0;
  std::uint32_t code = 0;
  std::int32_t pid = 0;
  std::int32_t status = 0;
  std::array<char, 496> text{};
};
using AnswerBytes = std::array<std::uint8_t, sizeof(Answer)>;
static_assert(sizeof(Answer) == 512);

constexpr std::size_t kProcess = 0;
constexpr std::size_t kWords = 1;

AnswerBytes bytes_of(const Answer& answer) {
  AnswerBytes bytes{};
  std::memcpy(bytes.data(), &answer, sizeof answer);
  return bytes;
}

Answer failure(const base::Error& error) {
  Answer answer{.failed = 1, .code = static_cast<std::uint32_t>(error.code)};
  answer.text_size = static_cast<std::uint16_t>(std::min(error.message.size(), answer.text.size()));
  std::copy_n(error.message.begin(), answer.text_size, answer.text.begin());
  return answer;
}

base::Error error_of(const Answer& answer) {
  const auto size = std::min<std::size_t>(answer.text_size, answer.text.size());
  const bool known = answer.code <= static_cast<std::uint32_t>(ErrorCode::kInternal);
  return {known ? static_cast<ErrorCode>(answer.code) : ErrorCode::kInternal, std::string(answer.text.data(), size)};
}

struct Answered {
  Answer answer;
  std::vector<base::Fd> descriptors;
};

Result<Answered> ask(Channel& channel, Wish wish, std::size_t interface) {
  const auto gone = [] {
    return fail(ErrorCode::kInternal, "the process that starts userspace WireGuard has ended: restart anubisd");
  };
  const WishBytes request{static_cast<std::uint8_t>(wish), static_cast<std::uint8_t>(interface)};
  if (!channel.send(request)) return gone();
  AnswerBytes bytes{};
  auto received = channel.receive(bytes);
  if (!received || received->size == 0) return gone();
  Answered answered{{}, std::move(received->descriptors)};
  std::memcpy(&answered.answer, bytes.data(), sizeof answered.answer);
  return answered;
}

}  // namespace

Result<std::unique_ptr<RemoteLauncher>> RemoteLauncher::start(const std::filesystem::path& program,
                                                              const LaunchableInterfaces& interfaces) {
  auto started = spawn(program, {"--launcher", interfaces[0], interfaces[1]});
  if (!started) return fail(started.error());
  return std::make_unique<RemoteLauncher>(std::move(started->first), std::move(started->second), interfaces);
}

RemoteLauncher::RemoteLauncher(std::optional<Child> child, Channel channel, LaunchableInterfaces interfaces)
    : child_(std::move(child)), channel_(std::move(channel)), interfaces_(std::move(interfaces)) {}

Result<wireguard::Launched> RemoteLauncher::launch(const std::string& interface) {
  const auto which = static_cast<std::size_t>(std::ranges::find(interfaces_, interface) - interfaces_.begin());
  if (which == interfaces_.size()) return fail(ErrorCode::kInternal, interface + " is not an interface of ours");
  auto answered = ask(channel_, Wish::kLaunch, which);
  if (!answered) return fail(answered.error());
  auto& [answer, descriptors] = *answered;
  if (answer.failed != 0) return fail(error_of(answer));
  if (descriptors.size() != 2) return fail(ErrorCode::kInternal, "the launcher gives an answer that is none");
  pids_[which] = answer.pid;
  return wireguard::Launched{answer.pid, std::move(descriptors[kProcess]), std::move(descriptors[kWords])};
}

std::optional<int> RemoteLauncher::take_status(pid_t pid) {
  const auto which = static_cast<std::size_t>(std::ranges::find(pids_, pid) - pids_.begin());
  if (which == pids_.size()) return std::nullopt;
  pids_[which] = 0;
  const auto answered = ask(channel_, Wish::kStatus, which);
  if (!answered || answered->answer.has_status == 0) return std::nullopt;
  return answered->answer.status;
}

base::Status RemoteLauncher::keep(pid_t pid) {
  const auto which = static_cast<std::size_t>(std::ranges::find(pids_, pid) - pids_.begin());
  if (which == pids_.size()) return {};
  const auto answered = ask(channel_, Wish::kKeep, which);
  return answered ? base::Status() : fail(answered.error());
}

namespace {

// What the launcher has started. Children that nobody has waited for keep their number.
class Started {
 public:
  Started() = default;
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() {
    for (const auto& [pid, kept] : processes_) {
      if (pid != 0 && !kept) (void)kill(pid, SIGKILL);
    }
  }

  struct Process {
    pid_t pid = 0;
    bool kept = false;
  };
  Process& operator[](std::size_t which) { return processes_[which]; }

 private:
  std::array<Process, 2> processes_{};
};

}  // namespace

void serve_launches(Channel& channel, wireguard::UserspaceLauncher& launcher, const LaunchableInterfaces& interfaces) {
  Started started;
  while (true) {
    WishBytes request{};
    const auto received = channel.receive(request);
    if (received && received->size == 0) return;
    const std::size_t which = request[1];
    const auto rest = std::span(request).subspan(2);
    const bool is_good = received && received->descriptors.empty() && which < interfaces.size() &&
                         std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0; });
    if (is_good && request[0] == static_cast<std::uint8_t>(Wish::kLaunch)) {
      // Nobody asked how the last one ended.
      if (started[which].pid != 0) (void)launcher.take_status(std::exchange(started[which], {}).pid);
      const auto launched = launcher.launch(interfaces[which]);
      if (!launched) {
        if (!channel.send(bytes_of(failure(launched.error())))) return;
        continue;
      }
      started[which].pid = launched->pid;
      if (!channel.send(bytes_of({.pid = launched->pid}), std::array{launched->pidfd.get(), launched->words.get()})) {
        return;
      }
    } else if (is_good && request[0] == static_cast<std::uint8_t>(Wish::kStatus)) {
      const pid_t pid = started[which].pid;
      const auto status = pid != 0 ? launcher.take_status(pid) : std::nullopt;
      if (status) started[which] = {};
      const Answer answer{.has_status = status ? std::uint8_t{1} : std::uint8_t{0}, .status = status.value_or(0)};
      if (!channel.send(bytes_of(answer))) return;
    } else if (is_good && request[0] == static_cast<std::uint8_t>(Wish::kKeep)) {
      started[which].kept = true;
      if (!channel.send(bytes_of({}))) return;
    } else {
      base::log::error("launcher.malformed-request", "anubis-netd asked for something that it never asks for");
      return;
    }
  }
}

}  // namespace anubis::netd
