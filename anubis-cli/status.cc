#include <ctime>

#include "anubis-cli/commands.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"
#include "anubis-cli/snapshot.h"
#include "anubis-cli/status_text.h"

namespace anubis::cli {

int status(const Context& context, const StatusOptions& options) {
  const auto snapshot = take_snapshot(context.socket_path, options.name, kPatience);
  if (options.json) print_line(status_json(snapshot, Layout::kIndented));
  if (snapshot.host && !snapshot.host->degraded().empty()) {
    complain("this host is degraded: " + snapshot.host->degraded());
  }
  if (snapshot.failure) return report(*snapshot.failure);
  if (options.json) return control::DONE;

  const std::int64_t now = std::time(nullptr);
  if (!options.name.empty()) {
    for (const auto& peer : snapshot.peers) {
      for (const auto& line : status_detail(peer, now, context.colour)) print_line(line);
    }
    return control::DONE;
  }
  for (const auto& line : status_table(snapshot.peers, now, context.colour)) print_line(line);
  auto notes = status_reasons(snapshot.peers);
  if (auto place = snapshot.host ? place_line(*snapshot.host) : std::nullopt) notes.insert(notes.begin(), *place);
  if (snapshot.host) {
    auto firewall = firewall_notes(*snapshot.host);
    notes.insert(notes.begin(), firewall.begin(), firewall.end());
  }
  if (!notes.empty()) print_line("");
  for (const auto& line : notes) print_line(line);
  return control::DONE;
}

}  // namespace anubis::cli
