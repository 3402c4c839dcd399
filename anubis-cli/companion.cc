// provision --companion: the page of a peer that there is.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/delivery.h"
#include "anubis-cli/output.h"
#include "lib/base/random.h"
#include "lib/interop/companion_link.h"

namespace anubis::cli {
namespace {

constexpr std::size_t kMostText = 64 << 10;

// What stands behind the last line is the peer's where the file holds that one table.
bool holds_one_table(const std::string& text) {
  std::size_t tables = 0;
  for (std::size_t line = 0; line < text.size(); line = std::min(text.find('\n', line), text.size() - 1) + 1) {
    if (text[line] == '[') ++tables;
  }
  return tables == 1;
}

Outcome<std::string> entry_of(const ProvisionOptions& options, const std::filesystem::path& file) {
  const auto misplaced = [&] {
    return fail(control::FAILED,
                fmt::format("{} does not stand in {} by itself: put its [[peer]] there, then try again", options.name,
                            file.string()));
  };
  if (!std::filesystem::exists(file)) return misplaced();
  auto text = read_text(file.string(), kMostText);
  if (!text) return text;
  if (text->size() > kMostText || !holds_one_table(*text)) return misplaced();
  if (!text->ends_with('\n')) text->push_back('\n');
  return text;
}

Outcome<void> check(const ProvisionOptions& options, const config::Config& config) {
  const auto peer = std::ranges::find(config.peers, options.name, &model::Peer::name);
  if (peer == config.peers.end()) {
    return fail(control::NO_SUCH_PEER,
                fmt::format("there is no peer {} yet; first: anubis provision {}", options.name, options.name));
  }
  if (!config.companion.enabled) {
    return fail(control::FAILED,
                fmt::format("this host serves no page: write [companion] and below it enabled = true into {}, "
                            "and restart anubisd",
                            options.config));
  }
  if (peer->companion_key) {
    return fail(control::FAILED,
                fmt::format("{} has a page already, with a key that is nowhere but there; for another one, "
                            "take companion_key out of its [[peer]] first",
                            options.name));
  }
  return {};
}

}  // namespace

int provision_companion(const Context& context, const ProvisionOptions& options) {
  const auto form = form_of(options.output, options.text);
  if (!form) return report(form.error());
  if (*form == Form::kConf) {
    return report({control::USAGE, "--output: the page's address is a QR code, *.png or *.svg; as text: --text"});
  }
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  if (auto checked = check(options, *config); !checked) return report(checked.error());
  const auto file = conf_d_file(options.config, options.name);
  const auto entry = entry_of(options, file);
  if (!entry) return report(entry.error());

  base::SystemRandom random;
  const crypto::PrivateKey key(crypto::generate_private_key(random));
  auto delivery = prepare(*form, interop::companion_link(*config, key));
  if (!delivery) return report(delivery.error());
  if (auto written = write_output(*delivery, options.output); !written) return report(failure_of(written.error()));
  const auto force = change_file(context, options.config, file, *entry,
                                 *entry + fmt::format("companion_key = \"{}\"\n", key.derive_public_key().to_base64()));
  if (!force) {
    take_back_output(options.output);
    return report(force.error());
  }
  const auto signal =
      hand_out(*delivery, fmt::format("{}'s page: scan it with the phone's camera, then type q", options.name));
  if (!signal) return report(signal.error());
  tell(*delivery,
       fmt::format("{} may be brought up and down from a page in its browser ({})", options.name, file.string()));
  if (!options.output.empty())
    tell(*delivery, options.output + " holds the page's private key: delete it when the phone has it");
  tell(*delivery, "next: switch the tunnel on in the phone's app, then open the page, and keep it as a bookmark");
  return ended_by(*signal);
}

}  // namespace anubis::cli
