// The test vectors of docs/protocol.md, section 12, as this library makes them. Whatever is an expectation is written
// down here by hand where it can be; what only a computation gives (keys, seals) is held against check.py.
#pragma once

#include <map>
#include <string>

#include "tests/vectors/json.h"

namespace anubis::vectors {

[[nodiscard]] Json make_message_keys();
[[nodiscard]] Json make_side_addresses();
[[nodiscard]] Json make_messages();
[[nodiscard]] Json make_dropped();
[[nodiscard]] Json make_payloads();
[[nodiscard]] Json make_enrolments();
[[nodiscard]] Json make_aes256gcm();  // the hardware must have AES

// By file name: the text of every file that can be made on this hardware.
[[nodiscard]] inline std::map<std::string, std::string> make_files() {
  const auto text = [](const Json& json) { return json.dump(2) + "\n"; };
  std::map<std::string, std::string> files{
      {"message_keys.json", text(make_message_keys())}, {"side_addresses.json", text(make_side_addresses())},
      {"messages.json", text(make_messages())},         {"dropped.json", text(make_dropped())},
      {"payloads.json", text(make_payloads())},         {"enrolments.json", text(make_enrolments())}};
  if (crypto::is_available(crypto::Suite{2})) files["aes256gcm.json"] = text(make_aes256gcm());
  return files;
}

}  // namespace anubis::vectors
