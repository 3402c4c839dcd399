#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "lib/config/report.h"
#include "lib/config/suggestion.h"
#include "lib/config/wg_quick.h"
#include "lib/config/wg_quick_foreign.h"
#include "lib/config/wg_quick_text.h"

namespace anubis::config {
namespace {

constexpr std::string_view kOff = "off";
constexpr std::size_t kMaxSentence = 512;

class Parser {
 public:
  explicit Parser(const std::string& name) { report_.add_file(name); }

  base::Result<WgQuickFile> parse(std::string_view text);

 private:
  enum class Part : std::uint8_t { kNone, kInterface, kPeer, kUnknown };

  // How often a key may be given, and whether without a value, by which wg-quick means the default.
  enum class Given : std::uint8_t { kOnce, kOnceOrEmpty, kAnyTimes };

  struct Key {
    std::string_view name;
    Part part;
    Given given;
    void (Parser::*take)(std::string_view value);
  };
  static constexpr std::size_t kKeys = 17;
  static const std::array<Key, kKeys> kKnown;

  void take_line(std::string_view line);
  void begin_part(std::string_view header);
  void end_part();
  void take_unknown(std::string_view key);
  [[nodiscard]] std::string_view part_name() const { return part_ == Part::kPeer ? "[Peer]" : "[Interface]"; }

  // Of the value that is being read, which the text may quote: not whole when it is long, and no key.
  void error(std::string_view text);
  void error_at_line(std::string_view text) { report_.error({0, line_, 1}, {}, text); }
  // The number, or none with the fault reported.
  std::optional<std::uint32_t> number(std::string_view value, std::uint32_t min, std::uint32_t max);
  std::optional<base::Secret<crypto::kKeySize>> secret(std::string_view value);
  // Calls take for each element; those of wg-quick's own lists may be separated by blanks alone.
  template <class Take>
  void each_element(std::string_view value, Take take);

  void take_private_key(std::string_view value);
  void take_listen_port(std::string_view value);
  void take_fwmark(std::string_view value);
  void take_addresses(std::string_view value);
  void take_dns(std::string_view value);
  void take_mtu(std::string_view value);
  void take_table(std::string_view value);
  void take_script(std::string_view value) { file_.interface.scripts.push_back({key_, std::string(value), line_}); }
  void take_save_config(std::string_view value);
  void take_public_key(std::string_view value);
  void take_preshared_key(std::string_view value);
  void take_allowed_ips(std::string_view value);
  void take_endpoint(std::string_view value);
  void take_keepalive(std::string_view value);

