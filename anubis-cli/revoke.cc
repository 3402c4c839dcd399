#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "anubis-cli/change.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "lib/config/edit.h"
#include "lib/config/transaction.h"

namespace anubis::cli {
namespace {

// For the peer's answer: it is to hear of it, but nobody waits for long for one that is away.
constexpr std::chrono::milliseconds kTimeout{3'000};
constexpr std::size_t kMostOfFile = 1 << 20;

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
  const auto text = config::is_taken(file) ? read_text(file.string(), kMostOfFile) : Outcome<std::string>("");
  if (!text) return report(text.error());
  if (text->size() > kMostOfFile || config::count_tables_of(*text, name) != entries) {
    return report({control::FAILED, fmt::format("{} does not stand in {} by itself: take its [[peer]] and its "
                                                "[[invitation]] out by hand, then: anubis reload",
                                                name, file.string())});
  }
  const HeldSignals held;  // until anubisd knows of it: a peer that is gone from the files alone is still let in
  config::Transaction files;
  if (auto removed = files.remove_file(file, *text); !removed) return report(failure_of(removed.error()));
  const auto left = config::load(options.config);
  if (!left) return report(undo(files, failure_of(left.error())));
  files.keep();
  if (is_peer) take_down(context, *config, name);
  auto force = put_into_force(context, *left);
  // A host that was joining at this moment has put it back, and by now no other can.
  if (force && config::remove_file(file)) force = put_into_force(context, *left);
  if (!force) {
    return report(
        {force.error().status, fmt::format("{} is gone, but anubisd has not taken that in: {}\ntry: anubis reload",
                                           file.string(), force.error().message)});
  }
  print_line(name + " is no peer of this host any more, and no invitation as " + name + " is good here (" +
             file.string() + " is gone)");
  tell_of_key_files(file, *text, "");
  return control::DONE;
}

}  // namespace anubis::cli
