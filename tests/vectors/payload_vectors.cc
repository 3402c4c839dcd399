// payloads.json. The bytes are written by hand, and so is what is expected of them.
#include <algorithm>
#include <numeric>
#include <string_view>

#include "tests/support/hex.h"
#include "tests/vectors/vectors.h"

namespace anubis::vectors {
namespace {

// Protobuf: the tag of field n with wire type w is 8·n + w.
constexpr std::string_view kUp = "0801";
constexpr std::string_view kToken =
    "303132333435363738396162636465"
    "66";
constexpr std::string_view kNineBytes = "808080808080808080";  // nine bytes of a varint that goes on

Json request_json() {
  return {{"operation", 1},     {"token", ""},     {"suites", Json::array()},  {"listen_port", 0},
          {"lease_seconds", 0}, {"successor", ""}, {"responder_initiates", 0}, {"preshared_key", ""},
          {"for_good", 0},      {"held", ""},      {"released", ""},           {"afresh", 0},
          {"asks", 0}};
}

Json reply_json() {
  return {
      {"result", 1},          {"text", ""},     {"token", kToken}, {"listen_port", 0},       {"peer_presence", 0},
      {"lease_seconds", 0},   {"state", 1},     {"up_seconds", 0}, {"preshared_key_id", ""}, {"suites", Json::array()},
      {"responder_name", ""}, {"peer_name", ""}};
}

std::string join(std::initializer_list<std::string_view> parts) {
  std::string whole;
  for (const auto part : parts) whole += part;
  return whole;
}

class Cases {
 public:
  explicit Cases(const char* kind, Json base) : kind_(kind), base_(std::move(base)) {}

  // The base with these fields instead of its own.
  void good(std::string_view name, std::string payload, const Json& fields = Json::object()) {
    Json value = base_;
    value.update(fields);
    cases_.push_back({{"name", name}, {"payload", std::move(payload)}, {kind_, std::move(value)}});
  }
  void bad(std::string_view name, std::string payload, const char* fault) {
    cases_.push_back({{"name", name}, {"payload", std::move(payload)}, {"fault", fault}});
  }
  [[nodiscard]] Json take() { return std::move(cases_); }

