#include "lib/config/report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace anubis::config {
namespace {

// Values are quoted in errors: a control character in one must neither break the line nor reach a terminal.
std::string without_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out.push_back(character);
    }
  }
  return out;
}

}  // namespace

std::uint32_t Report::add_file(std::string path) {
  files_.push_back(std::move(path));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string Report::line(Place place, std::string_view key, std::string_view text) const {
  return without_controls(fmt::format("{}:{}: {}{}{}{}", where(place), place.column, key.empty() ? "" : "key ", key,
                                      key.empty() ? "" : ": ", text));
}

void Report::error(Place place, std::string_view key, std::string_view text) {
  ++count_;
  if (!is_full()) lines_.push_back({place, line(place, key, text)});
}

void Report::warning(Place place, std::string_view key, std::string_view text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(line(place, key, text));
}

void Report::error(base::Error error) {
  if (count_++ == 0) code_ = error.code;
  if (!is_full()) lines_.push_back({{}, without_controls(error.message)});
}

void Report::warning(std::string text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(without_controls(text));
}

std::string Report::where(Place place) const { return fmt::format("{}:{}", files_[place.file], place.line); }

base::Error Report::take_error() {
  std::ranges::stable_sort(lines_, {}, &Line::place);
  std::string message;
  for (const Line& each : lines_) {
    if (!message.empty()) message.push_back('\n');
    message += each.text;
  }
  if (count_ > lines_.size()) message += fmt::format("\n… and {} more", count_ - lines_.size());
  return {code_, std::move(message)};
}

}  // namespace anubis::config
