// What a check looks at: the addresses of one host, and the way that each should be reached. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/failure.h"
#include "anubis-cli/snapshot.h"
#include "lib/model/ip.h"

namespace anubis::cli {

enum class AddressKind { kLan, kWireGuard, kGiven };
enum class Expected { kDirect, kThroughTunnel };

struct Target {
  std::string name;  // "selen", "selenwg"; empty: an address that is nobody's
  model::IpAddress address;
  AddressKind kind = AddressKind::kGiven;
  Expected expected = Expected::kDirect;
  // Of the direct range that it lies in: on that link, which only its route tells, it is to be reached directly.
  std::optional<std::uint8_t> direct_length;
};

// What the daemon knows.
struct Picture {
  control::HostStatus host;
  std::vector<control::PeerStatus> peers;
  std::vector<control::NamedHost> hosts;
};

// The addresses of the host that is called NAME, either of its names, the LAN's first; or just TO, as far as it is
// given. NO_SUCH_PEER, or FAILED where there is no address to look at.
[[nodiscard]] Outcome<std::vector<Target>> targets_of(const Picture& picture, const std::string& name,
                                                      const std::optional<model::IpAddress>& to);

// The peer that is up and gets what goes to the address on the production interface; null: none does.
[[nodiscard]] const control::PeerStatus* peer_that_gets(const Picture& picture, const model::IpAddress& address);

// The peer that would get it if it were up; null: none would.
[[nodiscard]] const control::PeerStatus* peer_that_would_get(const Picture& picture, const model::IpAddress& address);

// Whose address it is: "selenwg"; empty: nobody's.
[[nodiscard]] std::string name_of(const Picture& picture, const model::IpAddress& address);

}  // namespace anubis::cli
