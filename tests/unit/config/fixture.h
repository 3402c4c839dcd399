// A host "xena" with its keys, to whose configuration the tests add what they are about.
#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/config/config.h"
#include "tests/unit/config/folder.h"

namespace anubis::config {

// The numbers of xena's own keys.
constexpr unsigned kOwnProduction = 100;
constexpr unsigned kOwnSide = 101;

// The base64 of private key `number`, and of the public key that belongs to it.
[[nodiscard]] std::string private_key(unsigned number);
[[nodiscard]] std::string public_key(unsigned number);

// With KEY1 replaced by public_key(1), and so on.
[[nodiscard]] std::string with_keys(std::string_view text);

// Eight lines that are valid alone; what follows begins on line 9.
constexpr std::string_view kXena = R"(name = "xena"

[production]
private_key_file = "xena.key"

[side]
private_key_file = "xena-side.key"

)";

class ConfigTest : public testing::Test {
 protected:
  ConfigTest();

  // Writes the text, keys replaced, as anubis.toml and loads it.
  base::Result<Config> load_text(std::string_view text);
  base::Result<Config> load_xena_and(std::string_view rest) { return load_text(std::string(kXena).append(rest)); }
  // The error of that, without the folder's path; "" when there is none.
  std::string error_of(std::string_view text);
  std::string error_of_xena_and(std::string_view rest) { return error_of(std::string(kXena).append(rest)); }

  Folder folder_;
};

}  // namespace anubis::config
