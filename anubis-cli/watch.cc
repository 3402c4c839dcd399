#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iterator>
#include <thread>

#include <unistd.h>

#include "anubis-cli/commands.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"
#include "anubis-cli/screen.h"
#include "anubis-cli/snapshot.h"
#include "anubis-cli/status_text.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

constexpr std::chrono::milliseconds kPeriod{1'000};
// Short, because keys are not read meanwhile.
constexpr std::chrono::milliseconds kWatchPatience{2'000};

Snapshot look(const Context& context, const StatusOptions& options) {
  return take_snapshot(context.socket_path, options.name, kWatchPatience);
}

std::vector<std::string> picture(const Snapshot& snapshot, const StatusOptions& options, std::size_t columns,
                                 Colour colour) {
  const std::int64_t now = std::time(nullptr);
  std::vector<std::string> body;
  std::vector<std::string> notes;
  if (snapshot.host && !snapshot.host->degraded().empty()) {
    notes.push_back("this host is degraded: " + printable(snapshot.host->degraded()));
  }
  if (snapshot.failure) {
    notes.push_back(printable(snapshot.failure->message));
  } else if (options.name.empty()) {
    body = status_table(snapshot.peers, now, colour);
    if (auto place = snapshot.host ? place_line(*snapshot.host) : std::nullopt) notes.push_back(std::move(*place));
    if (snapshot.host) std::ranges::move(firewall_notes(*snapshot.host), std::back_inserter(notes));
    for (auto& reason : status_reasons(snapshot.peers)) notes.push_back(std::move(reason));
  } else if (!snapshot.peers.empty()) {
    body = status_detail(snapshot.peers.front(), now, colour);
  }
  const std::string host = snapshot.host ? printable(snapshot.host->name()) + "  " : "";
  std::vector<std::string> lines{styled(host + format_time(now) + "  q: quit", Style::kDim, colour), ""};
  for (auto& line : body) lines.push_back(std::move(line));
  if (!body.empty() && !notes.empty()) lines.emplace_back();
  for (const auto& note : notes) {
    for (auto& line : wrapped(note, columns)) lines.push_back(std::move(line));
  }
  return lines;
}

// For pipes and files: until writing fails or a signal ends the program.
int watch_lines(const Context& context, const StatusOptions& options) {
  constexpr std::size_t kColumns = 100;
  for (;;) {
    const auto snapshot = look(context, options);
    if (options.json) {
      print_line(status_json(snapshot, Layout::kOneLine));
    } else {
      for (const auto& line : picture(snapshot, options, kColumns, context.colour)) print_line(line);
      print_line("");
    }
    if (!flush_output()) return control::FAILED;
    std::this_thread::sleep_for(kPeriod);
  }
}

}  // namespace

int watch(const Context& context, const StatusOptions& options) {
  if (options.json || isatty(STDOUT_FILENO) != 1) return watch_lines(context, options);
  int signal = 0;
  {
    auto screen = Screen::open();
    if (!screen) return report({control::FAILED, screen.error().message});
    auto snapshot = look(context, options);
    for (bool goes_on = true; goes_on;) {
      screen->show(picture(snapshot, options, Screen::size().columns, context.colour));
      switch (screen->wait(kPeriod)) {
        case Screen::Event::kTick:
          snapshot = look(context, options);
          break;
        case Screen::Event::kResized:
          break;
        case Screen::Event::kQuit:
        case Screen::Event::kSignal:
          goes_on = false;
          break;
      }
    }
    signal = screen->signal();
  }
  if (signal == 0) return control::DONE;
  // With the terminal as it was: end by that signal, so that whoever started us sees it.
  raise(signal);
  return 128 + signal;  // where it was ignored
}

}  // namespace anubis::cli
