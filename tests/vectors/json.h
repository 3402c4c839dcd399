// How values are written in the vectors: bytes in hexadecimal, WireGuard's keys in base64, enumerations as numbers.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "lib/crypto/keys.h"
#include "lib/wire/message.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::vectors {

using Json = nlohmann::ordered_json;

// Two hosts, whose keys nobody can take for real ones.
constexpr std::string_view kXenaProduction = "TEST ONLY xena production key 01";
constexpr std::string_view kXenaSide = "TEST ONLY xena side key 00000001";
constexpr std::string_view kJacinthProduction = "TEST ONLY jacinth production key";
constexpr std::string_view kJacinthSide = "TEST ONLY jacinth side key 00001";
constexpr std::string_view kPreshared = "TEST ONLY preshared key 00000001";

// text has kKeySize bytes.
[[nodiscard]] base::Secret<crypto::kKeySize> secret_of(std::string_view text);
[[nodiscard]] std::string base64(std::span<const std::uint8_t, crypto::kKeySize> bytes);

[[nodiscard]] Json to_json(const wire::Request& request);
[[nodiscard]] Json to_json(const wire::Reply& reply);
[[nodiscard]] Json to_json(const wire::Header& header);
[[nodiscard]] wire::Request request_from(const Json& json);
[[nodiscard]] wire::Reply reply_from(const Json& json);
[[nodiscard]] wire::Header header_from(const Json& json);

}  // namespace anubis::vectors
