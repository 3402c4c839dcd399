#include "anubis-cli/host_files.h"

#include <array>

#include <unistd.h>

#include "anubis-cli/change.h"
#include "lib/base/random.h"
#include "lib/config/config.h"
#include "lib/identity/template.h"

namespace anubis::cli {

std::string name_of_this_host() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);  // cannot fail: HOST_NAME_MAX is 64
  return identity::fit_name(host.data());
}

HostFiles host_files(const std::filesystem::path& config, std::string_view name) {
  const auto folder = config.parent_path();
  return {folder / std::string(name).append(".key"), folder / std::string(name).append("-side.key")};
}

Outcome<void> make_missing_keys(const HostFiles& files, config::Transaction& made) {
  if (auto folder = made.make_folder(files.key.parent_path()); !folder) return outcome_of(folder);
  base::SystemRandom random;
  for (const auto& file : {files.key, files.side_key}) {
    if (config::is_taken(file)) continue;
    const auto key = crypto::generate_private_key(random);
    if (auto status = made.create_key_file(file, key.view()); !status) return outcome_of(status);
  }
  return {};
}

Outcome<void> make_configuration(const std::filesystem::path& file, std::string_view text, config::Transaction& made) {
  if (auto folder = made.make_folder(file.parent_path() / "conf.d"); !folder) return outcome_of(folder);
  if (auto status = made.create_file(file, text); !status) return outcome_of(status);
  if (auto loaded = config::load(file); !loaded) return tl::unexpected(failure_of(loaded.error()));
  return {};
}

}  // namespace anubis::cli
