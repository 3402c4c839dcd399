#include "lib/config/transaction.h"

#include <ranges>
#include <utility>

#include <unistd.h>

namespace anubis::config {

using base::Status;

Transaction::~Transaction() { (void)undo(); }

Status Transaction::make_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> missing;
  for (auto each = folder; !each.empty() && !is_taken(each); each = each.parent_path()) missing.push_back(each);
  for (const auto& each : missing | std::views::reverse) {
    undoings_.emplace_back([each] {
      rmdir(each.c_str());
      return Status();
    });
  }
  return config::make_folder(folder);
}

Status Transaction::create_file(const std::filesystem::path& file, std::span<const std::uint8_t> contents,
                                mode_t mode) {
  if (auto status = config::create_file(file, contents, mode); !status) return status;
  undoings_.emplace_back([file] { return config::remove_file(file); });
  return {};
}

Status Transaction::create_file(const std::filesystem::path& file, std::string_view text, mode_t mode) {
  return create_file(file, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), mode);
}

Status Transaction::create_key_file(const std::filesystem::path& file,
                                    std::span<const std::uint8_t, crypto::kKeySize> key) {
  const auto text = crypto::format_secret(key);
  return create_file(file, text.view(), kSecretMode);
}

Status Transaction::replace_file(const std::filesystem::path& file, std::string before, std::string_view after) {
  const auto now = read_text(file);
  if (!now) return base::fail(now.error());
  if (*now != before) return base::fail(base::ErrorCode::kInvalid, file.string() + " was changed meanwhile; try again");
  if (auto status = config::replace_file(file, after); !status) return status;
  undoings_.emplace_back([file, before = std::move(before)] { return config::replace_file(file, before); });
  return {};
}

Status Transaction::remove_file(const std::filesystem::path& file, std::string text) {
  if (auto status = config::remove_file(file); !status) return status;
  undoings_.emplace_back([file, text = std::move(text)] { return config::create_file(file, text); });
  return {};
}

Status Transaction::undo() {
  Status result;
  for (const auto& undoing : undoings_ | std::views::reverse) {
    if (auto status = undoing(); !status && result) result = std::move(status);
  }
  undoings_.clear();
  return result;
}

}  // namespace anubis::config
