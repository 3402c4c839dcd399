// provision --companion: the page of a peer that there is.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/delivery.h"
#include "anubis-cli/output.h"
#include "lib/base/random.h"
#include "lib/config/edit.h"
#include "lib/interop/companion_link.h"

namespace anubis::cli {
namespace {

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
  if (peer->companion_key && !options.replace) {
    return fail(
        control::FAILED,
        fmt::format("{} has a page already, with a key that is nowhere but there; for another one in its place: "
                    "anubis provision {} --companion --replace",
                    options.name, options.name));
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
  const auto entry = read_entry(options.name, file);
  if (!entry) return report(entry.error());

  base::SystemRandom random;
  const crypto::PrivateKey key(crypto::generate_private_key(random));
  auto delivery = prepare(*form, interop::companion_link(*config, key), kPictureOrText);
  if (!delivery) return report(delivery.error());
  const config::Setting setting{"companion_key", fmt::format("\"{}\"", key.derive_public_key().to_base64())};
  Change change(context, options.config);
  if (auto written = write_output(change.files(), *delivery, options.output); !written) return report(written.error());
  if (auto put = change.files().replace_file(file, *entry, config::edit_peer(*entry, {&setting, 1})); !put)
    return report(change.undo(failure_of(put.error())));
  if (const auto force = change.put_into_force(); !force) return report(change.undo(force.error()));
  const auto signal =
      hand_out(*delivery, fmt::format("{}'s page: scan it with the phone's camera, then type q", options.name));
  if (!signal) return report(change.undo(signal.error()));
  change.keep();
  tell(*delivery,
       fmt::format("{} may be brought up and down from a page in its browser ({})", options.name, file.string()));
  if (!options.output.empty())
    tell(*delivery, options.output + " holds the page's private key: delete it when the phone has it");
  tell(*delivery, "next: switch the tunnel on in the phone's app, then open the page, and keep it as a bookmark");
  return ended_by(*signal);
}

}  // namespace anubis::cli
