// anubis.toml, and, behind a form feed, a file in conf.d. The key files that they may name stand beside them.
#include "lib/config/config.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
  chmod(file.c_str(), 0600);
}

// One for the whole run: what differs from input to input is written anew.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "anubis-fuzz-XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr, "there is room for files");
    path_ = name;
    std::filesystem::create_directory(path_ / "conf.d");
    write(path_ / "a.key", "QG9uZSBvZiBvdXIga2V5cywgZm9yIHRlc3RzIG9ubHk=\n");
    write(path_ / "b.key", "QG90aGVyIG9mIG91ciBrZXlzLCBmb3IgdGVzdHMgb24=\n");
    write(path_ / "psk", "QGEgcHJlc2hhcmVkIGtleSwgd2hpY2ggaXMgYWxzbyA=\n");
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void check(const config::Config& config) {
  std::set<std::string> names;
  std::set<crypto::PublicKey> keys{config.production.public_key, config.side.public_key};
  std::set<model::IpAddress> addresses{config.side.address};
  require(keys.size() == 2, "the two keys of a host differ");
  for (const model::Peer& peer : config.peers) {
    require(names.insert(peer.name).second, "names are unique");
    require(keys.insert(peer.public_key).second && keys.insert(peer.side_public_key).second, "keys are unique");
    require(addresses.insert(peer.side_address).second, "side addresses are unique");
    require(peer.side_address.family() == config.side.address.family(), "side addresses are of one family");
    require(!peer.endpoint || peer.endpoint->port, "an endpoint has its port");
  }
}

}  // namespace

void config(Bytes input) {
  static const Folder folder;
  crypto::initialise();
  const std::string_view text = as_text(input);
  const auto form_feed = text.find('\f');
  const auto file = folder.path() / "anubis.toml";
  const auto more = folder.path() / "conf.d" / "more.toml";
  write(file, text.substr(0, form_feed));
  if (form_feed == std::string_view::npos) {
    std::filesystem::remove(more);
  } else {
    write(more, text.substr(form_feed + 1));
  }

  const auto loaded = config::load(file);
  if (loaded) return check(*loaded);
  const std::string& error = loaded.error().message;
  require(!error.empty(), "an error has a text");
  require(std::ranges::count(error, '\n') <= 20, "no more errors are told than can be read");
  require(std::ranges::none_of(error,
                               [](char c) { return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f); }),
          "no control character reaches a terminal");
}

}  // namespace anubis::fuzz
