#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/delivery.h"
#include "anubis-cli/output.h"
#include "anubis-cli/resolve.h"
#include "lib/base/random.h"
#include "lib/config/wg_quick.h"
#include "lib/interop/free_address.h"
#include "lib/interop/phone.h"

namespace anubis::cli {
namespace {

// The key pair, or the phone's public key.
struct Keys {
  std::optional<crypto::PrivateKey> private_key;
  crypto::PublicKey public_key;
};

Outcome<Keys> keys_of(const ProvisionOptions& options) {
  if (!options.public_key.empty()) {
    auto key = crypto::parse_public_key(options.public_key);
    if (!key) return fail(control::USAGE, "--public-key: " + key.error().message);
    return Keys{{}, *key};
  }
  base::SystemRandom random;
  crypto::PrivateKey key(crypto::generate_private_key(random));
  const auto public_key = key.derive_public_key();
  return Keys{std::move(key), public_key};
}

// Of this host, as phones see it. Tells when a name became an address.
Outcome<model::Endpoint> endpoint_of(const std::optional<model::HostPort>& wanted, const model::HostPort& otherwise,
                                     std::uint16_t port, std::vector<std::string>& notes) {
  model::HostPort host = wanted.value_or(otherwise);
  if (!host.port) host.port = port;
  const auto found = resolve(host);
  if (found && !host.literal()) {
    const std::string note = fmt::format(
        "{} is {} today, and the phone will keep to that address: provision it anew when it "
        "changes",
        host.host, found->address.to_string());
    if (notes.empty() || notes.back() != note) notes.push_back(note);
  }
  return found;
}

Outcome<interop::Phone> phone_of(const ProvisionOptions& options, const config::Config& config,
                                 const crypto::PublicKey& public_key, std::vector<std::string>& notes) {
  interop::Phone phone{.name = options.name,
                       .public_key = public_key,
                       .addresses = options.addresses,
                       .side_address = options.side_address,
                       .reaches = options.reaches,
                       .endpoint = {},
                       .side_endpoint = {},
                       .dns_servers = options.dns_servers,
                       .dns_search = options.dns_search,
                       .persistent_keepalive = options.persistent_keepalive,
                       .lease = options.lease};
  if (phone.addresses.empty()) {
    auto found = interop::free_addresses(config);
    if (!found) return fail(control::FAILED, found.error().message + ": --address 10.44.0.8, for example");
    phone.addresses = std::move(*found);
  }
  if (phone.reaches.empty()) phone.reaches = interop::own_networks(config);
  if (phone.reaches.empty()) {
    return fail(control::FAILED, "[production] addresses is empty: say what the phone is to reach, with --reach RANGE");
  }
  const bool derives = config.side.prefix.contains(config.side.address);
  if (!derives && !phone.side_address) {
    return fail(control::FAILED,
                fmt::format("this host's side address {} is a configured one: give the phone one beside it, "
                            "with --side-address",
                            config.side.address.to_string()));
  }
  const auto& own = options.endpoint ? options.endpoint : config.endpoint;
  if (!own) {
    return fail(
        control::FAILED,
        "where do phones reach this host? Say it with --endpoint HOST, a name or an address, or write endpoint = "
        "\"HOST\" at the top of " +
            options.config);
  }
  const auto endpoint = endpoint_of(own, *own, config.production.listen_port, notes);
  if (!endpoint) return tl::unexpected(endpoint.error());
  phone.endpoint = *endpoint;
  const auto side = endpoint_of(options.side_endpoint, {own->host, {}}, config.side.listen_port, notes);
  if (!side) return tl::unexpected(side.error());
  phone.side_endpoint = *side;
  return phone;
}

std::string entry_text(const interop::Phone& phone) {
  return "# Made by `anubis provision`: a phone with WireGuard's own app. Its private key is nowhere but there.\n" +
         interop::format_entry(interop::entry_of(phone));
}

void tell_outcome(const ProvisionOptions& options, const Delivery& delivery, const interop::Phone& phone, Force force,
                  const std::filesystem::path& file, const std::vector<std::string>& notes) {
  const bool has_key = options.public_key.empty();
  std::string addresses;
  for (const auto& each : phone.addresses) addresses.append(addresses.empty() ? "" : ", ").append(each.to_string());
  tell(delivery, fmt::format("{} is a peer of this host now, with {} ({})", phone.name, addresses, file.string()));
  if (!options.output.empty()) {
    tell(delivery, fmt::format("{} holds its configuration{}", options.output,
                               has_key ? ", with its private key: delete it when the phone has it" : ""));
  }
  if (!has_key) tell(delivery, "the configuration has no private key: put in the one that the phone has made");
  for (const auto& note : notes) tell(delivery, note);
  switch (force) {
    case Force::kByNow:
      break;
    case Force::kOnceItStarts:
      tell(delivery, "next: sudo systemctl enable --now anubisd");
      break;
  }
  tell(delivery, fmt::format("next: switch the tunnel on in the phone's app, then: anubis up {}", phone.name));
}

}  // namespace

int provision(const Context& context, const ProvisionOptions& options) {
  if (options.companion) return provision_companion(context, options);
  const auto form = form_of(options.output, options.text);
  if (!form) return report(form.error());
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const auto file = conf_d_file(options.config, options.name);
  if (std::ranges::find(config->peers, options.name, &model::Peer::name) != config->peers.end()) {
    return report(
        {control::FAILED, fmt::format("{} is a peer already: choose another name, or end that one with: anubis "
                                      "revoke {}",
                                      options.name, options.name)});
  }
  auto keys = keys_of(options);
  if (!keys) return report(keys.error());
  std::vector<std::string> notes;
  const auto phone = phone_of(options, *config, keys->public_key, notes);
  if (!phone) return report(phone.error());
  const auto style = is_code(*form) ? config::WgQuickStyle::kCompact : config::WgQuickStyle::kReadable;
  const auto delivery =
      prepare(*form, config::format_wg_quick(interop::tunnel_of(*phone, std::move(keys->private_key), *config), style),
              kPictureOrText);
  if (!delivery) return report(delivery.error());

  Change change(context, options.config);
  if (auto written = write_output(change.files(), *delivery, options.output); !written) return report(written.error());
  if (auto made = change.create_entry(options.name, entry_text(*phone)); !made)
    return report(change.undo(made.error()));
  const auto force = change.put_into_force();
  if (!force) return report(change.undo(force.error()));
  const auto signal = hand_out(
      *delivery, fmt::format("{}: scan it with WireGuard's app (+, Scan from QR code), then type q", phone->name));
  if (!signal) return report(change.undo(signal.error()));
  change.keep();
  tell_outcome(options, *delivery, *phone, *force, file, notes);
  return ended_by(*signal);
}

}  // namespace anubis::cli