 private:
  const char* kind_;
  Json base_;
  Json cases_ = Json::array();
};

std::string repeated(std::string_view text, std::size_t count) {
  std::string whole;
  for (std::size_t i = 0; i < count; ++i) whole += text;
  return whole;
}

Json make_requests() {
  constexpr auto kBad = "BAD_REQUEST";
  constexpr auto kVersion = "VERSION";
  Cases cases("request", request_json());
  const auto up = [](const auto&... parts) { return join({kUp, parts...}); };
  const std::string key = test::to_hex(std::vector<std::uint8_t>(32, 0x4b));

  cases.good("the least", up());
  cases.good("everything",
             join({"0804", "1210", kToken, "1a0101", "20c821", "28a038", "3220", key, "3801", "4220", key}),
             {{"operation", 4},
              {"token", kToken},
              {"suites", {1}},
              {"listen_port", 4296},
              {"lease_seconds", 7200},
              {"successor", base64(test::hex_array<32>(key))},
              {"responder_initiates", 1},
              {"preshared_key", key}});
  cases.good("of a companion", up("1210", kToken, "1a0101"), {{"token", kToken}, {"suites", {1}}});
  cases.good("clients, and a bye's field that means nothing here",
             join({"0806", "4801", "5228", key, "0000000000000bb8", "5a20", key, "6001", "6801"}),
             {{"operation", 6},
              {"for_good", 1},
              {"held", key + "0000000000000bb8"},
              {"released", key},
              {"afresh", 1},
              {"asks", 1}});
  cases.good("clients: none", "0806", {{"operation", 6}});
  cases.good("a client that has been up for the longest time", join({"0806", "5228", key, "0001000000000000"}),
             {{"operation", 6}, {"held", key + "0001000000000000"}});
  cases.good("in another order", join({"20c821", "1a0101", "0805"}),
             {{"operation", 5}, {"suites", {1}}, {"listen_port", 4296}});
  cases.good("the last of several counts", up("20c821", "0802", "2001"), {{"operation", 2}, {"listen_port", 1}});
  cases.good("zero and empty count as absent", up("1200", "1a00", "2000", "2800", "3200", "3800"));
  cases.good("a number that is longer than it need be", join({"08",
                                                              "8180808080808080"
                                                              "8000"}));
  cases.good("unknown fields of every wire type", up("7805",
                                                     "79"
                                                     "3132333435363738",
                                                     "7a0378797a",
                                                     "7d"
                                                     "31323334"));
  cases.good("the greatest field number", up("f8ffffff0f01"));
  cases.good("an unknown field with the greatest number", up("78", "ffffffffffffffffff01"));
  cases.good("suites: one by one", up("1801"), {{"suites", {1}}});
  cases.good("suites: unknown ones, and one that comes twice", up("1a0407010201"), {{"suites", {1, 2}}});
  cases.good("suites: only unknown ones", up("1a050003810207"));
  cases.good("the greatest port", up("20ffff03"), {{"listen_port", 65535}});
  cases.good("the longest lease", up("288086b09601"), {{"lease_seconds", 315360000}});

  cases.bad("nothing", "", kBad);
  cases.bad("operation 0", "0800", kBad);
  cases.bad("no operation", "20c821", kBad);
  cases.bad("operation 127", "087f", kVersion);
  cases.bad("operation 257", "088102", kVersion);
  cases.bad("operation 2^32 + 1", "088180808010", kVersion);
  cases.bad("operation 127 with a field that would be out of range",
            "087f"
            "20ffffffff0f",
            kVersion);
  cases.bad("operation 127, but malformed",
            "087f"
            "20",
            kBad);
  cases.bad("a token of 15 bytes", up("120f", kToken.substr(2)), kBad);
  cases.bad("a token of 17 bytes", up("1211", kToken, "00"), kBad);
  cases.bad("port 65536", up("20808004"), kBad);
  cases.bad("port 2^32 + 1", up("208180808010"), kBad);
  cases.bad("port 2^63", up("20", kNineBytes, "01"), kBad);
  cases.bad("a lease one second too long", up("288186b09601"), kBad);
  cases.bad("a successor of 31 bytes", up("321f", std::string_view(key).substr(2)), kBad);
  cases.bad("a successor of 33 bytes", up("3221", key, "00"), kBad);
  cases.bad("a preshared key of 31 bytes", up("421f", key.substr(2)), kBad);
  cases.bad("a preshared key of zeros", up("4220", std::string(64, '0')), kBad);
  cases.bad("the preshared key as a number", up("4001"), kBad);
  cases.bad("a held client of 39 bytes", join({"0806", "5227", key, "00000000000bb8"}), kBad);
  cases.bad("a client that has been up for too long", join({"0806", "5228", key, "0001000000000001"}), kBad);
  cases.bad("a released client of 31 bytes", join({"0806", "5a1f", std::string_view(key).substr(2)}), kBad);
  cases.bad("afresh 2", "08066002", kBad);
  cases.bad("asks 2", "08066802", kBad);
  cases.bad("for_good 2", up("4802"), kBad);
  cases.bad("responder_initiates 2", up("3802"), kBad);
  cases.bad("a tag that is cut off", up("80"), kBad);
  cases.bad("a tag without its value", up("20"), kBad);
  cases.bad("a tag of six bytes", up("f8808080800001"), kBad);
  cases.bad("field number 0", up("0001"), kBad);
  cases.bad("field number 2^29", up("f8ffffff1f01"), kBad);
  cases.bad("a varint that is cut off", up("20", kNineBytes), kBad);
  cases.bad("a varint of 2^64", up("78", kNineBytes, "02"), kBad);
  cases.bad("a varint of eleven bytes", up("78", kNineBytes, "8000"), kBad);
  cases.bad("a length one too long", up("120530313233"), kBad);
  cases.bad("a length of 2^31 - 1", up("12ffffffff07"), kBad);
  cases.bad("a length of 2^31", up("128080808008"), kBad);
  cases.bad("a length of 2^64 - 1", up("12ffffffffffffffffff01"), kBad);
  cases.bad("a length of 2^31 in an unknown field", up("7a8080808008"), kBad);
  cases.bad("a length of six bytes", up("7a808080808000"), kBad);
  cases.bad("packed suites that are cut off", up("1a0180"), kBad);
  cases.bad("a packed suite of 2^64", up("1a0a", kNineBytes, "02"), kBad);
  cases.bad("eight bytes that are cut off",
            up("79"
               "31323334353637"),
            kBad);
  cases.bad("four bytes that are cut off",
            up("7d"
               "313233"),
            kBad);
  cases.bad("a group", up("7b7c"), kBad);
  cases.bad("a hundred groups, one in the other", up(repeated("7b", 100), repeated("7c", 100)), kBad);
  cases.bad("wire type 6", up("7e"), kBad);
  cases.bad("the operation as bytes", "0a0101", kBad);
  cases.bad("the token as a number", up("1001"), kBad);
  cases.bad("the suites as four bytes",
            up("1d"
               "01000000"),
            kBad);
  cases.bad("the port as bytes",
            up("2201"
               "01"),
            kBad);
  cases.bad("the lease as eight bytes",
            up("29"
               "0100000000000000"),
            kBad);
  cases.bad("the successor as a number", up("3001"), kBad);
  return cases.take();
}

Json make_replies() {
  constexpr auto kBad = "malformed";
  Cases cases("reply", reply_json());
  const std::string least = join({"0801", "1a10", kToken, "3801"});
  const auto with = [&least](auto... parts) { return join({least, parts...}); };

  cases.good("the least", least);
  cases.good(
      "everything",
      with("0804", "120568656c6c6f", "20c821", "2802", "30a038", "3805", "40ffffffff0f", "4a10", kToken, "52020201"),
      {{"result", 4},
       {"text", "hello"},
       {"listen_port", 4296},
       {"peer_presence", 2},
       {"lease_seconds", 7200},
       {"state", 5},
       {"up_seconds", 4294967295},
       {"preshared_key_id", kToken},
       {"suites", {2, 1}}});
  cases.good("to a companion", with("5a076a6163696e7468", "620573656c656e"),
             {{"responder_name", "jacinth"}, {"peer_name", "selen"}});
  cases.good("suites one by one, repeated and unknown", with("5001", "5002", "5001", "5063"), {{"suites", {1, 2}}});
  cases.good("unknown fields", with("7805", "7a0378797a"));
  cases.good("a text with control characters",
             with("1207"
                  "61"
                  "1b"
                  "0a"
                  "00"
                  "7f"
                  "c285"),
             {{"text", "a??????"}});
  cases.good("a text that is not UTF-8",
             with("1208"
                  "ff"
                  "c3a9"
                  "c0af"
                  "eda080"),
             {{"text", "?é?????"}});
  cases.good("a text that ends within a character",
             with("1204"
                  "61"
                  "f09f98"),
             {{"text", "a???"}});
  cases.good("a result of a later version",
             with("082a",
                  "120268"
                  "69"),
             {{"result", 42}, {"text", "hi"}});

  cases.bad("nothing", "", kBad);
  cases.bad("no result", with("0800"), kBad);
  cases.bad("no token", with("1a00"), kBad);
  cases.bad("a token of 17 bytes", with("1a11", kToken, "00"), kBad);
  cases.bad("port 65536", with("20808004"), kBad);
  cases.bad("presence 3", with("2803"), kBad);
  cases.bad("presence 256", with("288002"), kBad);
  cases.bad("a lease one second too long", with("308186b09601"), kBad);
  cases.bad("no state", with("3800"), kBad);
  cases.bad("state 6", with("3806"), kBad);
  cases.bad("up for 2^32 s", with("408080808010"), kBad);
  cases.bad("a preshared key id of 15 bytes", with("4a0f", kToken.substr(2)), kBad);
  cases.bad("the text as a number", with("1001"), kBad);
  cases.bad("the state as bytes", with("3a0101"), kBad);
  cases.bad("a suite that is cut off", with("520180"), kBad);
  cases.bad("a name as a number", with("5801"), kBad);
  cases.bad("a suite of 4 bytes", with("5501000000"), kBad);
  cases.bad("a text of 2^31 bytes", with("128080808008"), kBad);
  cases.bad("a group", with("7b7c"), kBad);
  return cases.take();
}

}  // namespace

Json make_payloads() { return {{"section", "5"}, {"requests", make_requests()}, {"replies", make_replies()}}; }

}  // namespace anubis::vectors
