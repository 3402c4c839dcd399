// The files that make a host: two private keys and a configuration.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "anubis-cli/failure.h"

namespace anubis::cli {

// What others may call this host: the system's host name, as far as that can be a name.
[[nodiscard]] std::string name_of_this_host();

struct HostFiles {
  std::filesystem::path key;       // of the production interface
  std::filesystem::path side_key;  // of the side interface
};

// Beside the configuration: NAME.key and NAME-side.key.
[[nodiscard]] HostFiles host_files(const std::filesystem::path& config, std::string_view name);

// Whether something has that name, be it a link that leads nowhere. Not so where nobody lets us look: to make it fails
// then, and tells why.
[[nodiscard]] bool is_taken(const std::filesystem::path& file);

// Draws both, and writes them so that nobody but their owner may read them. Neither may exist; both are made, or none.
Outcome<void> make_keys(const HostFiles& files);
// The one or two of them that are not there yet.
Outcome<void> make_missing_keys(const HostFiles& files);
void remove_keys(const HostFiles& files);

// Makes FILE, which must not exist, and conf.d beside it; what anubisd would not take is taken back.
Outcome<void> make_configuration(const std::filesystem::path& file, std::string_view text);

}  // namespace anubis::cli
