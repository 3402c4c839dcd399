#include "lib/identity/card.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "anubis-cli/change.h"
#include "anubis-cli/output.h"
#include "anubis-cli/screen.h"
#include "lib/qr/code.h"
#include "lib/qr/terminal.h"

namespace anubis::cli {

namespace {

Outcome<void> show_text(std::string_view text) {
  print_line(text.substr(0, text.size() - 1));
  return {};
}

// In the terminal's usual flow: nothing in it is secret. A line that wraps would leave nothing that can be scanned.
Outcome<void> show_code(std::string_view text) {
  const auto code = qr::Code::create(text);
  if (!code) return tl::unexpected(failure_of(code.error()));
  const std::size_t columns = qr::terminal_size(*code).columns;
  if (isatty(STDOUT_FILENO) == 1 && Screen::size().columns < columns) {
    return fail(control::FAILED,
                fmt::format("the QR code needs {} columns, and this terminal has {}: enlarge its window or choose a "
                            "smaller font (Ctrl -)",
                            columns, Screen::size().columns));
  }
  print(qr::to_terminal(*code).view());
  return {};
}

}  // namespace

int card(const Context&, const CardOptions& options) {
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const identity::Card own = identity::card_of(*config, options.endpoint);
  const std::string text = identity::format_card(own);
  if (auto shown = options.qr ? show_code(text) : show_text(text); !shown) return report(shown.error());
  if (!own.endpoint) {
    complain(
        "this card has no endpoint: its host can call others, and not be called; if it has a fixed name or address: "
        "--endpoint HOST, or endpoint in anubis.toml");
  }
  if (own.addresses.empty()) {
    complain(
        "this card has no address: the other host has to say which, with --allowed-ips; addresses in [production] "
        "of anubis.toml puts one on it");
  }
  return control::DONE;
}

}  // namespace anubis::cli
