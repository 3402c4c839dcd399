#include <string>
#include <vector>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"
#include "anubis-cli/status_text.h"
#include "anubis-cli/table.h"
#include "anubis-cli/text.h"
#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

using Peers = std::vector<control::AuthorisedPeer>;

std::vector<std::string> keys_table(const Peers& peers, Colour colour) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& peer : peers) {
    rows.push_back({{printable(peer.name())},
                    {printable(peer.side_address())},
                    {printable(peer.public_key())},
                    {printable(peer.side_public_key())}});
  }
  return table_lines({{"NAME"}, {"SIDE ADDRESS"}, {"PUBLIC KEY"}, {"SIDE PUBLIC KEY"}}, rows, colour);
}

std::vector<std::string> peers_table(const Peers& peers, Colour colour) {
  constexpr int kAllowedIpsShown = 3;
  std::vector<std::vector<Cell>> rows;
  for (const auto& peer : peers) {
    const std::string lease =
        peer.lease_seconds() == 0 ? "until down" : base::format_duration(std::chrono::seconds(peer.lease_seconds()));
    rows.push_back({{printable(peer.name())},
                    {peer.group().empty() ? "-" : printable(peer.group())},
                    {lease},
                    {peer.endpoint().empty() ? "roaming" : printable(peer.endpoint())},
                    {brief_list(peer.allowed_ips(), kAllowedIpsShown)},
                    {brief_key(peer.public_key())}});
  }
  return table_lines({{"NAME"}, {"GROUP"}, {"LEASE"}, {"ENDPOINT"}, {"ALLOWED IPS"}, {"KEY"}}, rows, colour);
}

}  // namespace

int peers(const Context& context, const PeersOptions& options) {
  control::Command command;
  command.mutable_peers();
  Peers list;
  const auto done = exchange(context.socket_path, command, kPatience, [&list](const control::Response& response) {
    if (response.has_authorised()) list.push_back(response.authorised());
  });
  std::optional<Failure> failure;
  if (!done) failure = done.error();
  if (options.json) print_line(peers_json(list, failure));
  if (failure) return report(*failure);
  if (options.json) return control::DONE;

  if (list.empty()) {
    print_line(kNoPeers);
    return control::DONE;
  }
  for (const auto& line : options.keys ? keys_table(list, context.colour) : peers_table(list, context.colour)) {
    print_line(line);
  }
  return control::DONE;
}

}  // namespace anubis::cli
