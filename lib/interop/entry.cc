#include "lib/interop/entry.h"

#include <chrono>

#include <fmt/format.h>

namespace anubis::interop {

std::string format_entry(const PlainPeer& peer) {
  // The comment goes with its line, when a card completes the peer.
  std::string text = fmt::format(
      "[[peer]]\nname = \"{}\"\nplain = true # no Anubis runs there: up and down are done at this end alone\n"
      "public_key = \"{}\"\n",
      peer.name, peer.public_key.to_base64());
  if (peer.side_address) text += fmt::format("side_address = \"{}\"\n", peer.side_address->to_string());
  if (!peer.preshared_key_file.empty())
    text += fmt::format("production_preshared_key_file = \"{}\"\n", peer.preshared_key_file);
  if (peer.endpoint) text += fmt::format("endpoint = \"{}\"\n", peer.endpoint->to_string());
  text += fmt::format("allowed_ips = {}\n", format_list(peer.allowed_ips));
  if (peer.nested) text += "nested = true\n";
  if (peer.persistent_keepalive != 0) text += fmt::format("persistent_keepalive = {}\n", peer.persistent_keepalive);
  if (peer.lease)
    text += fmt::format("lease = \"{}s\"\n", std::chrono::ceil<std::chrono::seconds>(*peer.lease).count());
  return text;
}

}  // namespace anubis::interop
