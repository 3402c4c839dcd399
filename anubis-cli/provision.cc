#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "anubis-cli/qr_screen.h"
#include "anubis-cli/resolve.h"
#include "lib/base/random.h"
#include "lib/config/wg_quick.h"
#include "lib/config/write.h"
#include "lib/interop/free_address.h"
#include "lib/interop/phone.h"
#include "lib/qr/picture.h"

namespace anubis::cli {
namespace {

// What comes out, and where.
enum class Form { kScreen, kText, kPng, kSvg, kConf };

Outcome<Form> form_of(const ProvisionOptions& options) {
  if (options.text) return Form::kText;
  if (options.output.empty()) return Form::kScreen;
  if (options.output.ends_with(".png")) return Form::kPng;
  if (options.output.ends_with(".svg")) return Form::kSvg;
  if (options.output.ends_with(".conf")) return Form::kConf;
  return fail(control::USAGE, "--output: " + options.output +
                                  " says by its end neither .png nor .svg (a QR code) nor .conf (the text)");
}

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

// What is to be handed out, made before anything is written.
struct Delivery {
  Form form = Form::kScreen;
  base::SecretText text;
  std::optional<qr::Code> code;
};

Outcome<Delivery> prepare(Form form, const config::WgQuickFile& tunnel) {
  const bool is_code = form == Form::kScreen || form == Form::kPng || form == Form::kSvg;
  Delivery delivery{.form = form,
                    .text = config::format_wg_quick(
                        tunnel, is_code ? config::WgQuickStyle::kCompact : config::WgQuickStyle::kReadable),
                    .code = {}};
  if (!is_code) return delivery;
  auto code = qr::Code::create(delivery.text.view());
  if (!code) {
    return fail(control::FAILED,
                code.error().message + "; name fewer ranges with --reach, or have the text: --output FILE.conf");
  }
  delivery.code = std::move(*code);
  if (form != Form::kScreen) return delivery;
  if (const auto obstacle = why_not_on_terminal(*delivery.code)) return fail(control::FAILED, *obstacle);
  return delivery;
}

base::Status write_output(const Delivery& delivery, const std::string& file) {
  switch (delivery.form) {
    case Form::kScreen:
    case Form::kText:
      return {};
    case Form::kConf:
      return config::create_file(file, delivery.text.view(), config::kSecretMode);
    case Form::kSvg:
      return config::create_file(file, qr::to_svg(*delivery.code).view(), config::kSecretMode);
    case Form::kPng: {
      const auto png = qr::to_png(*delivery.code);
      if (!png) return base::fail(png.error());
      return config::create_file(file, *png, config::kSecretMode);
    }
  }
  return {};
}

std::string entry_text(const interop::Phone& phone) {
  return "# Made by `anubis provision`: a phone with WireGuard's own app. Its private key is nowhere but there.\n" +
         interop::format_entry(interop::entry_of(phone));
}

// Standard output is for the configuration itself where that is asked for.
void tell(const Delivery& delivery, std::string_view line) {
  if (delivery.form == Form::kText) {
    complain(line);
  } else {
    print_line(line);
  }
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
  const auto form = form_of(options);
  if (!form) return report(form.error());
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const auto file = conf_d_file(options.config, options.name);
  for (const model::Peer& peer : config->peers) {
    if (peer.name != options.name) continue;
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
  const auto delivery = prepare(*form, interop::tunnel_of(*phone, std::move(keys->private_key), *config));
  if (!delivery) return report(delivery.error());

  if (auto written = write_output(*delivery, options.output); !written) return report(failure_of(written.error()));
  const auto force = add_file(context, options.config, file, entry_text(*phone));
  if (!force) {
    if (!options.output.empty()) (void)config::remove_file(options.output);
    return report(force.error());
  }
  int signal = 0;
  if (delivery->form == Form::kScreen) {
    const auto shown = show_on_terminal(
        *delivery->code,
        fmt::format("{}: scan it with WireGuard's app (+, Scan from QR code), then type q", phone->name));
    if (!shown) return report(failure_of(shown.error()));
    signal = *shown;
  } else if (delivery->form == Form::kText) {
    if (!print_secret(delivery->text.view()))
      return report({control::FAILED, "cannot write to standard output; its entry is " + file.string()});
  }
  tell_outcome(options, *delivery, *phone, *force, file, notes);
  if (signal == 0) return control::DONE;
  (void)flush_output();
  raise(signal);  // so that whoever started us sees it
  return 128 + signal;
}

}  // namespace anubis::cli
