// message_keys.json and side_addresses.json.
#include <algorithm>
#include <array>
#include <utility>

#include "lib/crypto/sealing.h"
#include "lib/crypto/side_address.h"
#include "lib/model/ip.h"
#include "tests/support/hex.h"
#include "tests/vectors/vectors.h"

namespace anubis::vectors {
namespace {

using crypto::kKeySize;
using crypto::ProductionPrivateKey;

Json make_case(std::string_view name, std::string_view a_text, std::string_view b_text,
               const crypto::PresharedKey* preshared, crypto::Suite suite = crypto::Suite::kXChaCha20Poly1305) {
  const ProductionPrivateKey a(secret_of(a_text));
  const ProductionPrivateKey b(secret_of(b_text));
  const auto keys = crypto::derive_message_keys(suite, a, a.public_key(), b.public_key(), preshared);
  return {{"name", name},
          {"suite", static_cast<std::uint8_t>(suite)},
          {"a_private_key", base64(a.view())},
          {"a_public_key", a.public_key().to_base64()},
          {"b_private_key", base64(b.view())},
          {"b_public_key", b.public_key().to_base64()},
          {"preshared_key", preshared != nullptr ? base64(preshared->view()) : ""},
          {"a_to_b", test::to_hex(keys.value().sending.view())},
          {"b_to_a", test::to_hex(keys.value().receiving.view())}};
}

}  // namespace

Json make_message_keys() {
  constexpr std::string_view kThird = "TEST ONLY third production key 3";
  const crypto::PresharedKey preshared(secret_of(kPreshared));
  const crypto::PresharedKey zeros{base::Secret<kKeySize>()};
  Json json{
      {"section", "3.2"}, {"keys", Json::array()}, {"unusable", Json::array()}, {"preshared_key_ids", Json::array()}};
  json["keys"] = {
      make_case("xena and jacinth", kXenaProduction, kJacinthProduction, nullptr),
      make_case("the same, from the other end", kJacinthProduction, kXenaProduction, nullptr),
      make_case("xena and a third", kXenaProduction, kThird, nullptr),
      make_case("with a preshared key", kXenaProduction, kJacinthProduction, &preshared),
      make_case("with a preshared key of zeros", kXenaProduction, kJacinthProduction, &zeros),
      make_case("of suite 2", kXenaProduction, kJacinthProduction, nullptr, crypto::Suite{2}),
      make_case("of suite 2, with a preshared key", kXenaProduction, kJacinthProduction, &preshared, crypto::Suite{2})};

  const std::array<std::pair<const char*, const char*>, 10> unusable{
      {{"zero", "0000000000000000000000000000000000000000000000000000000000000000"},
       {"one", "0100000000000000000000000000000000000000000000000000000000000000"},
       {"order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
       {"order 8, the other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
       {"p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
       {"p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
       {"p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
       {"zero with the top bit", "0000000000000000000000000000000000000000000000000000000000000080"},
       {"not canonical: p + 9", "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
       {"not canonical: 9 with the top bit", "0900000000000000000000000000000000000000000000000000000000000080"}}};
  for (const auto& [name, digits] : unusable) {
    json["unusable"].push_back({{"name", name}, {"public_key", base64(test::hex_array<kKeySize>(digits))}});
  }
  for (const std::string_view text : {kPreshared, kThird}) {
    const crypto::WireGuardPresharedKey key(secret_of(text));
    json["preshared_key_ids"].push_back(
        {{"preshared_key", test::to_hex(key.view())}, {"id", test::to_hex(crypto::id_of(key))}});
  }
  return json;
}

Json make_side_addresses() {
  Json json{{"section", "2.2"}, {"addresses", Json::array()}};
  const auto add = [&json](std::string_view name, std::string_view text, std::array<std::uint8_t, 2> prefix) {
    const auto key = crypto::SidePrivateKey(secret_of(text)).public_key();
    const auto address = crypto::derive_side_address(key, prefix);
    json["addresses"].push_back({{"name", name},
                                 {"side_public_key", key.to_base64()},
                                 {"prefix", test::to_hex(prefix)},
                                 {"address", model::IpAddress::v6(address).to_string()}});
  };
  add("xena", kXenaSide, crypto::kDefaultSidePrefix);
  add("jacinth", kJacinthSide, crypto::kDefaultSidePrefix);
  add("jacinth, another prefix", kJacinthSide, {0xfd, 0x12});
  return json;
}

}  // namespace anubis::vectors
