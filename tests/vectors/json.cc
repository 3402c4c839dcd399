#include "tests/vectors/json.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "tests/support/hex.h"

namespace anubis::vectors {
namespace {

using crypto::kKeySize;

crypto::ProductionPublicKey key_from(const std::string& text) {
  // Not parse_public_key: a vector may carry what that refuses.
  const auto bytes = crypto::parse_secret(text);
  if (!bytes) throw std::invalid_argument(text);
  crypto::ProductionPublicKey key;
  std::ranges::copy(bytes->view(), key.bytes.begin());
  return key;
}

template <class Enum>
Enum enum_from(const Json& number) {
  return static_cast<Enum>(number.get<std::uint8_t>());
}

Json to_json(const std::vector<crypto::Suite>& suites) {
  Json numbers = Json::array();
  for (const crypto::Suite suite : suites) numbers.push_back(static_cast<std::uint8_t>(suite));
  return numbers;
}

std::vector<crypto::Suite> suites_from(const Json& numbers) {
  std::vector<crypto::Suite> suites;
  for (const Json& number : numbers) suites.push_back(enum_from<crypto::Suite>(number));
  return suites;
}

}  // namespace

base::Secret<kKeySize> secret_of(std::string_view text) {
  if (text.size() != kKeySize) throw std::invalid_argument("a key has 32 bytes");
  base::Secret<kKeySize> secret;
  std::ranges::copy(text, secret.writable().begin());
  return secret;
}

std::string base64(std::span<const std::uint8_t, kKeySize> bytes) {
  crypto::PublicKey key;
  std::ranges::copy(bytes, key.bytes.begin());
  return key.to_base64();
}

std::string to_hex(const std::vector<wire::HeldClient>& clients) {
  std::string hex;
  for (const wire::HeldClient& each : clients) {
    hex += test::to_hex(each.public_key.bytes) + fmt::format("{:016x}", each.up_for.count());
  }
  return hex;
}

std::string to_hex(const std::vector<crypto::ProductionPublicKey>& keys) {
  std::string hex;
  for (const auto& key : keys) hex += test::to_hex(key.bytes);
  return hex;
}

Json to_json(const wire::Request& request) {
  return {{"operation", static_cast<std::uint8_t>(request.operation)},
          {"token", request.token ? test::to_hex(*request.token) : ""},
          {"suites", to_json(request.suites)},
          {"listen_port", request.listen_port},
          {"lease_seconds", request.lease.count()},
          {"successor", request.successor ? request.successor->to_base64() : ""},
          {"responder_initiates", request.responder_initiates ? 1 : 0},
          {"preshared_key", request.preshared_key ? test::to_hex(request.preshared_key->view()) : ""},
          {"for_good", request.for_good ? 1 : 0},
          {"held", to_hex(request.clients.held)},
          {"released", to_hex(request.clients.released)},
          {"afresh", request.clients.afresh ? 1 : 0},
          {"asks", request.clients.asks ? 1 : 0}};
}

Json to_json(const wire::Reply& reply) {
  return {{"result", static_cast<std::uint8_t>(reply.result)},
          {"text", reply.text},
          {"token", test::to_hex(reply.token)},
          {"listen_port", reply.listen_port},
          {"peer_presence", static_cast<std::uint8_t>(reply.presence)},
          {"lease_seconds", reply.lease.count()},
          {"state", static_cast<std::uint8_t>(reply.state)},
          {"up_seconds", reply.up_for.count()},
          {"responder_name", reply.responder_name},
          {"peer_name", reply.peer_name},
          {"preshared_key_id", reply.preshared_key_id ? test::to_hex(*reply.preshared_key_id) : ""},
          {"suites", to_json(reply.suites)}};
}

Json to_json(const wire::Header& header) {
  return {{"type", static_cast<std::uint8_t>(header.type)},
          {"suite", static_cast<std::uint8_t>(header.suite)},
          {"request_id", test::to_hex(header.request_id)},
          {"sender", header.sender.to_base64()},
          {"nonce", test::to_hex(header.nonce)}};
}

wire::Request request_from(const Json& json) {
  wire::Request request;
  request.operation = enum_from<wire::Operation>(json.at("operation"));
  const auto& token = json.at("token").get_ref<const std::string&>();
  if (!token.empty()) request.token = test::hex_array<wire::Token{}.size()>(token);
  request.suites = suites_from(json.at("suites"));
  request.listen_port = json.at("listen_port");
  request.lease = std::chrono::seconds(json.at("lease_seconds").get<std::int64_t>());
  const auto& successor = json.at("successor").get_ref<const std::string&>();
  if (!successor.empty()) request.successor = key_from(successor);
  request.responder_initiates = json.at("responder_initiates") == 1;
  const auto& preshared_key = json.at("preshared_key").get_ref<const std::string&>();
  if (!preshared_key.empty()) {
    base::Secret<crypto::kKeySize> secret;
    std::ranges::copy(test::hex_array<crypto::kKeySize>(preshared_key), secret.writable().begin());
    request.preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
  }
  request.for_good = json.at("for_good") == 1;
  const auto held = test::hex(json.at("held").get_ref<const std::string&>());
  for (std::size_t at = 0; at < held.size(); at += 40) {
    wire::HeldClient& each = request.clients.held.emplace_back();
    std::copy_n(&held[at], crypto::kKeySize, each.public_key.bytes.begin());
    std::uint64_t age = 0;
    for (std::size_t i = 32; i < 40; ++i) age = age << 8 | held[at + i];
    each.up_for = std::chrono::milliseconds(age);
  }
  const auto released = test::hex(json.at("released").get_ref<const std::string&>());
  for (std::size_t at = 0; at < released.size(); at += 32) {
    std::copy_n(&released[at], crypto::kKeySize, request.clients.released.emplace_back().bytes.begin());
  }
  request.clients.afresh = json.at("afresh") == 1;
  request.clients.asks = json.at("asks") == 1;
  return request;
}

wire::Reply reply_from(const Json& json) {
  wire::Reply reply;
  reply.result = enum_from<wire::ResultCode>(json.at("result"));
  reply.text = json.at("text");
  reply.token = test::hex_array<wire::Token{}.size()>(json.at("token").get_ref<const std::string&>());
  reply.listen_port = json.at("listen_port");
  reply.presence = enum_from<wire::PeerPresence>(json.at("peer_presence"));
  reply.lease = std::chrono::seconds(json.at("lease_seconds").get<std::int64_t>());
  reply.state = enum_from<wire::SessionState>(json.at("state"));
  reply.up_for = std::chrono::seconds(json.at("up_seconds").get<std::int64_t>());
  reply.responder_name = json.at("responder_name").get<std::string>();
  reply.peer_name = json.at("peer_name").get<std::string>();
  const auto& id = json.at("preshared_key_id").get_ref<const std::string&>();
  if (!id.empty()) reply.preshared_key_id = test::hex_array<crypto::PresharedKeyId{}.size()>(id);
  reply.suites = suites_from(json.at("suites"));
  return reply;
}

wire::Header header_from(const Json& json) {
  wire::Header header;
  header.type = enum_from<wire::MessageType>(json.at("type"));
  header.suite = enum_from<crypto::Suite>(json.at("suite"));
  header.request_id = test::hex_array<wire::RequestId{}.size()>(json.at("request_id").get_ref<const std::string&>());
  header.sender = key_from(json.at("sender"));
  header.nonce = test::hex_array<crypto::kNonceSize>(json.at("nonce").get_ref<const std::string&>());
  return header;
}

}  // namespace anubis::vectors