  Report report_;
  WgQuickFile file_;
  WgQuickPeer peer_;
  Part part_ = Part::kNone;
  std::uint32_t part_line_ = 0;
  std::uint32_t interface_line_ = 0;         // 0: none yet
  std::array<std::uint32_t, kKeys> seen_{};  // in which line of this part; 0: not yet
  std::unordered_map<crypto::PublicKey, std::uint32_t, crypto::PublicKeyHash> peer_lines_;
  std::uint32_t line_ = 0;
  bool told_of_amnezia_ = false;
  std::string_view key_;
  std::string_view value_;
  Place place_;
};

const std::array<Parser::Key, Parser::kKeys> Parser::kKnown{{
    {"PrivateKey", Part::kInterface, Given::kOnce, &Parser::take_private_key},
    {"ListenPort", Part::kInterface, Given::kOnce, &Parser::take_listen_port},
    {"FwMark", Part::kInterface, Given::kOnce, &Parser::take_fwmark},
    {"Address", Part::kInterface, Given::kAnyTimes, &Parser::take_addresses},
    {"DNS", Part::kInterface, Given::kAnyTimes, &Parser::take_dns},
    {"MTU", Part::kInterface, Given::kOnceOrEmpty, &Parser::take_mtu},
    {"Table", Part::kInterface, Given::kOnceOrEmpty, &Parser::take_table},
    {"PreUp", Part::kInterface, Given::kAnyTimes, &Parser::take_script},
    {"PostUp", Part::kInterface, Given::kAnyTimes, &Parser::take_script},
    {"PreDown", Part::kInterface, Given::kAnyTimes, &Parser::take_script},
    {"PostDown", Part::kInterface, Given::kAnyTimes, &Parser::take_script},
    {"SaveConfig", Part::kInterface, Given::kOnce, &Parser::take_save_config},
    {"PublicKey", Part::kPeer, Given::kOnce, &Parser::take_public_key},
    {"PresharedKey", Part::kPeer, Given::kOnce, &Parser::take_preshared_key},
    {"AllowedIPs", Part::kPeer, Given::kAnyTimes, &Parser::take_allowed_ips},
    {"Endpoint", Part::kPeer, Given::kOnce, &Parser::take_endpoint},
    {"PersistentKeepalive", Part::kPeer, Given::kOnce, &Parser::take_keepalive},
}};

// --- lines -----------------------------------------------------------------------------------------------------------

base::Result<WgQuickFile> Parser::parse(std::string_view text) {
  if (text.size() > kMaxWgQuickSize) {
    return base::fail(base::ErrorCode::kInvalid, fmt::format("{} is larger than {} MiB; that is no configuration",
                                                             report_.file(0), kMaxWgQuickSize >> 20));
  }
  text = without_byte_order_mark(text);
  if (const auto foreign = foreign_format(text); !foreign.empty())
    return base::fail(base::ErrorCode::kInvalid, fmt::format("{} {}", report_.file(0), foreign));
  while (!text.empty()) {
    ++line_;
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    take_line(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  end_part();
  if (interface_line_ == 0) {  // then nothing else that was found means anything
    return base::fail(base::ErrorCode::kInvalid,
                      report_.where({0, 1, 1}) + ":1: there is no [Interface] section; is this a file of wg-quick?");
  }
  if (report_.has_errors()) return base::fail(report_.take_error());
  return std::move(file_);
}

void Parser::take_line(std::string_view line) {
  const std::string_view stripped = line.substr(0, line.find('#'));
  const std::string_view content = trim(stripped);
  if (content.empty()) return;
  if (std::ranges::any_of(content, [](char character) {
        return std::iscntrl(static_cast<unsigned char>(character)) && character != '\t';
      })) {
    return error_at_line("the line holds a control character; take it out");
  }
  if (content.starts_with('[')) return begin_part(content);
  if (content.starts_with(';')) return error_at_line("a comment begins with # here, not with ;");
  const auto equals = stripped.find('=');
  if (equals == std::string_view::npos) {
    return error_at_line("the line is neither a section, as in [Peer], nor KEY = VALUE");
  }
  if (part_ == Part::kUnknown) return;  // told already
  if (part_ == Part::kNone) return error_at_line("the line stands before the first section; begin with [Interface]");

  const std::string_view name = trim(stripped.substr(0, equals));
  const std::string_view value = trim(stripped.substr(equals + 1));
  const auto known = std::ranges::find_if(kKnown, [&](const Key& key) { return same_word(key.name, name); });
  if (known == kKnown.end()) return take_unknown(name);
  key_ = known->name;
  value_ = value;
  place_ = {0, line_, static_cast<std::uint32_t>(1 + (value.empty() ? equals : value.data() - line.data()))};
  if (known->part != part_) {
    return error(fmt::format("does not belong into {}; move it to {}", part_name(),
                             part_ == Part::kPeer ? "[Interface]" : "a [Peer]"));
  }
  std::uint32_t& seen = seen_[static_cast<std::size_t>(known - kKnown.begin())];
  if (seen != 0 && known->given != Given::kAnyTimes) {
    return error(fmt::format("stands in line {} already; keep one of the two", seen));
  }
  seen = line_;
  if (value.empty() && known->given == Given::kOnce) return error("has no value; give it one or take the line out");
  if (!value.empty()) (this->*known->take)(value);
}

void Parser::begin_part(std::string_view header) {
  end_part();
  part_line_ = line_;
  seen_.fill(0);
  if (same_word(header, "[Peer]")) {
    part_ = Part::kPeer;
    peer_ = {};
  } else if (same_word(header, "[Interface]")) {
    part_ = Part::kInterface;
    if (interface_line_ != 0) {
      error_at_line(fmt::format("[Interface] stands in line {} already; there can be only one", interface_line_));
    }
    interface_line_ = line_;
  } else {
    part_ = Part::kUnknown;
    error_at_line("the section is not known; there are [Interface] and [Peer]");
  }
}

void Parser::end_part() {
  if (part_ != Part::kPeer) return;
  const auto key = std::ranges::find(kKnown, "PublicKey", &Key::name);
  if (seen_[static_cast<std::size_t>(key - kKnown.begin())] == 0) {
    report_.error({0, part_line_, 1}, {}, "this [Peer] has no PublicKey; give it one");
  }
  file_.peers.push_back(std::move(peer_));
}

void Parser::take_unknown(std::string_view key) {
  if (is_amnezia_key(key)) {
    if (!std::exchange(told_of_amnezia_, true))
      error_at_line("this is a tunnel of AmneziaWG, which plain WireGuard peers cannot speak");
    return;
  }
  if (!is_word(key)) return error_at_line("the line does not begin with a key that is known here");
  std::vector<std::string_view> known;
  for (const Key& each : kKnown) {
    if (each.part == part_) known.push_back(each.name);
  }
  report_.error({0, line_, 1}, key, fmt::format("is not known in {}; {}", part_name(), suggestion(key, known)));
}

void Parser::error(std::string_view text) {
  if (!may_hold_key(value_) || text.find('"') == std::string_view::npos) {
    return report_.error(place_, key_, text.substr(0, kMaxSentence));
  }
  report_.error(place_, key_, "cannot be read; it is not repeated here, as there may be a key in it");
}

// --- values ----------------------------------------------------------------------------------------------------------

std::optional<std::uint32_t> Parser::number(std::string_view value, std::uint32_t min, std::uint32_t max) {
  const auto parsed = parse_number(value, min, max, false);
  if (!parsed) error(fmt::format("must be a number, {} to {}", min, max));
  return parsed;
}

std::optional<base::Secret<crypto::kKeySize>> Parser::secret(std::string_view value) {
  auto parsed = crypto::parse_secret(value);
  if (!parsed) {
    error(parsed.error().message);
  } else if (parsed->equals({})) {
    error("is the key of zeros, which WireGuard takes for none; give another or take the line out");
  } else {
    return std::move(*parsed);
  }
  return std::nullopt;
}

template <class Take>
void Parser::each_element(std::string_view value, Take take) {
  constexpr std::string_view kSeparators = ", \t";
  while (!value.empty()) {
    const auto first = value.find_first_not_of(kSeparators);
    if (first == std::string_view::npos) return;
    const auto end = std::min(value.find_first_of(kSeparators, first), value.size());
    take(value.substr(first, end - first));
    value.remove_prefix(end);
  }
}

void Parser::take_private_key(std::string_view value) {
  if (auto key = secret(value)) file_.interface.private_key.emplace(std::move(*key));
}

void Parser::take_listen_port(std::string_view value) {
  if (const auto port = number(value, 0, std::numeric_limits<std::uint16_t>::max())) {
    file_.interface.listen_port = static_cast<std::uint16_t>(*port);
  }
}

void Parser::take_fwmark(std::string_view value) {
  if (same_word(value, kOff)) return;
  const auto mark = parse_number(value, 0, std::numeric_limits<std::uint32_t>::max(), true);
  if (!mark) return error("must be a number of 32 bits, hexadecimal behind 0x, or off");
  file_.interface.fwmark = *mark;
}

void Parser::take_addresses(std::string_view value) {
  each_element(value, [this](std::string_view text) {
    const auto address = model::InterfaceAddress::parse(text);
    if (!address) return error(address.error().message);
    auto& addresses = file_.interface.addresses;
    const auto same = std::ranges::find(addresses, address->address, &model::InterfaceAddress::address);
    if (same != addresses.end()) {
      return error(fmt::format("{} stands in line {} already; keep one of the two", address->address.to_string(),
                               file_.interface.address_lines[static_cast<std::size_t>(same - addresses.begin())]));
    }
    addresses.push_back(*address);
    file_.interface.address_lines.push_back(line_);
  });
}

void Parser::take_dns(std::string_view value) {
  each_element(value, [this](std::string_view text) {
    if (const auto server = model::IpAddress::parse(text)) {
      file_.interface.dns_servers.push_back(*server);
      return;
    }
    // What systemd-resolved takes: "~corp.example.net", and "~." for all.
    const std::string_view name = text.starts_with('~') ? text.substr(1) : text;
    const auto domain = model::HostPort::parse(name);
    const bool is_all = text == "~.";
    if (!is_all && (!domain || domain->port || domain->literal() || is_key_not_host(name))) {
      return error(fmt::format("\"{}\" is neither the address of a server nor a domain to search", text));
    }
    file_.interface.dns_search.emplace_back(text);
  });
}

void Parser::take_mtu(std::string_view value) {
  constexpr std::uint32_t kLeast = 68;  // RFC 791, section 3.2
  file_.interface.mtu = number(value, kLeast, std::numeric_limits<std::uint16_t>::max());
}

void Parser::take_table(std::string_view value) {
  file_.interface.table_line = line_;
  struct Named {
    std::string_view name;
    WgQuickTable table;
  };
  using Kind = WgQuickTable::Kind;
  // Those that every Linux has (linux/rtnetlink.h); others have their names from files of that host.
  constexpr std::array<Named, 5> kNamed{{{"auto", {Kind::kAuto}},
                                         {kOff, {Kind::kOff}},
                                         {"default", {Kind::kNumber, 253}},
                                         {"main", {Kind::kNumber, 254}},
                                         {"local", {Kind::kNumber, 255}}}};
  const auto named = std::ranges::find(kNamed, value, &Named::name);
  if (named != kNamed.end()) {
    file_.interface.table = named->table;
  } else if (const auto table = parse_number(value, 1, std::numeric_limits<std::uint32_t>::max(), true)) {
    file_.interface.table = {Kind::kNumber, *table};
  } else {
    error("must be auto, off, main or the number of a table; the names of others stand in /etc/iproute2/rt_tables");
  }
}

void Parser::take_save_config(std::string_view value) {
  if (!same_word(value, "true") && !same_word(value, "false")) return error("must be true or false");
  file_.interface.save_config = same_word(value, "true");
}

void Parser::take_public_key(std::string_view value) {
  const auto key = crypto::parse_public_key(value);
  if (!key) return error(key.error().message);
  peer_.public_key = *key;
  peer_.public_key_line = line_;
  const auto [found, is_new] = peer_lines_.emplace(*key, line_);
  if (!is_new)
    error(fmt::format("is the key of the peer in line {} already; make one [Peer] of the two", found->second));
}

void Parser::take_preshared_key(std::string_view value) {
  if (auto key = secret(value)) peer_.preshared_key.emplace(std::move(*key));
}

void Parser::take_allowed_ips(std::string_view value) {
  while (true) {
    const auto comma = value.find(',');
    const auto prefix = model::IpPrefix::parse(trim(value.substr(0, comma)));
    if (!prefix) return error(prefix.error().message);
    peer_.allowed_ips.push_back(*prefix);
    peer_.allowed_ips_lines.push_back(line_);
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void Parser::take_endpoint(std::string_view value) {
  // wg takes out all blanks.
  const auto colon = std::min(value.rfind(':'), value.size());
  const std::string port(trim(value.substr(std::min(colon + 1, value.size()))));
  const std::string text = std::string(trim(value.substr(0, colon))) + (colon < value.size() ? ":" + port : "");
  auto endpoint = model::HostPort::parse(text);
  if (!endpoint) return error(endpoint.error().message);
  if (!endpoint->port) return error("needs a port behind the host, as in example.net:51820");
  if (is_key_not_host(endpoint->host)) return error("names a key as its host; name the host");
  peer_.endpoint = std::move(*endpoint);
  peer_.endpoint_line = line_;
}

void Parser::take_keepalive(std::string_view value) {
  if (same_word(value, kOff)) return;
  if (const auto seconds = parse_number(value, 0, std::numeric_limits<std::uint16_t>::max(), false)) {
    peer_.persistent_keepalive = static_cast<std::uint16_t>(*seconds);
  } else {
    error("must be a number of seconds, 0 to 65535, or off");
  }
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

base::Result<WgQuickFile> parse_wg_quick(std::string_view text, const std::string& name) {
  return Parser(name).parse(text);
}

}  // namespace anubis::config
