#include "lib/config/report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace anubis::config {
namespace {

// The size of the printable character of UTF-8 that `text` begins with; 0: it is a control character or none at all.
std::size_t printable_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  const auto rest = text.substr(1, size - 1);
  if (!std::ranges::all_of(rest, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; })) return 0;
  const bool is_control = lead == 0xc2 && static_cast<unsigned char>(rest.front()) < 0xa0;  // U+0080 to U+009F
  return is_control ? 0 : size;
}

// Values and paths are quoted in errors: a control character in one must neither break the line nor reach a terminal,
// and half a character, where one was cut, would not travel in a protobuf string.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = printable_size(text);
    if (size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace

std::uint32_t Report::add_file(std::string path) {
  files_.push_back(std::move(path));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string Report::line(Place place, std::string_view key, std::string_view text) const {
  return printable(fmt::format("{}:{}: {}{}{}{}", where(place), place.column, key.empty() ? "" : "key ", key,
                               key.empty() ? "" : ": ", text));
}

void Report::error(Place place, std::string_view key, std::string_view text) {
  ++count_;
  if (!is_full()) lines_.push_back({place, line(place, key, text)});
}

void Report::warning(Place place, std::string_view key, std::string_view text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(line(place, key, text));
}

void Report::error(const base::Error& error) {
  if (count_++ == 0) code_ = error.code;
  if (!is_full()) lines_.push_back({{}, printable(error.message)});
}

void Report::warning(std::string_view text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(printable(text));
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
