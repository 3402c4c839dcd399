#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include <sys/time.h>
#include <unistd.h>

#include "anubis-cli/active_connections.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

using std::chrono::milliseconds;

// Whoever runs hooks waits for each. What takes longer is given up, and the daemon looks every minute anyway.
constexpr milliseconds kInAll{1'000};
constexpr milliseconds kUntilRunning{10'000};
constexpr milliseconds kPause{50};
constexpr milliseconds kForNetworkManager{600};
constexpr milliseconds kForDaemon{300};
// Of an argument, which is for the log alone.
constexpr std::size_t kLongest = 64;

// Whatever hangs, wherever: the end, and a good one.
void bound_everything(milliseconds bound) {
  struct sigaction action{};
  action.sa_handler = [](int) { _exit(control::DONE); };
  sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarm, nullptr);
  itimerval timer{};
  timer.it_value.tv_sec = bound / std::chrono::seconds(1);
  timer.it_value.tv_usec = (bound % std::chrono::seconds(1)) / std::chrono::microseconds(1);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

int nm_event(const Context& context, const NmEventOptions& options) {
  bound_everything(options.until_running ? kInAll + kUntilRunning : kInAll);
  control::Command command;
  control::NmEvent& event = *command.mutable_nm_event();
  event.set_interface(printable(options.interface.substr(0, kLongest)));
  event.set_action(printable(options.action.substr(0, kLongest)));
  const auto connections = active_connections(kForNetworkManager);
  event.set_connections_known(connections.has_value());
  for (const ActiveConnection& each : connections.value_or(std::vector<ActiveConnection>())) {
    control::ActiveConnection& connection = *event.add_connections();
    connection.set_name(each.name);
    connection.set_uuid(each.uuid);
  }
  for (milliseconds waited{0};; waited += kPause) {
    const auto done = exchange(context.socket_path, command, kForDaemon, [](const control::Response&) {});
    const bool is_worth_waiting = !done && done.error().status == control::NOT_RUNNING && options.until_running;
    // Whatever else goes wrong is nothing that a hook could do anything about.
    if (!is_worth_waiting || waited >= kUntilRunning) return control::DONE;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace anubis::cli
