// Several files that are written as one: all of them, or none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/write.h"
#include "lib/crypto/keys.h"

namespace anubis::config {

// What was not kept is undone when it goes: what was made is gone, and what was changed or removed is as it was. Errors
// are those of the functions of write.h.
class Transaction {
 public:
  Transaction() = default;
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Those above it that are missing are a part of it. One that others have put something into by then stays.
  base::Status make_folder(const std::filesystem::path& folder);
  base::Status create_file(const std::filesystem::path& file, std::span<const std::uint8_t> contents, mode_t mode);
  base::Status create_file(const std::filesystem::path& file, std::string_view text, mode_t mode = kPublicMode);
  // A private or preshared key, as base64 for its owner alone.
  base::Status create_key_file(const std::filesystem::path& file, std::span<const std::uint8_t, crypto::kKeySize> key);
  // AFTER in the place of BEFORE. kInvalid when something else stands there by now.
  base::Status replace_file(const std::filesystem::path& file, std::string before, std::string_view after);
  // A file with that text.
  base::Status remove_file(const std::filesystem::path& file, std::string text);

  void keep() { undoings_.clear(); }
  // All of it, the last first, even if some of it cannot be; then, the first error.
  base::Status undo();

 private:
  std::vector<std::function<base::Status()>> undoings_;
};

}  // namespace anubis::config
