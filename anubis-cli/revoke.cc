#include <chrono>
#include <string>
#include <vector>

#include "anubis-cli/change.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "lib/config/write.h"

namespace anubis::cli {
namespace {

// For the peer's answer: it is to hear of it, but nobody waits for long for one that is away.
constexpr std::chrono::milliseconds kTimeout{3'000};

bool is_named(const model::Peer& peer, const std::string& name) {
  return peer.name == name || peer.name == name + std::string(config::kInvitationSuffix);
}

// Takes the session down at both ends where that can be. It goes with the reload anyway.
void take_down(const Context& context, const config::Config& config, const std::string& name) {
  control::Command command;
  command.mutable_down()->set_name(name);
  command.mutable_down()->set_timeout_ms(static_cast<std::uint32_t>(kTimeout.count()));
  (void)exchange(socket_of(context, config), command, kTimeout + kGrace, [](const control::Response&) {});
}

}  // namespace

int revoke(const Context& context, const RevokeOptions& options) {
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const std::string& name = options.name;
  std::size_t entries = 0;
  bool is_peer = false;
  for (const model::Peer& peer : config->peers) {
    if (!is_named(peer, name)) continue;
    ++entries;
    is_peer = is_peer || !peer.is_invitation;
  }
  if (entries == 0) return report({control::NO_SUCH_PEER, "there is neither a peer nor an invitation " + name});
  const auto file = conf_d_file(options.config, name);
  const std::string by_hand = "take it out by hand, then: anubis reload";
  if (!std::filesystem::is_regular_file(file)) {
    return report(
        {control::FAILED, name + " does not stand in " + file.string() + ", but in another file; " + by_hand});
  }
  const auto text = read_text(file.string(), std::size_t{1} << 20);
  if (!text) return report(text.error());
  if (auto removed = config::remove_file(file); !removed) return report(failure_of(removed.error()));
  const auto take_back = [&](Failure failure) {
    const auto made = config::create_file(file, *text);
    failure.message += made ? "\nnothing was changed" : "\n" + made.error().message;
    return report(failure);
  };
  const auto left = config::load(options.config);
  if (!left) return take_back(failure_of(left.error()));
  if (left->peers.size() + entries != config->peers.size()) {
    return take_back({control::FAILED, file.string() + " has not only " + name + "; " + by_hand});
  }
  if (is_peer) take_down(context, *config, name);
  const auto force = put_into_force(context, *left);
  if (!force) return take_back(force.error());
  print_line(name + " is no peer of this host any more, and no invitation as " + name + " is good here (" +
             file.string() + " is gone)");
  return control::DONE;
}

}  // namespace anubis::cli
