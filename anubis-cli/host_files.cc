#include "anubis-cli/host_files.h"

#include <array>
#include <system_error>

#include <unistd.h>

#include "anubis-cli/change.h"
#include "lib/base/random.h"
#include "lib/config/config.h"
#include "lib/config/write.h"
#include "lib/crypto/keys.h"
#include "lib/identity/template.h"

namespace anubis::cli {
namespace {

base::Status make_key(const std::filesystem::path& file) {
  base::SystemRandom random;
  const auto key = crypto::generate_private_key(random);
  const auto text = crypto::format_secret(key.view());
  return config::create_file(file, text.view(), config::kSecretMode);
}

}  // namespace

std::string name_of_this_host() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);  // cannot fail: HOST_NAME_MAX is 64
  return identity::fit_name(host.data());
}

HostFiles host_files(const std::filesystem::path& config, std::string_view name) {
  const auto folder = config.parent_path();
  return {folder / std::string(name).append(".key"), folder / std::string(name).append("-side.key")};
}

bool is_taken(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(file, error);
  return !error && status.type() != std::filesystem::file_type::not_found;
}

Outcome<void> make_keys(const HostFiles& files) {
  if (auto made = config::make_folder(files.key.parent_path()); !made) return tl::unexpected(failure_of(made.error()));
  if (auto made = make_key(files.key); !made) return tl::unexpected(failure_of(made.error()));
  if (auto made = make_key(files.side_key); !made) {
    (void)config::remove_file(files.key);
    return tl::unexpected(failure_of(made.error()));
  }
  return {};
}

Outcome<void> make_missing_keys(const HostFiles& files) {
  if (auto made = config::make_folder(files.key.parent_path()); !made) return tl::unexpected(failure_of(made.error()));
  for (const auto& file : {files.key, files.side_key}) {
    if (is_taken(file)) continue;
    if (auto made = make_key(file); !made) return tl::unexpected(failure_of(made.error()));
  }
  return {};
}

void remove_keys(const HostFiles& files) {
  (void)config::remove_file(files.key);
  (void)config::remove_file(files.side_key);
}

Outcome<void> make_configuration(const std::filesystem::path& file, std::string_view text) {
  if (auto made = config::make_folder(file.parent_path() / "conf.d"); !made) {
    return tl::unexpected(failure_of(made.error()));
  }
  if (auto made = config::create_file(file, text); !made) return tl::unexpected(failure_of(made.error()));
  if (auto loaded = config::load(file); !loaded) {
    (void)config::remove_file(file);
    return tl::unexpected(failure_of(loaded.error()));
  }
  return {};
}

}  // namespace anubis::cli
