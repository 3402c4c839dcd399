#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/change.h"
#include "anubis-cli/delivery.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"
#include "lib/base/random.h"
#include "lib/crypto/invitation.h"
#include "lib/crypto/side_address.h"
#include "lib/identity/card.h"
#include "lib/identity/plan.h"
#include "lib/identity/template.h"
#include "lib/identity/token.h"

namespace anubis::cli {
namespace {

// The new host's addresses: those of its allowed IPs that are one address each, with the length of the network of ours
// that they lie in.
std::vector<model::InterfaceAddress> addresses_in(const config::Config& config,
                                                  const std::vector<model::IpPrefix>& allowed_ips) {
  std::vector<model::InterfaceAddress> addresses;
  for (const model::IpPrefix& range : allowed_ips) {
    if (range.length() != range.address().bits()) continue;
    std::uint8_t length = range.length();
    for (const auto& own : config.production.addresses) {
      if (model::IpPrefix(own.address, own.length).contains(range.address())) length = own.length;
    }
    addresses.push_back({range.address(), length});
  }
  return addresses;
}

Outcome<void> check(const config::Config& config, const InviteOptions& options) {
  if (options.name == config.name) return fail(control::FAILED, options.name + " is the name of this host");
  for (const model::Peer& peer : config.peers) {
    if (peer.name == options.name || peer.name == options.name + std::string(config::kInvitationSuffix)) {
      return fail(control::FAILED, options.name + (peer.is_invitation ? " is invited" : " is a peer") +
                                       " already; to begin anew: anubis revoke " + options.name);
    }
  }
  // The new host has only a key and the usual prefix to go by.
  if (config.side.address != model::IpAddress::v6(crypto::derive_side_address(config.side.public_key))) {
    return fail(
        control::FAILED,
        "invitations need side addresses that follow from keys below fd77::/16, and side.address or side.prefix "
        "is set here; use cards instead: anubis card, anubis trust");
  }
  if (auto checked = identity::check_ranges(config, options.name, options.allowed_ips); !checked)
    return tl::unexpected(failure_of(checked.error()));
  return {};
}

}  // namespace

int invite(const Context& context, const InviteOptions& options) {
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  if (auto checked = check(*config, options); !checked) return report(checked.error());
  const identity::Card own = identity::card_of(*config, options.endpoint);
  if (!own.endpoint) {
    return report(
        {control::FAILED,
         "where does the new host reach this one? Say it with --endpoint HOST, or as endpoint in " + options.config});
  }
  auto addresses = options.addresses.empty() ? addresses_in(*config, options.allowed_ips) : options.addresses;
  if (addresses.empty()) {
    return report({control::FAILED, "which address shall the new host have? Say it with --address 10.44.0.8/24"});
  }
  auto through = options.through.empty() ? identity::ranges_of(own.addresses) : options.through;
  if (through.empty()) {
    return report({control::FAILED, "this host has no address in the tunnel: add addresses in [production] of " +
                                        options.config + ", or say what the new host may reach here, with --through"});
  }
  if (addresses.size() > identity::kMaxTokenAddresses || through.size() > identity::kMaxTokenRanges) {
    return report({control::FAILED, "that is more than an invitation holds: at most 8 addresses, and 16 of --through"});
  }

  base::SystemRandom random;
  auto secret = crypto::InvitationSecret::generate(random);
  const identity::InvitationText invitation{
      .name = options.name,
      .public_key = crypto::derive_production_key(secret).public_key(),
      .side_public_key = crypto::derive_side_key(secret).public_key(),
      .proof_key = crypto::derive_proof_key(secret),
      .expires = std::time(nullptr) + options.valid_seconds,
      .allowed_ips = options.allowed_ips,
  };
  const identity::Token token{.secret = std::move(secret),
                              .expires = invitation.expires,
                              .name = options.name,
                              .addresses = std::move(addresses),
                              .server = config->name,
                              .public_key = own.public_key,
                              .side_public_key = own.side_public_key,
                              .side_address = own.side_address,
                              .endpoint = *own.endpoint,
                              .side_endpoint = *own.side_endpoint,
                              .service_port = config->side.service_port,
                              .allowed_ips = std::move(through)};
  const auto delivery =
      prepare(options.qr ? Form::kScreen : Form::kText, identity::format_token(token), "have the text, without --qr");
  if (!delivery) return report(delivery.error());
  const std::string until = format_time(invitation.expires);
  const auto file = conf_d_file(options.config, options.name);
  Change change(context, options.config);
  const std::string text = "# Made by `anubis invite`. Void after " + until +
                           ", and once somebody has joined by it.\n" + identity::invitation_toml(invitation);
  if (auto made = change.create_entry(options.name, text); !made) return report(made.error());
  const auto force = change.put_into_force();
  if (!force) return report(change.undo(force.error()));
  const auto signal =
      hand_out(*delivery, "the invitation of " + options.name + ": scan it on the new host, then type q");
  if (!signal) return report(change.undo(signal.error()));
  change.keep();
  complain("who has this invitation can join as " + options.name + ", once, until " + until +
           ": send it where nobody else reads it");
  complain("next: on the new host, sudo anubis join - and paste it there; taken back by: anubis revoke " +
           options.name);
  if (*force == Force::kOnceItStarts)
    complain("next: sudo systemctl enable --now anubisd, without which nobody can join");
  return ended_by(*signal);
}

}  // namespace anubis::cli
