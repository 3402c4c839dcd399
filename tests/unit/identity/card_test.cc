// Cards survive what mail and chat do to them, and whatever else happens to one is noticed.
#include "lib/identity/card.h"

#include <regex>
#include <string>

#include <gmock/gmock.h>

#include "lib/config/config.h"
#include "lib/crypto/side_address.h"

namespace anubis::identity {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

crypto::PublicKey key_of(std::uint8_t number) {
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = static_cast<std::uint8_t>(number << 3);
  secret.writable()[31] = 0x40;
  return crypto::PrivateKey(std::move(secret)).derive_public_key();
}

Card jacinth() {
  crypto::initialise();
  Card card{.name = "jacinth",
            .public_key = crypto::ProductionPublicKey(key_of(1)),
            .side_public_key = crypto::SidePublicKey(key_of(2)),
            .side_address = {},
            .endpoint = *model::HostPort::parse("jacinth.example.net:4296"),
            .side_endpoint = *model::HostPort::parse("jacinth.example.net:4297"),
            .addresses = {*model::IpAddress::parse("10.44.0.1"), *model::IpAddress::parse("fd44::1")}};
  card.side_address = model::IpAddress::v6(crypto::derive_side_address(card.side_public_key));
  return card;
}

// TEXT with each line changed by sed's `s/PATTERN/WITH/`.
std::string each_line(const std::string& text, const char* pattern, const char* with) {
  return std::regex_replace(text, std::regex(pattern, std::regex::ECMAScript | std::regex::multiline), with);
}

void expect_jacinth(const std::string& text) {
  const auto card = parse_card(text);
  ASSERT_TRUE(card) << card.error().message << "\n" << text;
  EXPECT_EQ(*card, jacinth());
}

std::string failure_of(const std::string& text) {
  const auto card = parse_card(text);
  if (card) return "";
  EXPECT_NE(card.error().message, "");
  return card.error().message;
}

TEST(Card, IsWrittenLineByLineAndReadBack) {
  const std::string text = format_card(jacinth());
  EXPECT_THAT(text, testing::StartsWith("anubis-card: 1\nname: jacinth\npublic-key: "));
  EXPECT_THAT(text, testing::ContainsRegex("address: 10.44.0.1\naddress: fd44::1\nchecksum: "
                                           "[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}\n$"));
  expect_jacinth(text);
}

TEST(Card, OfAHostThatOnlyCallsOthersHasNoEndpoint) {
  Card card = jacinth();
  card.endpoint.reset();
  card.side_endpoint.reset();
  card.addresses.clear();
  const auto read = parse_card(format_card(card));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, card);
}

TEST(Card, SurvivesMail) {
  const std::string text = format_card(jacinth());
  expect_jacinth(each_line(text, "^", "> "));
  expect_jacinth(each_line(text, "^", ">> | > "));
  expect_jacinth(each_line(text, "$", "  \t"));
  expect_jacinth(each_line(text, "\n", "\r\n"));
  expect_jacinth(each_line(text, "\n", "\n\n"));
  expect_jacinth(each_line(text, "^", "      "));
  expect_jacinth("Hello,\n\nthis is mine: please trust it.\n\n" + text + "\n-- \nname: somebody else\n");
  expect_jacinth(each_line(each_line("> On Monday you wrote:\n" + text, "^", "> "), "\n", " \r\n"));
}

TEST(Card, SurvivesChat) {
  const std::string text = format_card(jacinth());
  expect_jacinth(each_line(text, "\n", " "));                      // one paragraph
  expect_jacinth(each_line(text, ": ", ":\u00a0"));                // blanks that don't break
  expect_jacinth("\ufeff" + text);                                 // a byte order mark
  expect_jacinth(each_line(text, ": ", ":\n"));                    // wrapped at blanks
  expect_jacinth(each_line(text, "([A-Za-z0-9+/]{20})", "$1\n"));  // and within keys
  expect_jacinth(each_line(text, "\n$", "."));
}

