#include "lib/identity/card.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "lib/config/name.h"
#include "lib/crypto/digest.h"
#include "lib/identity/base32.h"

namespace anubis::identity {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using model::HostPort;
using model::IpAddress;

constexpr std::string_view kBegin = "anubis-card:";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kChecksum = "checksum:";
// In the order in which they are written.
constexpr std::array<std::string_view, 7> kKeywords{
    "name:", "public-key:", "side-public-key:", "side-address:", "endpoint:", "side-endpoint:", "address:"};
constexpr std::size_t kMaxAddresses = 16;

bool is_keyword(std::string_view word) { return std::ranges::find(kKeywords, word) != kKeywords.end(); }

// 80 bits: a card that was damaged by accident does not pass.
std::string checksum_of(std::string_view lines) {
  constexpr std::size_t kBytes = 10;
  const auto digest = crypto::digest(std::span(reinterpret_cast<const std::uint8_t*>(lines.data()), lines.size()));
  return to_base32(std::span(digest).first<kBytes>());
}
constexpr std::size_t kChecksumSize = 16;

std::string in_groups(std::string_view checksum) {
  constexpr std::size_t kGroup = 4;
  std::string text;
  for (std::size_t at = 0; at < checksum.size(); at += kGroup) {
    if (at > 0) text.push_back('-');
    text.append(checksum.substr(at, kGroup));
  }
  return text;
}

// The words of the text, without what mail puts before a line that it quotes. Blanks that are not ASCII, as web pages
// and chats put them between words, are blanks.
std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  constexpr std::array<std::string_view, 3> kWideBlanks{"\u00a0", "\u200b", "\ufeff"};
  std::vector<std::string_view> words;
  bool at_line_start = true;
  while (!text.empty()) {
    const auto wide = std::ranges::find_if(kWideBlanks, [&](std::string_view each) { return text.starts_with(each); });
    if (kBlanks.find(text.front()) != std::string_view::npos) {
      at_line_start = at_line_start || text.front() == '\n';
      text.remove_prefix(1);
    } else if (wide != kWideBlanks.end()) {
      text.remove_prefix(wide->size());
    } else if (at_line_start && (text.front() == '>' || text.front() == '|')) {
      text.remove_prefix(1);
    } else {
      std::size_t size = 1;
      const auto ends = [&](std::string_view rest) {
        return kBlanks.find(rest.front()) != std::string_view::npos ||
               std::ranges::any_of(kWideBlanks, [&](std::string_view each) { return rest.starts_with(each); });
      };
      while (size < text.size() && !ends(text.substr(size))) ++size;
      words.push_back(text.substr(0, size));
      text.remove_prefix(size);
      at_line_start = false;
    }
  }
  return words;
}

struct Entry {
  std::string_view keyword;
  std::string value;  // without the blanks that a line break put into it
};

// What stands between the card's beginning and its checksum, and the checksum.
struct Block {
  std::string version;
  std::vector<Entry> entries;
  std::string checksum;
};

tl::unexpected<base::Error> incomplete() {
  return fail(ErrorCode::kInvalid,
              "the card is not complete: it begins with \"anubis-card:\" and ends with a line \"checksum:\"; take the "
              "whole of it");
}

// The digits of a checksum, whatever hyphens stand between them and whatever follows it.
std::string read_checksum(std::span<const std::string_view> words) {
  std::string checksum;
  for (const std::string_view word : words) {
    for (const char character : word) {
      const bool is_digit = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                            (character >= '2' && character <= '7');
      if (!is_digit && character != '-') return checksum;
      if (is_digit)
        checksum.push_back(character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character);
      if (checksum.size() == kChecksumSize) return checksum;
    }
  }
  return checksum;
}

Result<Block> read_block(std::string_view text) {
  const auto words = words_of(text);
  const auto begin = std::ranges::find(words, kBegin);
  if (begin == words.end()) {
    return fail(ErrorCode::kNotFound, "there is no card in it; `anubis card` on the other host prints one");
  }
  if (std::find(begin + 1, words.end(), kBegin) != words.end()) {
    return fail(ErrorCode::kInvalid, "there is more than one card in it; take one at a time");
  }
  const auto checksum = std::find(begin, words.end(), kChecksum);
  if (checksum == words.end()) return incomplete();
  Block block;
  for (auto word = begin + 1; word != checksum; ++word) {
    if (is_keyword(*word)) {
      block.entries.push_back({*word, {}});
    } else {
      (block.entries.empty() ? block.version : block.entries.back().value).append(*word);
    }
  }
  block.checksum = read_checksum({checksum + 1, words.end()});
  if (block.checksum.size() != kChecksumSize) return incomplete();
  return block;
}

std::string lines_of(const std::string& version, const std::vector<Entry>& entries) {
  std::string lines = fmt::format("{} {}\n", kBegin, version);
  for (const auto& [keyword, value] : entries) lines += fmt::format("{} {}\n", keyword, value);
  return lines;
}

base::Error about(std::string_view keyword, const base::Error& error) {
  return {ErrorCode::kInvalid, fmt::format("the card's {} {}", keyword, error.message)};
}

