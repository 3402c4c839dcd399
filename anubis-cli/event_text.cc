#include "anubis-cli/event_text.h"

#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

std::string what_happened(const control::Event& event) {
  const std::string peer = printable(event.peer());
  if (event.kind() == "state") {
    std::string text = peer + " " + printable(event.state());
    if (event.state() != "up") return text;
    return text + (event.initiator() ? " (initiated here)" : " (initiated by " + peer + ")");
  }
  if (event.kind() == "added") return peer + " added to the configuration";
  if (event.kind() == "removed") return peer + " removed from the configuration";
  if (event.kind() == "changed") return peer + " changed in the configuration";
  if (event.kind() == "reloaded") return "configuration reloaded";
  if (event.kind() == "place") return "place: " + printable(event.state());
  if (event.kind() == "with") {
    return event.state().empty() ? peer + " with no other server" : peer + " with " + printable(event.state());
  }
  // "degraded", "healed", "drift", "port", and what a later daemon may tell.
  return peer.empty() ? printable(event.kind()) : peer + " " + printable(event.kind());
}

}  // namespace

std::string event_text(const control::Event& event) {
  std::string text = format_time(event.time()) + " " + what_happened(event);
  if (!event.reason().empty()) text.append(": ").append(printable(event.reason()));
  return text;
}

}  // namespace anubis::cli
