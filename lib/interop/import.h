// A file of wg-quick as Anubis' configuration. What the file asks for and Anubis does not do is told. PURE: nothing is
// written, run or resolved.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"

namespace anubis::interop {

struct ImportSettings {
  std::string file;       // as errors call it
  std::string interface;  // as it is called, and stays called
  std::string host;       // the name of this host
};

// A file to be made beside the configuration. Its key is for its owner alone.
struct ImportedKey {
  std::string file;
  base::Secret<crypto::kKeySize> key;
};

struct ImportedPeer {
  std::string name;
  std::string entry;  // conf.d/NAME.toml
};

struct Import {
  std::string configuration;      // anubis.toml
  std::string side_key_file;      // which it names: a key is to be drawn
  std::vector<ImportedKey> keys;  // the production key first
  std::vector<ImportedPeer> peers;
  std::vector<std::string> notes;  // a sentence each: what is different from now on
  bool is_as_it_stands = true;     // its interface, if it is up, has these very peers
};

// kInvalid: it is no file of wg-quick, or has no private key. No peer of it runs Anubis as far as is known: each is
// written as plain, with a name out of a comment beside it, or from its endpoint.
[[nodiscard]] base::Result<Import> import_wg_quick(std::string_view text, const ImportSettings& settings);

}  // namespace anubis::interop
