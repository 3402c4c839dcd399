#include "lib/identity/card.h"

#include <string>

#include "anubis-cli/change.h"
#include "anubis-cli/output.h"

namespace anubis::cli {

int card(const Context&, const CardOptions& options) {
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const identity::Card own = identity::card_of(*config, options.endpoint);
  const std::string text = identity::format_card(own);
  print_line(std::string_view(text).substr(0, text.size() - 1));
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
