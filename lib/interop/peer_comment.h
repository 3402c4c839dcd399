// What a comment in a wg-quick file says of a peer's name. A wrong name is worse than none: somebody else would be
// taken down by it. So in doubt a comment says nothing. Internal to lib/interop. PURE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace anubis::interop {

// Of a line of a wg-quick file.
constexpr std::string_view kBlanks = " \t\r";
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view what = kBlanks);

struct PeerComment {
  enum class Kind : std::uint8_t {
    kNothing,  // prose, an empty line, what is commented out
    kCloses,   // the end of a peer, of a heading or of a section: what stood before it is no name of what follows
    kName,     // "alice", "### Client alice", "### begin alice ###", "11: android > wgclient_android.conf"
    kKeyed,    // "Name = Alice", "friendly_name: Alice": no doubt that it is the name
  };
  Kind kind = Kind::kNothing;
  std::string name;  // fit for the configuration, and not empty, with kName and kKeyed
};

// The line from its '#' on.
[[nodiscard]] PeerComment classify_comment(std::string_view comment);

// With everything that a name may not have replaced by single hyphens; may be empty. ASCII only: names are typed at a
// shell.
[[nodiscard]] std::string fit_peer_name(std::string_view text);

}  // namespace anubis::interop
