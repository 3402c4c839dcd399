// Writing below /etc/anubis: a file is there complete or not at all, whatever happens meanwhile, a power cut included.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "lib/base/result.h"

namespace anubis::config {

constexpr mode_t kPublicMode = 0644;
constexpr mode_t kSecretMode = 0600;

// Whether something has that name, be it a link that leads nowhere. Not so where nobody lets us look: to make it fails
// then, and tells why.
[[nodiscard]] bool is_taken(const std::filesystem::path& file);

// Makes a file that must not exist, in a folder that must. kExists: something of that name stands there, and stays as
// it is. Secrets lie under no other name meanwhile, where the file system can do without one (O_TMPFILE).
base::Status create_file(const std::filesystem::path& file, std::span<const std::uint8_t> contents, mode_t mode);
base::Status create_file(const std::filesystem::path& file, std::string_view text, mode_t mode = kPublicMode);

// What stands in a file.
[[nodiscard]] base::Result<std::string> read_text(const std::filesystem::path& file);

// Puts a file in the place of the one that stands there, with that one's permissions: who opens it sees the old one or
// the new one. kNotFound: none stands there. kInvalid: it is a symbolic link, and stays as it is.
base::Status replace_file(const std::filesystem::path& file, std::string_view text);

// Takes a file away. kNotFound: it is not there.
base::Status remove_file(const std::filesystem::path& file);

// Makes the folder and those above it as far as they are missing, for root to write and all to read.
base::Status make_folder(const std::filesystem::path& folder);

}  // namespace anubis::config
