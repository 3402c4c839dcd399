// The checked-in vectors hold the library to docs/protocol.md, in both directions.
#include "tests/vectors/vectors.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/invitation.h"
#include "lib/crypto/sealing.h"
#include "lib/crypto/side_address.h"
#include "lib/model/ip.h"
#include "tests/support/hex.h"

namespace anubis::vectors {
namespace {

using testing::ElementsAreArray;

using crypto::kKeySize;
using test::hex;
using test::to_hex;

std::string read_text(const std::string& name) {
  std::ifstream file(std::string(VECTORS_DIR "/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json read(const std::string& name) { return Json::parse(read_text(name)); }

base::Secret<kKeySize> key_of(const Json& digits) {
  base::Secret<kKeySize> key;
  std::ranges::copy(test::hex_array<kKeySize>(digits.get<std::string>()), key.writable().begin());
  return key;
}

std::vector<std::uint8_t> bytes_of(const Json& digits) { return hex(digits.get<std::string>()); }

// Those of a suite that needs hardware which is not there can be neither made nor checked.
bool can_use_aes256gcm() {
  crypto::initialise();
  return crypto::is_available(crypto::Suite{2});
}

TEST(Vectors, AreWhatTheGeneratorMakes) {
  crypto::initialise();
  for (const auto& [name, text] : make_files()) {
    EXPECT_TRUE(read_text(name) == text) << name << " differs: run vectors_generate";
  }
}

// Section 3.2.
TEST(Vectors, MessageKeys) {
  const Json json = read("message_keys.json");
  ASSERT_FALSE(json.at("keys").empty());
  for (const Json& entry : json.at("keys")) {
    const auto private_key = [&entry](const char* of) {
      return crypto::ProductionPrivateKey(crypto::parse_secret(entry.at(of).get<std::string>()).value());
    };
    const auto a = private_key("a_private_key");
    const auto b = private_key("b_private_key");
    EXPECT_EQ(a.public_key().to_base64(), entry.at("a_public_key"));
    EXPECT_EQ(b.public_key().to_base64(), entry.at("b_public_key"));
    std::optional<crypto::PresharedKey> preshared;
    if (entry.at("preshared_key") != "") {
      preshared.emplace(crypto::parse_secret(entry.at("preshared_key").get<std::string>()).value());
    }
    const auto* psk = preshared ? &*preshared : nullptr;
    const auto suite = static_cast<crypto::Suite>(entry.at("suite").get<std::uint8_t>());
    const auto as = crypto::derive_message_keys(suite, a, a.public_key(), b.public_key(), psk);
    const auto bs = crypto::derive_message_keys(suite, b, b.public_key(), a.public_key(), psk);
    ASSERT_TRUE(as && bs);
    EXPECT_EQ(to_hex(as->sending.view()), entry.at("a_to_b")) << entry.at("name");
    EXPECT_EQ(to_hex(as->receiving.view()), entry.at("b_to_a")) << entry.at("name");
    EXPECT_EQ(to_hex(bs->sending.view()), entry.at("b_to_a")) << entry.at("name");
    EXPECT_EQ(to_hex(bs->receiving.view()), entry.at("a_to_b")) << entry.at("name");
  }
  ASSERT_FALSE(json.at("unusable").empty());
  for (const Json& entry : json.at("unusable")) {
    EXPECT_FALSE(crypto::parse_public_key(entry.at("public_key").get<std::string>())) << entry.at("name");
  }
}

// Section 2.2.
TEST(Vectors, SideAddresses) {
  const Json json = read("side_addresses.json");
  ASSERT_FALSE(json.at("addresses").empty());
  for (const Json& entry : json.at("addresses")) {
    const auto key = crypto::parse_public_key(entry.at("side_public_key").get<std::string>());
    ASSERT_TRUE(key);
    const auto prefix = test::hex_array<2>(entry.at("prefix").get<std::string>());
    const auto address = crypto::derive_side_address(crypto::SidePublicKey(*key), prefix);
    EXPECT_EQ(model::IpAddress::v6(address).to_string(), entry.at("address"));
  }
}

void check_messages(const Json& json) {
  ASSERT_FALSE(json.at("messages").empty());
  for (const Json& entry : json.at("messages")) {
    SCOPED_TRACE(entry.at("name"));
    const auto key = key_of(entry.at("key"));
    const auto payload = bytes_of(entry.at("payload"));
    const auto datagram = bytes_of(entry.at("datagram"));
    const auto header = header_from(entry.at("header"));
    EXPECT_EQ(wire::seal_message(header, key, payload, entry.at("size")), datagram);
    EXPECT_EQ(wire::decode_header(datagram), header);
    EXPECT_THAT(*wire::open_message(header, key, datagram), ElementsAreArray(payload));
    if (header.type == wire::MessageType::kRequest) {
      const auto request = request_from(entry.at("request"));
      EXPECT_EQ(wire::consume_request(payload), request);
      EXPECT_THAT(wire::create_request(request), ElementsAreArray(payload));
    } else {
      const auto reply = reply_from(entry.at("reply"));
      EXPECT_EQ(wire::consume_reply(payload), reply);
      EXPECT_EQ(wire::create_reply(reply, datagram.size()), payload);
    }
  }
}

// Sections 4.1, 4.2, 5.3 and 5.4.
TEST(Vectors, Messages) { check_messages(read("messages.json")); }

// Section 3.3.
TEST(Vectors, MessagesOfTheSecondSuite) {
  if (!can_use_aes256gcm()) GTEST_SKIP() << "this hardware has no AES";
  check_messages(read("aes256gcm.json"));
}

// Section 9.4.
TEST(Vectors, PresharedKeyIds) {
  const Json json = read("message_keys.json");
  ASSERT_FALSE(json.at("preshared_key_ids").empty());
  for (const Json& entry : json.at("preshared_key_ids")) {
    base::Secret<crypto::kKeySize> secret;
    std::ranges::copy(bytes_of(entry.at("preshared_key")), secret.writable().begin());
    EXPECT_EQ(test::to_hex(crypto::id_of(crypto::WireGuardPresharedKey(std::move(secret)))), entry.at("id"));
  }
}

void check_dropped(const Json& json) {
  ASSERT_FALSE(json.at("dropped").empty());
  for (const Json& entry : json.at("dropped")) {
    SCOPED_TRACE(entry.at("name"));
    const auto datagram = bytes_of(entry.at("datagram"));
    const auto header = wire::decode_header(datagram);
    if (!header) {
      EXPECT_EQ(wire::name_of(header.error()), entry.at("reason"));
      continue;
    }
    const auto payload = wire::open_message(*header, key_of(entry.at("key")), datagram);
    ASSERT_FALSE(payload);
    EXPECT_EQ(wire::name_of(payload.error()), entry.at("reason"));
  }
}

// Section 4.3.
TEST(Vectors, Dropped) { check_dropped(read("dropped.json")); }

TEST(Vectors, DroppedOfTheSecondSuite) {
  if (!can_use_aes256gcm()) GTEST_SKIP() << "this hardware has no AES";
  check_dropped(read("aes256gcm.json"));
}

// Sections 5.2 and 5.3.
TEST(Vectors, RequestPayloads) {
  const Json json = read("payloads.json");
  ASSERT_FALSE(json.at("requests").empty());
  for (const Json& entry : json.at("requests")) {
    SCOPED_TRACE(entry.at("name"));
    const auto request = wire::consume_request(bytes_of(entry.at("payload")));
    if (entry.contains("request")) {
      EXPECT_EQ(request, request_from(entry.at("request")));
    } else {
      ASSERT_FALSE(request);
      const bool is_malformed = request.error().kind == wire::RequestFault::Kind::kMalformed;
      EXPECT_EQ(is_malformed ? "BAD_REQUEST" : "VERSION", entry.at("fault"));
    }
  }
}

// Section 13.
TEST(Vectors, Enrolments) {
  const Json json = read("enrolments.json");
  ASSERT_FALSE(json.at("enrolments").empty());
  for (const Json& entry : json.at("enrolments")) {
    SCOPED_TRACE(entry.at("name"));
    const crypto::InvitationSecret secret(key_of(entry.at("secret")));
    EXPECT_EQ(crypto::derive_side_key(secret).public_key().to_base64(), entry.at("one_time_side_public_key"));
    EXPECT_EQ(crypto::derive_production_key(secret).public_key().to_base64(), entry.at("one_time_public_key"));
    const auto proof_key = crypto::parse_proof_key(entry.at("proof_public_key").get<std::string>());
    ASSERT_TRUE(proof_key);
    EXPECT_EQ(crypto::derive_proof_key(secret), *proof_key);
    const auto request = wire::consume_request(bytes_of(entry.at("payload")));
    ASSERT_TRUE(request && request->enrolment);
    const wire::Enrolment& enrolment = *request->enrolment;
    EXPECT_EQ(enrolment.public_key.to_base64(), entry.at("public_key"));
    EXPECT_EQ(enrolment.side_public_key.to_base64(), entry.at("side_public_key"));
    EXPECT_EQ(to_hex(enrolment.proof), entry.at("proof"));
    const std::string host = entry.at("host");
    EXPECT_TRUE(crypto::verify(*proof_key, {host, enrolment.public_key, enrolment.side_public_key}, enrolment.proof));
    EXPECT_FALSE(
        crypto::verify(*proof_key, {host + "x", enrolment.public_key, enrolment.side_public_key}, enrolment.proof));
  }
}

// Sections 5.2 and 5.4.
TEST(Vectors, ReplyPayloads) {
  const Json json = read("payloads.json");
  ASSERT_FALSE(json.at("replies").empty());
  for (const Json& entry : json.at("replies")) {
    SCOPED_TRACE(entry.at("name"));
    const auto reply = wire::consume_reply(bytes_of(entry.at("payload")));
    if (!entry.contains("reply")) {
      EXPECT_FALSE(reply);
      continue;
    }
    ASSERT_TRUE(reply);
    if (entry.at("reply").at("result") > 10) {  // of a later version: told in the text
      EXPECT_EQ(reply->result, wire::ResultCode::kInternal);
      EXPECT_THAT(reply->text, testing::HasSubstr(entry.at("reply").at("result").dump()));
      EXPECT_THAT(reply->text, testing::EndsWith(entry.at("reply").at("text").get<std::string>()));
    } else {
      EXPECT_EQ(*reply, reply_from(entry.at("reply")));
    }
  }
}

}  // namespace
}  // namespace anubis::vectors
