#include "anubis-cli/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iterator>

#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool contains(const Range (&ranges)[N], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges), [c](Range r) { return c >= r.first && c <= r.last; });
}

// Control characters (C0, DEL, C1), and what reorders, hides or breaks text: soft hyphen, Arabic letter mark, zero
// width, bidi marks, embeddings and isolates, line and paragraph separators, byte order mark, tags.
constexpr Range kUnprintable[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0xad, 0xad},     {0x61c, 0x61c},
                                  {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
                                  {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
// Unicode's combining blocks and East Asian wide ones (UAX #11), as far as a name may hold them.
constexpr Range kNoWidth[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
                              {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
constexpr Range kTwoWide[] = {{0x1100, 0x115f},  {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
                              {0xac00, 0xd7a3},  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                              {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
                              {0x20000, 0x3fffd}};

struct Character {
  char32_t code = 0;
  std::size_t size = 1;
  bool valid = false;
};

// The first character of TEXT, which is not empty. Overlong forms, surrogates and what lies beyond Unicode are invalid.
Character decode(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t size = 0;
  char32_t code = 0;
  char32_t least = 0;
  if ((first & 0xe0) == 0xc0) {
    size = 2, code = first & 0x1f, least = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    size = 3, code = first & 0x0f, least = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    size = 4, code = first & 0x07, least = 0x10000;
  } else {
    return {first, 1, false};
  }
  if (text.size() < size) return {first, 1, false};
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {first, 1, false};
    code = code << 6 | (byte(i) & 0x3f);
  }
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {first, 1, false};
  return {code, size, true};
}

std::string escape(char32_t code, bool is_byte) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, is_byte || code < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
  return buffer;
}

std::string printable(std::string_view text, std::string_view line_break) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.valid && c.code == '\n' && !line_break.empty()) {
      out.append(line_break);
    } else if (!c.valid || contains(kUnprintable, c.code)) {
      out.append(escape(c.code, !c.valid));
    } else {
      out.append(text.substr(0, c.size));
    }
    text.remove_prefix(c.size);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return printable(text, ""); }

std::string printable_lines(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return printable(text, "\n    ");
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto c = decode(text);
    if (contains(kTwoWide, c.code)) {
      width += 2;
    } else if (!contains(kNoWidth, c.code)) {
      width += 1;
    }
    text.remove_prefix(c.size);
  }
  return width;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines{""};
  for (bool more = true; more;) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    if (lines.back().empty()) {
      lines.back() = word;
    } else if (display_width(lines.back()) + 1 + display_width(word) <= columns) {
      lines.back().append(" ").append(word);
    } else {
      lines.emplace_back(word);
    }
    more = space != std::string_view::npos;
    if (more) text.remove_prefix(space + 1);
  }
  return lines;
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.5 and above would be printed as 1024.
  while (value >= 1023.5 && unit + 1 < kUnits.size()) value /= 1024, ++unit;
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, value < 99.95 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return buffer;
}

std::string format_took(std::uint64_t microseconds) {
  char buffer[32];
  const auto us = static_cast<double>(microseconds);
  if (us < 9'950) {
    std::snprintf(buffer, sizeof buffer, "%.1f ms", us / 1e3);
  } else if (us < 999'500) {
    std::snprintf(buffer, sizeof buffer, "%.0f ms", us / 1e3);
  } else {
    std::snprintf(buffer, sizeof buffer, "%.1f s", us / 1e6);
  }
  return buffer;
}

std::string format_ago(std::int64_t then, std::int64_t now) {
  if (then >= now) return "just now";
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::seconds>(base::kMaxDuration).count();
  const auto ago = then < now - kMost ? kMost : now - then;  // neither the difference nor its nanoseconds overflow
  return base::format_duration(std::chrono::seconds(ago)) + " ago";
}

std::string format_time(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  char buffer[64];
  if (localtime_r(&time, &parts) == nullptr || std::strftime(buffer, sizeof buffer, "%F %T", &parts) == 0) {
    return std::to_string(unix_seconds);  // a year beyond what the calendar of this system can tell
  }
  return buffer;
}

std::string brief_key(std::string_view key) {
  constexpr std::size_t kShown = 8;
  if (key.size() <= kShown) return printable(key);
  return printable(key.substr(0, kShown)) + "…";
}

}  // namespace anubis::cli
