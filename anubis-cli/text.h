// Pieces of text for people. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anubis::cli {

// TEXT fit for a terminal: control characters, characters that reorder or hide text, and bytes that are not UTF-8 are
// written as escapes (\x1b, \u202e). Whatever came from the daemon may have come from the network.
[[nodiscard]] std::string printable(std::string_view text);

// As printable(), but line breaks stay, each with an indentation behind it, so that no line can pass for one of ours.
[[nodiscard]] std::string printable_lines(std::string_view text);

// The columns that TEXT, printable UTF-8, takes on a terminal.
[[nodiscard]] std::size_t display_width(std::string_view text);

// TEXT, printable, in lines of at most COLUMNS, broken at spaces; a word that is longer than a line stays whole.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

// "0 B", "999 B", "1.2 KiB", "512 MiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// How long something took: "0.8 ms", "12 ms", "1.2 s".
[[nodiscard]] std::string format_took(std::uint64_t microseconds);

// "12 s ago"; "just now" when it is less than a second or lies ahead, because the wall clock was set back.
[[nodiscard]] std::string format_ago(std::int64_t then, std::int64_t now);

// Unix seconds in the local time zone: "2026-11-20 12:34:56".
[[nodiscard]] std::string format_time(std::int64_t unix_seconds);

// Enough of a key to tell it from others: "AbCdEfGh…".
[[nodiscard]] std::string brief_key(std::string_view key);

}  // namespace anubis::cli
