// The configuration files of wg-quick(8) and wg(8), read and written. Strict: what those tools would read otherwise
// than it looks (a key given twice, a text behind which nothing is known) is an error here. PURE: nothing that a file
// contains is ever run, opened or resolved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/base/secret_text.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::config {

// Of a text: a userspace device's 65,536 peers with 500 bytes each.
constexpr std::size_t kMaxWgQuickSize = std::size_t{32} << 20;

// Where wg-quick puts the routes for AllowedIPs.
struct WgQuickTable {
  enum class Kind : std::uint8_t {
    kAuto,    // the main table; for default routes, one of their own with rules
    kOff,     // no routes at all
    kNumber,  // that table
  };
  Kind kind = Kind::kAuto;
  std::uint32_t number = 0;  // kNumber: 1 or more
  bool operator==(const WgQuickTable&) const = default;
};

// wg-quick runs it by a shell. Here it is only text, for callers to tell their users of.
struct WgQuickScript {
  std::string_view key;  // "PreUp", "PostUp", "PreDown" or "PostDown"
  std::string command;
  std::uint32_t line = 0;
};

struct WgQuickInterface {
  std::optional<crypto::PrivateKey> private_key;  // none: a script sets it
  std::uint16_t listen_port = 0;                  // 0: any
  std::uint32_t fwmark = 0;                       // 0: off
  std::vector<model::InterfaceAddress> addresses;
  std::vector<model::IpAddress> dns_servers;
  std::vector<std::string> dns_search;  // domains; with "~" before those that are only for routing queries
  std::optional<std::uint32_t> mtu;
  WgQuickTable table;
  std::vector<WgQuickScript> scripts;
  bool save_config = false;

  // In which lines they stand, for whoever finds fault with them; 0, or none, where nothing was read.
  std::uint32_t table_line = 0;
  std::vector<std::uint32_t> address_lines;  // as many as addresses
};

struct WgQuickPeer {
  crypto::PublicKey public_key;
  std::optional<crypto::WireGuardPresharedKey> preshared_key;
  std::vector<model::IpPrefix> allowed_ips;
  std::optional<model::HostPort> endpoint;  // with its port
  std::uint16_t persistent_keepalive = 0;   // seconds; 0: off

  // As in the interface.
  std::uint32_t public_key_line = 0;
  std::uint32_t endpoint_line = 0;
  std::vector<std::uint32_t> allowed_ips_lines;  // as many as allowed IPs
};

// Move-only: it holds private keys.
struct WgQuickFile {
  WgQuickInterface interface;
  std::vector<WgQuickPeer> peers;  // with different keys
};

// TEXT without the byte order mark that Windows' editors put before it.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

// `name` is what errors call the text: "FILE:LINE:COLUMN: key AllowedIPs: what is wrong", a line for each fault, at
// most 20 of them. No error quotes a private or preshared key, wherever in a line it stands by mistake. A text that is
// something else altogether (what `wg show` prints, a file of systemd-networkd, …) is called by its name instead.
// crypto::initialise() first.
[[nodiscard]] base::Result<WgQuickFile> parse_wg_quick(std::string_view text, const std::string& name);

// A text that parse_wg_quick() reads as the same file. Texts must hold no control characters, no '#', and no blanks at
// their ends, as those that were parsed do not.
enum class WgQuickStyle {
  kReadable,
  kCompact,  // as short as it can be, for a QR code
};
[[nodiscard]] base::SecretText format_wg_quick(const WgQuickFile& file, WgQuickStyle style = WgQuickStyle::kReadable);

}  // namespace anubis::config
