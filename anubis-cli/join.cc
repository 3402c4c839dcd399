#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "anubis-cli/change.h"
#include "anubis-cli/host_files.h"
#include "anubis-cli/join/tunnel.h"
#include "anubis-cli/output.h"
#include "anubis-cli/resolve.h"
#include "anubis-cli/text.h"
#include "lib/base/fd.h"
#include "lib/base/random.h"
#include "lib/base/secret_text.h"
#include "lib/config/key_file.h"
#include "lib/config/side_address.h"
#include "lib/crypto/side_address.h"
#include "lib/gate/enrolment.h"
#include "lib/identity/plan.h"
#include "lib/identity/template.h"
#include "lib/identity/token.h"

namespace anubis::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Set by a signal that ends us: what we made is taken away before we end.
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

Outcome<identity::Token> read_token(const std::string& typed) {
  base::SecretText text;
  if (typed != "-" && !typed.starts_with(identity::kTokenPrefix) && access(typed.c_str(), F_OK) != 0) {
    return fail(control::FAILED,
                fmt::format("there is no file {}; an invitation itself begins with {}", typed, identity::kTokenPrefix));
  }
  if (typed == "-" || access(typed.c_str(), F_OK) == 0) {
    auto read = read_secret_text(typed, identity::kMaxTokenText);
    if (!read) return tl::unexpected(read.error());
    text = std::move(*read);
  } else {
    text.append(typed);
  }
  auto token = identity::parse_token(text.view());
  if (!token) return tl::unexpected(failure_of(token.error()));
  return std::move(*token);
}

// This host's public keys: those of its configuration, or of key files that an earlier try left, or fresh ones.
struct Keys {
  crypto::ProductionPublicKey production;
  crypto::SidePublicKey side;
};

Outcome<Keys> keys_of(const HostFiles& files) {
  const auto production = config::read_secret_file(files.key);
  if (!production) return tl::unexpected(failure_of(production.error()));
  const auto side = config::read_secret_file(files.side_key);
  if (!side) return tl::unexpected(failure_of(side.error()));
  return Keys{crypto::ProductionPrivateKey(production->duplicate()).public_key(),
              crypto::SidePrivateKey(side->duplicate()).public_key()};
}

sockaddr_in6 socket_address(const model::IpAddress& address, std::uint16_t port) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(port);
  std::memcpy(&out.sin6_addr, address.bytes().data(), address.bytes().size());
  return out;
}

Outcome<base::Fd> connect_inside(const model::IpAddress& own, const model::IpAddress& server, std::uint16_t port) {
  base::Fd fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in6 from = socket_address(own, 0);
  const sockaddr_in6 to = socket_address(server, port);
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return tl::unexpected(failure_of(base::system_error(errno, "cannot speak through the side tunnel")));
  }
  return fd;
}

// Asks until it is answered, or the time is up.
Outcome<void> ask(gate::Enrolment& enrolment, const base::Fd& fd, Tunnel& tunnel, const identity::Token& token,
                  const std::string& endpoint, milliseconds timeout) {
  const auto end = steady_clock::now() + timeout;
  auto pause = milliseconds(250);
  auto next = steady_clock::now();
  while (interrupted == 0 && steady_clock::now() < end) {
    if (steady_clock::now() >= next) {
      // A failure is one more loss: WireGuard may not have shaken hands yet.
      (void)send(fd.get(), enrolment.request().data(), enrolment.request().size(), 0);
      next = steady_clock::now() + pause;
      pause = std::min(2 * pause, milliseconds(4000));
    }
    const auto wait = std::chrono::ceil<milliseconds>(std::min(next, end) - steady_clock::now());
    pollfd event{fd.get(), POLLIN, 0};
    if (poll(&event, 1, static_cast<int>(std::max(wait, milliseconds(1)).count())) <= 0) continue;
    std::array<std::uint8_t, wire::kMaxDatagramSize> bytes;
    const ssize_t got = recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) continue;
    switch (enrolment.receive(std::span(bytes).first(static_cast<std::size_t>(got)))) {
      case gate::Enrolment::Progress::kNothing:
        break;
      case gate::Enrolment::Progress::kAskAgain:
        next = steady_clock::now();
        pause = milliseconds(250);
        break;
      case gate::Enrolment::Progress::kEnrolled:
        return {};
      case gate::Enrolment::Progress::kRefused:
        return fail(control::REFUSED, token.server + " refused: " + enrolment.reason());
    }
  }
  if (interrupted != 0) return fail(control::FAILED, "interrupted");
  if (tunnel.has_shaken_hands()) {
    return fail(control::UNREACHABLE, token.server + " is there, but its anubisd does not answer; is it running?");
  }
  return fail(control::UNREACHABLE, "no answer from " + token.server + " at " + endpoint +
                                        "/udp; is that port open there? The invitation is good until " +
                                        format_time(token.expires) + ", once, and unless it was revoked");
}

