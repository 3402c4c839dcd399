// Invitations come back as they were given, and nothing else passes for one.
#include "lib/identity/token.h"

#include <string>

#include <gmock/gmock.h>

#include "lib/base/random.h"
#include "lib/crypto/digest.h"
#include "lib/identity/base32.h"

namespace anubis::identity {
namespace {

using testing::HasSubstr;

crypto::PublicKey fresh_key(base::Random& random) {
  return crypto::PrivateKey(crypto::generate_private_key(random)).derive_public_key();
}

Token make_token() {
  crypto::initialise();
  base::SystemRandom random;
  return {.secret = crypto::InvitationSecret::generate(random),
          .expires = 1'790'000'000,
          .name = "petra",
          .addresses = {*model::InterfaceAddress::parse("10.44.0.8/24"), *model::InterfaceAddress::parse("fd44::8/64")},
          .server = "jacinth",
          .public_key = crypto::ProductionPublicKey(fresh_key(random)),
          .side_public_key = crypto::SidePublicKey(fresh_key(random)),
          .side_address = *model::IpAddress::parse("fd77::1"),
          .endpoint = *model::HostPort::parse("jacinth.example.net:4296"),
          .side_endpoint = *model::HostPort::parse("[2001:db8::1]:4297"),
          .service_port = 4298,
          .allowed_ips = {*model::IpPrefix::parse("0.0.0.0/0"), *model::IpPrefix::parse("fd44::/64")}};
}

std::string text_of(const Token& token) { return std::string(format_token(token).view()); }

TEST(Token, ComesBackAsItWasGiven) {
  const Token token = make_token();
  const auto read = parse_token(text_of(token));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(std::ranges::equal(read->secret.view(), token.secret.view()));
  EXPECT_EQ(read->expires, token.expires);
  EXPECT_EQ(read->name, token.name);
  EXPECT_EQ(read->addresses, token.addresses);
  EXPECT_EQ(read->server, token.server);
  EXPECT_EQ(read->public_key, token.public_key);
  EXPECT_EQ(read->side_public_key, token.side_public_key);
  EXPECT_EQ(read->side_address, token.side_address);
  EXPECT_EQ(read->endpoint, token.endpoint);
  EXPECT_EQ(read->side_endpoint, token.side_endpoint);
  EXPECT_EQ(read->service_port, token.service_port);
  EXPECT_EQ(read->allowed_ips, token.allowed_ips);
}

TEST(Token, SurvivesMailAndCapitalLetters) {
  const std::string text = text_of(make_token());
  std::string mail = "> ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    mail.push_back(text[i]);
    if (i % 60 == 59) mail += " \r\n>> ";
  }
  EXPECT_TRUE(parse_token(mail + "\n"));
  std::string capital = text;
  for (std::size_t i = std::string_view("anubis-invitation-").size(); i < text.size(); ++i) {
    capital[i] = static_cast<char>(std::toupper(text[i]));
  }
  EXPECT_TRUE(parse_token(capital));
}

TEST(Token, IsOneWordOfLettersAndDigits) {
  EXPECT_EQ(text_of(make_token()).find_first_not_of("abcdefghijklmnopqrstuvwxyz234567-"), std::string::npos);
}

TEST(Token, WithAnyCharacterChangedOrLostIsRefused) {
  const std::string text = text_of(make_token());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = text[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(parse_token(damaged)) << i;
    EXPECT_FALSE(parse_token(text.substr(0, i))) << i;
    damaged = text;
    damaged.erase(i, 1);
    EXPECT_FALSE(parse_token(damaged)) << i;
  }
  EXPECT_FALSE(parse_token(text + "a"));
  EXPECT_FALSE(parse_token(text + text));
}

TEST(Token, AnythingElseIsNone) {
  for (const char* text : {"", "-", "hello", "anubis-card: 1", "anubis-invitation"}) {
    const auto token = parse_token(text);
    ASSERT_FALSE(token) << text;
    EXPECT_THAT(token.error().message, HasSubstr("that is no invitation"));
  }
  EXPECT_THAT(parse_token("anubis-invitation-").error().message, HasSubstr("damaged"));
  EXPECT_FALSE(parse_token(std::string(kMaxTokenText + 1, 'a')));
}

// What comes with a checksum that fits is still not believed: each field is cut out, doubled, and emptied.
TEST(Token, WithFieldsThatNobodyWritesIsRefused) {
  const std::string text = text_of(make_token());
  const auto bytes = from_base32(std::string_view(text).substr(std::string_view("anubis-invitation-").size()));
  ASSERT_TRUE(bytes);
  constexpr std::size_t kChecksum = 8;
  const std::vector<std::uint8_t> fields(bytes->begin(), bytes->end() - kChecksum);
  const auto with_checksum = [](std::vector<std::uint8_t> of) {
    const auto digest = crypto::digest(of);
    of.insert(of.end(), digest.begin(), digest.begin() + kChecksum);
    return "anubis-invitation-" + to_base32(of);
  };
  ASSERT_TRUE(parse_token(with_checksum(fields)));
  EXPECT_FALSE(parse_token(with_checksum({})));
  std::size_t tried = 0;
  for (std::size_t at = 0; at < fields.size(); at += 2u + fields[at + 1]) {
    const auto field = fields.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = field + 2 + field[1];
    std::vector<std::uint8_t> without(fields.begin(), field);
    without.insert(without.end(), end, fields.end());
    std::vector<std::uint8_t> twice(fields.begin(), end);
    twice.insert(twice.end(), field, fields.end());
    std::vector<std::uint8_t> empty(fields.begin(), field + 1);
    empty.push_back(0);
    empty.insert(empty.end(), end, fields.end());
    std::vector<std::uint8_t> too_long = fields;
    too_long[at + 1] = 255;
    // Of addresses and allowed IPs there may be several, and one less or one more is another invitation.
    const bool is_list = *field == 4 || *field == 12;
    if (!is_list) {
      EXPECT_FALSE(parse_token(with_checksum(without))) << int{*field};
      EXPECT_FALSE(parse_token(with_checksum(twice))) << int{*field};
    }
    EXPECT_FALSE(parse_token(with_checksum(empty))) << int{*field};
    EXPECT_FALSE(parse_token(with_checksum(too_long))) << int{*field};
    ++tried;
  }
  EXPECT_EQ(tried, 14u);
}

TEST(Token, NamesOnlyWhatAHostCanHave) {
  Token token = make_token();
  token.name = "../petra";
  EXPECT_FALSE(parse_token(text_of(token)));
  token = make_token();
  token.server = "a\"b";
  EXPECT_FALSE(parse_token(text_of(token)));
  token = make_token();
  token.public_key = {};
  EXPECT_FALSE(parse_token(text_of(token)));
  token = make_token();
  token.endpoint = {"$(reboot)", 4296};
  EXPECT_FALSE(parse_token(text_of(token)));
  token = make_token();
  token.addresses.clear();
  EXPECT_FALSE(parse_token(text_of(token)));
  token = make_token();
  token.allowed_ips.assign(kMaxTokenRanges + 1, token.allowed_ips[0]);
  EXPECT_FALSE(parse_token(text_of(token)));
}

}  // namespace
}  // namespace anubis::identity
