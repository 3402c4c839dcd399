// Files of wg-quick. What was read is written and read again as the same, and what is made of it for Anubis names each
// peer once, with a name that can be typed, and tells no key.
#include "lib/config/wg_quick.h"

#include <set>

#include "lib/config/name.h"
#include "lib/interop/import.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

void check_import(Bytes input, std::size_t peers) {
  const auto import =
      interop::import_wg_quick(as_text(input), {.file = "wg0.conf", .interface = "wg0", .host = "xena"});
  if (!import) return require(!import.error().message.empty(), "an error has a text");
  require(import->peers.size() == peers, "each peer is there");
  const auto key = crypto::format_secret(import->keys.front().key.view());
  const std::string_view key_text(reinterpret_cast<const char*>(key.view().data()), key.kSize);
  std::set<std::string> names;
  for (const auto& peer : import->peers) {
    require(names.insert(peer.name).second, "names are different");
    require(config::parse_name(peer.name).has_value(), "and can be names");
    require(peer.entry.find(key_text) == std::string::npos, "the private key is in no entry");
  }
  require(import->configuration.find(key_text) == std::string::npos, "nor in the configuration");
}

}  // namespace

void wg_quick(Bytes input) {
  crypto::initialise();
  const auto file = config::parse_wg_quick(as_text(input), "wg0.conf");
  if (!file) return require(!file.error().message.empty(), "an error has a text");
  const auto text = config::format_wg_quick(*file);
  for (const auto style : {config::WgQuickStyle::kReadable, config::WgQuickStyle::kCompact}) {
    const auto again = config::parse_wg_quick(config::format_wg_quick(*file, style).view(), "wg0.conf");
    require(again.has_value(), "what was written can be read");
    require(config::format_wg_quick(*again).view() == text.view(), "what was written is read as the same");
  }
  check_import(input, file->peers.size());
}

}  // namespace anubis::fuzz
