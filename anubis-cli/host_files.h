// The files that make a host: two private keys and a configuration.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "anubis-cli/failure.h"
#include "lib/config/transaction.h"

namespace anubis::cli {

// What others may call this host: the system's host name, as far as that can be a name.
[[nodiscard]] std::string name_of_this_host();

struct HostFiles {
  std::filesystem::path key;       // of the production interface
  std::filesystem::path side_key;  // of the side interface
};

// Beside the configuration: NAME.key and NAME-side.key.
[[nodiscard]] HostFiles host_files(const std::filesystem::path& config, std::string_view name);

// Draws those that are not there yet, and writes them so that nobody but their owner may read them.
Outcome<void> make_missing_keys(const HostFiles& files, config::Transaction& made);

// FILE, which must not exist, and conf.d beside it; then reads it as anubisd would.
Outcome<void> make_configuration(const std::filesystem::path& file, std::string_view text, config::Transaction& made);

}  // namespace anubis::cli
