#include <string>

#include <fmt/format.h>

#include "lib/config/wg_quick.h"

namespace anubis::config {
namespace {

class Writer {
 public:
  explicit Writer(WgQuickStyle style) {
    switch (style) {
      case WgQuickStyle::kReadable:
        break;
      case WgQuickStyle::kCompact:
        before_section_ = "";
        equals_ = "=";
        comma_ = ",";
        break;
    }
  }

  void section(std::string_view name) {
    if (!text_.view().empty()) text_.append(before_section_);
    text_.append(fmt::format("[{}]\n", name));
  }
  void line(std::string_view key, std::string_view value) {
    text_.append(fmt::format("{}{}{}\n", key, equals_, value));
  }
  void line(std::string_view key, std::uint32_t value) { line(key, fmt::to_string(value)); }
  void lines(std::string_view key, const std::vector<std::string>& values) {
    for (const std::string& value : values) line(key, value);
  }
  template <class T>
  void list(std::string_view key, const std::vector<T>& values) {
    if (values.empty()) return;
    std::string joined;
    for (const T& value : values) joined.append(joined.empty() ? "" : comma_).append(value.to_string());
    line(key, joined);
  }
  // Not by fmt, whose memory would not be wiped.
  void secret_line(std::string_view key, std::span<const std::uint8_t, crypto::kKeySize> secret) {
    const auto value = crypto::format_secret(secret);
    text_.append(key);
    text_.append(equals_);
    text_.append({reinterpret_cast<const char*>(value.view().data()), value.kSize});
    text_.append("\n");
  }

  base::SecretText take() { return std::move(text_); }

 private:
  base::SecretText text_;
  std::string_view before_section_ = "\n";
  std::string_view equals_ = " = ";
  std::string_view comma_ = ", ";
};

void write_table(Writer& out, const WgQuickTable& table) {
  switch (table.kind) {
    case WgQuickTable::Kind::kAuto:
      return;  // the default
    case WgQuickTable::Kind::kOff:
      return out.line("Table", "off");
    case WgQuickTable::Kind::kNumber:
      return out.line("Table", table.number);
  }
}

void write_interface(Writer& out, const WgQuickInterface& interface) {
  out.section("Interface");
  if (interface.private_key) out.secret_line("PrivateKey", interface.private_key->view());
  if (interface.listen_port != 0) out.line("ListenPort", interface.listen_port);
  if (interface.fwmark != 0) out.line("FwMark", fmt::format("{:#x}", interface.fwmark));
  out.list("Address", interface.addresses);
  out.list("DNS", interface.dns_servers);
  out.lines("DNS", interface.dns_search);
  if (interface.mtu) out.line("MTU", *interface.mtu);
  write_table(out, interface.table);
  for (const WgQuickScript& script : interface.scripts) out.line(script.key, script.command);
  if (interface.save_config) out.line("SaveConfig", "true");
}

void write_peer(Writer& out, const WgQuickPeer& peer) {
  out.section("Peer");
  out.line("PublicKey", peer.public_key.to_base64());
  if (peer.preshared_key) out.secret_line("PresharedKey", peer.preshared_key->view());
  out.list("AllowedIPs", peer.allowed_ips);
  if (peer.endpoint) out.line("Endpoint", peer.endpoint->to_string());
  if (peer.persistent_keepalive != 0) out.line("PersistentKeepalive", peer.persistent_keepalive);
}

}  // namespace

base::SecretText format_wg_quick(const WgQuickFile& file, WgQuickStyle style) {
  Writer out(style);
  write_interface(out, file.interface);
  for (const WgQuickPeer& peer : file.peers) write_peer(out, peer);
  return out.take();
}

}  // namespace anubis::config