Outcome<void> enrol(const identity::Token& token, const Keys& keys, milliseconds timeout) {
  const auto endpoints = resolve_all(token.side_endpoint);
  if (!endpoints) return tl::unexpected(endpoints.error());
  base::SystemRandom random;
  const wire::Enrolment wanted{keys.production, keys.side,
                               crypto::prove(token.secret, {token.name, keys.production, keys.side})};
  const auto one_time_side = crypto::derive_side_key(token.secret);
  const auto prefix = token.side_address.bytes();
  const auto own =
      model::IpAddress::v6(crypto::derive_side_address(one_time_side.public_key(), {prefix[0], prefix[1]}));
  Outcome<void> result;
  for (const model::Endpoint& endpoint : *endpoints) {
    auto enrolment =
        gate::Enrolment::create(crypto::derive_production_key(token.secret), token.public_key, wanted, random);
    if (!enrolment) return tl::unexpected(failure_of(enrolment.error()));
    auto tunnel = Tunnel::open(one_time_side, own, {token.side_public_key, endpoint, token.side_address});
    if (!tunnel) return tl::unexpected(failure_of(tunnel.error()));
    const auto fd = connect_inside(own, token.side_address, token.service_port);
    if (!fd) return tl::unexpected(fd.error());
    result = ask(*enrolment, *fd, **tunnel, token, endpoint.to_string(), timeout / endpoints->size());
    if (result || result.error().status != control::UNREACHABLE) break;
  }
  return result;
}

std::string addresses_of(const identity::Token& token) {
  std::string text;
  for (const auto& each : token.addresses) text += (text.empty() ? "" : ", ") + each.to_string();
  return text;
}

std::string peer_text(const identity::Token& token) {
  identity::PeerText peer{.name = token.server,
                          .public_key = token.public_key,
                          .side_public_key = token.side_public_key,
                          .side_address = {},
                          .endpoint = token.endpoint,
                          .side_endpoint = token.side_endpoint,
                          .allowed_ips = token.allowed_ips,
                          .addresses = {},
                          .persistent_keepalive = identity::kUsualKeepalive};
  return "# Made by `anubis join`, by an invitation of " + token.server + ".\n" + identity::peer_toml(peer);
}

std::string host_text(const identity::Token& token, const HostFiles& files) {
  return identity::host_toml({.name = token.name,
                              .key_file = files.key.string(),
                              .side_key_file = files.side_key.string(),
                              .addresses = token.addresses,
                              .endpoint = {}});
}

// What this host has when it joins: its configuration, or none yet.
struct Present {
  std::optional<config::Config> config;
  HostFiles files;
};

Outcome<Keys> make_or_find_keys(const Present& present) {
  if (present.config) return Keys{present.config->production.public_key, present.config->side.public_key};
  config::Transaction made;
  if (auto missing = make_missing_keys(present.files, made); !missing) return tl::unexpected(missing.error());
  made.keep();  // whatever comes: they are those of the next try, too
  return keys_of(present.files);
}

