#include <algorithm>
#include <string>
#include <vector>

#include "anubis-cli/change.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"
#include "lib/config/edit.h"
#include "lib/config/side_address.h"
#include "lib/identity/card.h"
#include "lib/identity/plan.h"
#include "lib/identity/template.h"

namespace anubis::cli {
namespace {

identity::PeerText peer_of(const identity::Card& card, const std::string& name, const config::Config& config,
                           std::vector<model::IpPrefix> allowed_ips) {
  identity::PeerText peer{.name = name,
                          .public_key = card.public_key,
                          .side_public_key = card.side_public_key,
                          .side_address = {},
                          .endpoint = card.endpoint,
                          .side_endpoint = card.side_endpoint,
                          .allowed_ips = std::move(allowed_ips),
                          .addresses = {}};
  if (card.side_address != config::derive_side_address(card.side_public_key, config.side.prefix)) {
    peer.side_address = card.side_address;
  }
  // Where they are not said by the allowed IPs themselves.
  if (peer.allowed_ips != identity::ranges_of(card.addresses)) peer.addresses = card.addresses;
  // Of two with fixed addresses neither needs it.
  if (peer.endpoint && !config.endpoint) peer.persistent_keepalive = identity::kUsualKeepalive;
  return peer;
}

}  // namespace

int trust(const Context& context, const TrustOptions& options) {
  const auto text = read_text(options.file, identity::kMaxCardText);
  if (!text) return report(text.error());
  const auto card = identity::parse_card(*text);
  if (!card) return report(failure_of(card.error()));
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());

  const std::string name = options.name.empty() ? card->name : options.name;
  const auto acquaintance = identity::check_card(*config, *card, name);
  if (!acquaintance) return report(failure_of(acquaintance.error()));
  if (*acquaintance == identity::Acquaintance::kKnown) {
    print_line(name + " is a peer already, with these keys; nothing was changed");
    return control::DONE;
  }
  const bool completes = *acquaintance == identity::Acquaintance::kPlain;
  const auto plain = completes ? std::ranges::find(config->peers, name, &model::Peer::name) : config->peers.end();
  auto allowed_ips = options.allowed_ips;
  if (allowed_ips.empty()) allowed_ips = completes ? plain->allowed_ips : identity::ranges_of(card->addresses);
  if (allowed_ips.empty()) {
    return report({control::FAILED, "the card names no address of " + name +
                                        ": say what goes to it, with --allowed-ips 10.44.0.7 for one"});
  }
  // What a peer has already it has rightly, beside or within others' ranges.
  if (!completes || !options.allowed_ips.empty()) {
    if (auto checked = identity::check_ranges(*config, name, allowed_ips); !checked)
      return report(failure_of(checked.error()));
  }

  const auto file = conf_d_file(options.config, name);
  auto peer = peer_of(*card, name, *config, std::move(allowed_ips));
  std::string before;
  std::string entry = "# Made by `anubis trust`, from the card of " + card->name + ".\n" + identity::peer_toml(peer);
  if (completes) {
    auto found = read_entry(name, file);
    if (!found) return report(found.error());
    before = std::move(*found);
    if (plain->persistent_keepalive != 0) peer.persistent_keepalive = 0;
    entry = identity::complete_peer(before, peer, !options.allowed_ips.empty());
  }
  if (!options.yes) {
    complain("this would be written to " + file.string() + ":\n\n" + entry);
    const auto agreed = confirm("Make " + name + " a peer of this host?");
    if (!agreed) return report(agreed.error());
    if (!*agreed) {
      complain("nothing was changed");
      return control::FAILED;
    }
  }
  Change change(context, options.config);
  const auto written =
      completes ? outcome_of(change.files().replace_file(file, before, entry)) : change.create_entry(name, entry);
  if (!written) return report(written.error());
  const auto force = change.put_into_force();
  if (!force) return report(change.undo(force.error()));
  change.keep();
  print_line(name + " is a peer of this host now (" + file.string() + ")");
  tell_of_key_files(file, before, entry);
  if (*force == Force::kOnceItStarts) print_line("next: sudo systemctl enable --now anubisd");
  print_line("next: have " + name + " trust this host too, by what `sudo anubis card` prints here; then: anubis up " +
             name);
  return control::DONE;
}

}  // namespace anubis::cli
