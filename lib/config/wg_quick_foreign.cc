#include "lib/config/wg_quick_foreign.h"

#include <algorithm>
#include <cstddef>

#include "lib/config/wg_quick_text.h"

namespace anubis::config {
namespace {

constexpr std::string_view kBlanksAndReturn = " \t\r";

bool is_blank_or_comment(std::string_view line) {
  const auto first = line.find_first_not_of(kBlanksAndReturn);
  return first == std::string_view::npos || line[first] == '#' || line[first] == ';';
}

// The first line that says something.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!is_blank_or_comment(line)) return line.substr(line.find_first_not_of(kBlanksAndReturn));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

std::string foreign_format(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return "is in UTF-16; save it as UTF-8";
  const std::string_view line = first_line(text);
  if (line.starts_with("interface: ")) {
    return "is what `wg show` prints, without the private key; take the file of wg-quick, or what `wg showconf` "
           "prints, "
           "with the Address added";
  }
  if (line.starts_with("[NetDev]") || line.starts_with("[Network]")) {
    return "is a file of systemd-networkd, not of wg-quick; write its keys as wg-quick(8) has them";
  }
  if (line.starts_with("[connection]")) {
    return "is a file of NetworkManager, not of wg-quick; write its keys as wg-quick(8) has them";
  }
  return {};
}

bool is_amnezia_key(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"Jc", "Jmin", "Jmax", "S1", "S2", "S3", "S4", "H1", "H2", "H3",
                                               "H4", "I1",   "I2",   "I3", "I4", "I5", "J1", "J2", "J3", "Itime"};
  return std::ranges::any_of(kKeys, [key](std::string_view known) { return same_word(known, key); });
}

}  // namespace anubis::config
