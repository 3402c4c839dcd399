// What the conformance suite runs against: two devices of one kind that can reach each other over 127.0.0.1. The real
// ones live in a network and mount namespace of their own, so that they meet nobody else's interface or socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "lib/base/result.h"
#include "lib/wireguard/device.h"

namespace anubis::wireguard {

// Where device() and the other end listen, once they are configured so.
constexpr std::uint16_t kFirstPort = 42961;
constexpr std::uint16_t kSecondPort = 42962;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Device& device() = 0;
  // The other end for handshakes; null where there are no handshakes.
  virtual Device* other_end() = 0;
  // When it returns, both listen.
  virtual void set_links_up() = 0;
  // Takes device()'s link away.
  virtual void destroy() = 0;
};

struct BackendKind {
  std::string name;
  // An error is the reason why it cannot be tested here.
  std::function<base::Result<std::unique_ptr<Backend>>()> create;

  friend void PrintTo(const BackendKind& kind, std::ostream* out) { *out << kind.name; }
};

BackendKind fake_backend();
BackendKind wireguard_go_backend();
BackendKind kernel_backend();

// Moves the calling thread into a network namespace with only a loopback, and gives it a private /var/run/wireguard.
// Needs root.
base::Status enter_private_network();
base::Status set_link_up(const std::string& interface);
base::Status add_kernel_link(const std::string& interface);
base::Status delete_link(const std::string& interface);

}  // namespace anubis::wireguard