Result<HostPort> parse_endpoint(std::string_view text) {
  auto endpoint = HostPort::parse(text);
  if (!endpoint) return endpoint;
  const auto literal = endpoint->literal();
  if (!endpoint->port) return fail(ErrorCode::kInvalid, fmt::format("{} has no port", text));
  if (literal && (literal->is_unspecified() || literal->is_multicast() || literal->is_loopback())) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is the address of no other host", text));
  }
  return endpoint;
}

// Takes the entries that have this keyword.
class Values {
 public:
  explicit Values(const std::vector<Entry>& entries) : entries_(entries) {}

  // Into `out`, which stays as it is when there is none; the first failure is kept.
  template <class T, class Parse>
  void optional(std::string_view keyword, T& out, Parse parse) {
    all(keyword, 1, parse, [&](auto value) { out = T(std::move(value)); });
  }
  template <class T, class Parse>
  void required(std::string_view keyword, T& out, Parse parse) {
    if (std::ranges::count(entries_, keyword, &Entry::keyword) == 0) {
      refuse({ErrorCode::kInvalid, fmt::format("the card has no {}", keyword)});
    }
    optional(keyword, out, parse);
  }
  template <class Parse, class Use>
  void all(std::string_view keyword, std::size_t most, Parse parse, Use use) {
    for (const Entry& entry : entries_) {
      if (entry.keyword != keyword) continue;
      if (most-- == 0) return refuse({ErrorCode::kInvalid, fmt::format("the card has too many of {}", keyword)});
      auto value = parse(std::string_view(entry.value));
      if (!value) return refuse(about(keyword, value.error()));
      use(std::move(*value));
    }
  }

  [[nodiscard]] const std::optional<base::Error>& failure() const { return failure_; }

 private:
  void refuse(base::Error error) {
    if (!failure_) failure_ = std::move(error);
  }

  const std::vector<Entry>& entries_;
  std::optional<base::Error> failure_;
};

Result<IpAddress> parse_address(std::string_view text) {
  auto address = IpAddress::parse(text);
  if (address && (address->is_unspecified() || address->is_multicast() || address->is_loopback())) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is the address of no other host", text));
  }
  return address;
}

}  // namespace

Card card_of(const config::Config& config, const std::optional<HostPort>& endpoint) {
  Card card{.name = config.name,
            .public_key = config.production.public_key,
            .side_public_key = config.side.public_key,
            .side_address = config.side.address};
  card.endpoint = endpoint ? endpoint : config.endpoint;
  if (card.endpoint) {
    if (!card.endpoint->port) card.endpoint->port = config.production.listen_port;
    card.side_endpoint = HostPort{card.endpoint->host, config.side.listen_port};
  }
  for (const auto& address : config.production.addresses) {
    if (card.addresses.size() < kMaxAddresses) card.addresses.push_back(address.address);
  }
  return card;
}

std::string format_card(const Card& card) {
  std::vector<Entry> entries{{"name:", card.name},
                             {"public-key:", card.public_key.to_base64()},
                             {"side-public-key:", card.side_public_key.to_base64()},
                             {"side-address:", card.side_address.to_string()}};
  if (card.endpoint) entries.push_back({"endpoint:", card.endpoint->to_string()});
  if (card.side_endpoint) entries.push_back({"side-endpoint:", card.side_endpoint->to_string()});
  for (const IpAddress& address : card.addresses) entries.push_back({"address:", address.to_string()});
  const std::string lines = lines_of(std::string(kVersion), entries);
  return fmt::format("{}{} {}\n", lines, kChecksum, in_groups(checksum_of(lines)));
}

Result<Card> parse_card(std::string_view text) {
  if (text.size() > kMaxCardText) {
    return fail(ErrorCode::kInvalid, "that is too much for a card, which has a few lines; is it the right file?");
  }
  const auto block = read_block(text);
  if (!block) return fail(block.error());
  if (block->version != kVersion) {
    return fail(ErrorCode::kInvalid,
                "the card is not of version 1, the only one that this anubis knows; is the other host's anubis newer?");
  }
  if (checksum_of(lines_of(block->version, block->entries)) != block->checksum) {
    return fail(ErrorCode::kInvalid,
                "the card was changed on the way: its checksum is another; ask for it again, as a file perhaps");
  }
  Card card;
  Values values(block->entries);
  const auto key = [](std::string_view value) { return crypto::parse_public_key(value); };
  values.required("name:", card.name, config::parse_name);
  values.required("public-key:", card.public_key, key);
  values.required("side-public-key:", card.side_public_key, key);
  values.required("side-address:", card.side_address, parse_address);
  values.optional("endpoint:", card.endpoint, parse_endpoint);
  values.optional("side-endpoint:", card.side_endpoint, parse_endpoint);
  values.all("address:", kMaxAddresses, parse_address, [&](IpAddress address) { card.addresses.push_back(address); });
  if (values.failure()) return fail(*values.failure());
  if (card.public_key.bytes == card.side_public_key.bytes) {
    return fail(ErrorCode::kInvalid, "the card has the same key twice; every interface of a host needs one of its own");
  }
  return card;
}

}  // namespace anubis::identity