// Before the other host is asked: what it did would stand.
Outcome<void> check_absent(const std::filesystem::path& entry) {
  if (!config::is_taken(entry)) return {};
  return fail(control::FAILED, entry.string() + " is there already: move it away, then try again");
}

Outcome<void> check_present(const Present& present, const identity::Token& token, const std::filesystem::path& entry) {
  if (!present.config) return check_absent(entry);
  if (token.side_address != config::derive_side_address(token.side_public_key, present.config->side.prefix)) {
    return fail(control::FAILED,
                fmt::format("side.prefix of this host is not that of {}; nothing was changed", token.server));
  }
  for (const model::Peer& peer : present.config->peers) {
    if (peer.public_key == token.public_key) {
      return fail(control::FAILED, peer.name + " is a peer of this host already; nothing was changed");
    }
    if (peer.name == token.server) {
      return fail(control::FAILED, "there is another peer " + token.server + " already; nothing was changed");
    }
  }
  if (auto checked = identity::check_ranges(*present.config, token.server, token.allowed_ips); !checked) {
    return tl::unexpected(failure_of(checked.error()));
  }
  return check_absent(entry);
}

}  // namespace

int join(const Context& context, const JoinOptions& options) {
  crypto::initialise();
  if (geteuid() != 0) {
    return report({control::NOT_PERMITTED, "this makes keys and a network interface; run it as root (sudo)"});
  }
  const auto token = read_token(options.token);
  if (!token) return report(token.error());
  const std::filesystem::path file = options.config;
  Present present{.config = {}, .files = host_files(file, token->name)};
  if (config::is_taken(file)) {
    auto config = load_configuration(file);
    if (!config) return report(config.error());
    present.config = std::move(*config);
  }
  if (auto checked = check_present(present, *token, conf_d_file(file, token->server)); !checked)
    return report(checked.error());
  if (!options.yes) {
    complain(token->server + " (" + token->endpoint.to_string() + ") invites this host, as " + token->name + " with " +
             addresses_of(*token) + ". This would be written to " + conf_d_file(file, token->server).string() +
             ":\n\n" + peer_text(*token));
    const auto agreed = confirm("Join?");
    if (!agreed) return report(agreed.error());
    if (!*agreed) {
      complain("nothing was changed");
      return control::FAILED;
    }
  }
  struct sigaction action{};
  action.sa_handler = interrupt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaction(signal, &action, nullptr);

  const auto keys = make_or_find_keys(present);
  if (!keys) return report(keys.error());
  if (auto enrolled = enrol(*token, *keys, options.timeout); !enrolled) {
    Failure failure = enrolled.error();
    if (!present.config)
      failure.message += "\nthis host's keys were made, and serve for the next try: " + present.files.key.string();
    return report(failure);
  }
  Change change(context, file);
  auto made =
      present.config ? Outcome<void>() : make_configuration(file, host_text(*token, present.files), change.files());
  if (made) made = change.create_entry(token->server, peer_text(*token));
  if (!made) {
    return report({made.error().status,
                   fmt::format("{}\n{} has taken this host in: mend that, then join by the same invitation once more",
                               made.error().message, token->server)});
  }
  const auto force = change.put_into_force();
  change.keep();  // whatever anubisd says, as the other host has this one
  if (!force) {
    return report({force.error().status,
                   fmt::format("{}\n{} has taken this host in, and {} is there; try: anubis reload",
                               force.error().message, token->server, conf_d_file(file, token->server).string())});
  }
  print_line(token->server + " has taken this host in, as " + token->name);
  if (present.config) {
    for (const auto& address : token->addresses) {
      if (std::ranges::find(present.config->production.addresses, address) !=
          present.config->production.addresses.end())
        continue;
      print_line("next: add \"" + address.to_string() + "\" to addresses in [production] of " + file.string() +
                 ", and restart anubisd");
    }
  }
  if (*force == Force::kOnceItStarts) print_line("next: sudo systemctl enable --now anubisd");
  print_line("next: anubis up " + token->server);
  return control::DONE;
}

}  // namespace anubis::cli