TEST(Card, HasAChecksumThatSeesEveryCharacter) {
  const std::string text = format_card(jacinth());
  const std::size_t values = text.find("name: ");
  for (std::size_t i = values; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n' || text[i] == '-') continue;
    std::string damaged = text;
    damaged[i] = text[i] == 'q' ? 'r' : 'q';
    EXPECT_NE(failure_of(damaged), "") << damaged;
    damaged.erase(i, 1);
    EXPECT_NE(failure_of(damaged), "") << damaged;
  }
  EXPECT_THAT(failure_of(each_line(text, "10.44.0.1", "10.44.0.2")), HasSubstr("was changed on the way"));
}

TEST(Card, CutShortIsNotComplete) {
  const std::string text = format_card(jacinth());
  for (std::size_t size = 13; size + 2 < text.size(); ++size) {
    EXPECT_THAT(failure_of(text.substr(0, size)), HasSubstr("is not complete")) << size;
  }
}

TEST(Card, IsMissedWhereThereIsNone) {
  for (const char* text : {"", "hello", "checksum: aaaa", "xanubis-card: 1", "-----BEGIN CERTIFICATE-----"}) {
    const auto card = parse_card(text);
    ASSERT_FALSE(card);
    EXPECT_EQ(card.error().code, ErrorCode::kNotFound) << text;
  }
  const std::string text = format_card(jacinth());
  EXPECT_THAT(failure_of(text + text), HasSubstr("more than one card"));
  EXPECT_THAT(failure_of(std::string(kMaxCardText + 1, ' ')), HasSubstr("too much for a card"));
}

// What comes with a checksum that fits is still not believed.
struct Forgery {
  const char* what;
  void (*change)(Card&);
  const char* says;
};

TEST(Card, IsRefusedForWhatNoHostCanHave) {
  const Forgery forgeries[] = {
      {"name", [](Card& card) { card.name = "../../etc/passwd"; }, "cannot be a name"},
      {"hidden name", [](Card& card) { card.name = ".hidden"; }, "cannot be a name"},
      {"no name", [](Card& card) { card.name = ""; }, "cannot be a name"},
      {"quotes", [](Card& card) { card.name = "a\"]"; }, "cannot be a name"},
      {"zero key", [](Card& card) { card.public_key = {}; }, "public-key"},
      {"zero side key", [](Card& card) { card.side_public_key = {}; }, "side-public-key"},
      {"equal keys", [](Card& card) { card.side_public_key = crypto::SidePublicKey(card.public_key); },
       "same key twice"},
      {"loopback", [](Card& card) { card.addresses = {*model::IpAddress::parse("127.0.0.1")}; }, "no other host"},
      {"side address", [](Card& card) { card.side_address = *model::IpAddress::parse("ff02::1"); }, "no other host"},
      {"endpoint", [](Card& card) { card.endpoint = model::HostPort{"$(reboot)", 1}; }, "endpoint"},
      {"no port", [](Card& card) { card.endpoint = model::HostPort{"jacinth", {}}; }, "has no port"},
      {"nobody", [](Card& card) { card.endpoint = model::HostPort{"0.0.0.0", 4296}; }, "no other host"},
      {"many", [](Card& card) { card.addresses.assign(17, card.addresses[0]); }, "too many"},
  };
  for (const Forgery& forgery : forgeries) {
    Card card = jacinth();
    forgery.change(card);
    EXPECT_THAT(failure_of(format_card(card)), HasSubstr(forgery.says)) << forgery.what;
  }
}

TEST(Card, OfALaterVersionIsSaidToBeThat) {
  EXPECT_THAT(failure_of(each_line(format_card(jacinth()), "anubis-card: 1", "anubis-card: 2")),
              HasSubstr("version 1"));
}

}  // namespace
}  // namespace anubis::identity
