// The request's payload: docs/protocol.md, section 5.3.
#include "lib/wire/request.h"

#include <numeric>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/preshared_key.h"

namespace anubis::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::HasSubstr;

std::vector<std::uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }

Request make_request() {
  Request request{.operation = Operation::kUp,
                  .token = Token{},
                  .suites = {crypto::Suite::kXChaCha20Poly1305},
                  .listen_port = 4296,
                  .lease = std::chrono::hours(2),
                  .successor = crypto::ProductionPublicKey(),
                  .responder_initiates = true,
                  .preshared_key = test::preshared_key(7)};
  std::iota(request.token->begin(), request.token->end(), std::uint8_t{1});
  std::iota(request.successor->bytes.begin(), request.successor->bytes.end(), std::uint8_t{0x80});
  return request;
}

// The kind of fault that a payload has; none when it is a request.
std::optional<RequestFault::Kind> fault_of(std::string_view payload) {
  const auto request = consume_request(bytes(payload));
  if (request) return std::nullopt;
  EXPECT_NE(request.error().text, "");
  return request.error().kind;
}

// A payload that begins as a good one: operation 1.
std::optional<RequestFault::Kind> fault_behind_operation(std::string_view rest) {
  return fault_of("\x08\x01"s.append(rest));
}

constexpr auto kMalformed = RequestFault::Kind::kMalformed;
constexpr auto kUnknownOperation = RequestFault::Kind::kUnknownOperation;

TEST(Request, EveryFieldComesBack) { EXPECT_EQ(consume_request(create_request(make_request())), make_request()); }

TEST(Request, AnEnrolmentComesBack) {
  Request request{.operation = Operation::kEnrol, .token = Token{}, .suites = {}, .successor = {}};
  Enrolment& enrolment = request.enrolment.emplace();
  std::iota(enrolment.public_key.bytes.begin(), enrolment.public_key.bytes.end(), std::uint8_t{1});
  std::iota(enrolment.side_public_key.bytes.begin(), enrolment.side_public_key.bytes.end(), std::uint8_t{0x40});
  std::iota(enrolment.proof.begin(), enrolment.proof.end(), std::uint8_t{0x80});
  EXPECT_EQ(consume_request(create_request(request)), request);
}

TEST(Request, AnEnrolmentOfNobodyOrOfAnotherSizeIsMalformed) {
  EXPECT_EQ(fault_of("\x08\x07"), kMalformed);
  EXPECT_EQ(fault_of("\x08\x07\x72\x7f" + std::string(127, 'x')), kMalformed);
  EXPECT_EQ(fault_of("\x08\x07\x72\x80\x01" + std::string(128, 'x')), std::nullopt);
  EXPECT_EQ(fault_of("\x08\x07\x72\x81\x01" + std::string(129, 'x')), kMalformed);
}

TEST(Request, EveryOperationComesBackWithoutTheOptionalFields) {
  for (const auto operation :
       {Operation::kUp, Operation::kDown, Operation::kStatus, Operation::kBye, Operation::kRenew}) {
    const Request request{.operation = operation, .token = {}, .suites = {}, .successor = {}};
    EXPECT_EQ(consume_request(create_request(request)), request) << name_of(operation);
  }
}

TEST(Request, TheLargestFitsTheSmallestDatagram) {
  Request request = make_request();
  request.listen_port = 65535;
  request.lease = kMaxLease;
  EXPECT_LE(create_request(request).size() + kOverhead, kRequestSize);
}

TEST(Request, F28AnUnknownOperationIsToldFromAMalformedRequest) {
  EXPECT_EQ(fault_of("\x08\x7f"), kUnknownOperation);
  EXPECT_EQ(fault_of("\x08\xff\x01"), kUnknownOperation);
  EXPECT_EQ(fault_of("\x08\x81\x02"), kUnknownOperation);                  // 257: not 1 after a cut to 8 bits
  EXPECT_EQ(fault_of("\x08\x81\x80\x80\x80\x10"), kUnknownOperation);      // 2^32 + 1: not 1 after a cut to 32
  EXPECT_EQ(fault_of("\x08\x7f\x20\xff\xff\xff\x7f"), kUnknownOperation);  // its other fields may have other ranges
}

TEST(Request, AnAbsentOperationIsMalformed) {
  EXPECT_EQ(fault_of(""), kMalformed);
  EXPECT_EQ(fault_of("\x08\x00"sv), kMalformed);
  EXPECT_EQ(fault_of("\x20\x01"), kMalformed);
}

TEST(Request, F28UnknownFieldsAreIgnored) {
  EXPECT_EQ(fault_behind_operation("\x78\x05"), std::nullopt);  // field 15, a number
  EXPECT_EQ(fault_behind_operation("\x79"
                                   "12345678"),
            std::nullopt);                                         // 64 bits
  EXPECT_EQ(fault_behind_operation("\x7a\x03xyz"), std::nullopt);  // bytes
  EXPECT_EQ(fault_behind_operation("\x7d"
                                   "1234"),
            std::nullopt);                                                      // 32 bits
  EXPECT_EQ(fault_behind_operation("\xf8\xff\xff\xff\x0f\x01"), std::nullopt);  // the largest field number
}

TEST(Request, TheLastOfRepeatedFieldsCounts) {
  EXPECT_EQ(consume_request(bytes("\x08\x01\x08\x02"))->operation, Operation::kDown);
}

TEST(Request, ATokenHasItsSizeOrIsAbsent) {
  EXPECT_EQ(fault_behind_operation("\x12\x00"sv), std::nullopt);
  EXPECT_EQ(consume_request(bytes("\x08\x01\x12\x00"sv))->token, std::nullopt);
  EXPECT_EQ(fault_behind_operation("\x12\x0f"
                                   "0123456789abcde"),
            kMalformed);
  EXPECT_EQ(fault_behind_operation("\x12\x10"
                                   "0123456789abcdef"),
            std::nullopt);
  EXPECT_EQ(fault_behind_operation("\x12\x11"
                                   "0123456789abcdefg"),
            kMalformed);
}

TEST(Request, ASuccessorHasTheSizeOfAKeyOrIsAbsent) {
  const auto with_size = [](std::size_t size) {
    return fault_of("\x08\x04\x32"s + static_cast<char>(size) + std::string(size, 'k'));
  };
  EXPECT_EQ(with_size(0), std::nullopt);
  EXPECT_EQ(with_size(31), kMalformed);
  EXPECT_EQ(with_size(32), std::nullopt);
  EXPECT_EQ(with_size(33), kMalformed);
}

TEST(Request, APortOutOfRangeIsMalformed) {
  EXPECT_EQ(consume_request(bytes("\x08\x01\x20\xff\xff\x03"))->listen_port, 65535);
  EXPECT_EQ(fault_behind_operation("\x20\x80\x80\x04"), kMalformed);
  EXPECT_EQ(fault_behind_operation("\x20\x81\x80\x80\x80\x10"), kMalformed);  // 2^32 + 1
}

TEST(Request, ALeaseBeyondTenYearsIsMalformed) {
  Request request = make_request();
  request.lease = kMaxLease;
  EXPECT_TRUE(consume_request(create_request(request)));
  request.lease += std::chrono::seconds(1);
  const auto refused = consume_request(create_request(request));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, kMalformed);
  EXPECT_THAT(refused.error().text, HasSubstr("315360001"));
}

// F21, the data side: what was offered is told apart from what was not.
TEST(Request, F21TheOfferIsExactlyWhatWasSentAndKnown) {
  using enum crypto::Suite;
  constexpr crypto::Suite kAes256Gcm{2};
  const auto suites = [](std::string_view rest) { return consume_request(bytes("\x08\x01"s.append(rest)))->suites; };
  EXPECT_THAT(suites(""), testing::IsEmpty());
  EXPECT_THAT(suites("\x1a\x00"sv), testing::IsEmpty());
  EXPECT_THAT(suites("\x1a\x01\x01"), testing::ElementsAre(kXChaCha20Poly1305));
  EXPECT_THAT(suites("\x18\x01"), testing::ElementsAre(kXChaCha20Poly1305));  // not packed
  EXPECT_THAT(suites("\x1a\x04\x07\x01\x02\x01"),
              testing::ElementsAre(kXChaCha20Poly1305, kAes256Gcm));  // unknown, repeated
  EXPECT_THAT(suites("\x1a\x02\x00\x03"sv), testing::IsEmpty());
  EXPECT_THAT(suites("\x1a\x02\x81\x02"), testing::IsEmpty());              // 257
  EXPECT_THAT(suites("\x1a\x05\x81\x80\x80\x80\x10"), testing::IsEmpty());  // 2^32 + 1
}

TEST(Request, F27HugeLengthsAreMalformed) {
  for (const auto field : {"\x12", "\x1a", "\x32", "\x7a"}) {
    EXPECT_EQ(fault_behind_operation(std::string(field) + "\xff\xff\xff\xff\x07"), kMalformed);  // 2^31 − 1
    EXPECT_EQ(fault_behind_operation(std::string(field) + "\x80\x80\x80\x80\x08"), kMalformed);  // 2^31
    EXPECT_EQ(fault_behind_operation(std::string(field) + "\xff\xff\xff\xff\x0f"), kMalformed);  // 2^32 − 1
    EXPECT_EQ(fault_behind_operation(std::string(field) + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
              kMalformed);                                                       // 2^64 − 1
    EXPECT_EQ(fault_behind_operation(std::string(field) + "\x01"), kMalformed);  // one too long
  }
}

TEST(Request, F27VarintsThatDoNotFitAreMalformed) {
  const auto nine = "\x80\x80\x80\x80\x80\x80\x80\x80\x80"s;
  for (const auto field : {"\x20", "\x78"}) {
    EXPECT_EQ(fault_behind_operation(field + nine + "\x02"), kMalformed);       // bit 64
    EXPECT_EQ(fault_behind_operation(field + nine + "\x80\x00"s), kMalformed);  // eleven bytes
    EXPECT_EQ(fault_behind_operation(field + nine), kMalformed);                // cut off
  }
  EXPECT_EQ(fault_behind_operation("\x20" + nine + "\x01"), kMalformed);      // 2^63: out of the port's range
  EXPECT_EQ(fault_behind_operation("\x78" + nine + "\x01"), std::nullopt);    // in an unknown field it is a number
  EXPECT_EQ(fault_behind_operation("\x1a\x0a" + nine + "\x02"), kMalformed);  // packed
  EXPECT_EQ(fault_behind_operation("\x1a\x01\x80"), kMalformed);
  EXPECT_EQ(fault_of("\x08" + nine + "\x01"), kUnknownOperation);
}

TEST(Request, F27GroupsAreMalformedAtAnyDepth) {
  for (const std::size_t depth : {std::size_t{1}, std::size_t{100}, std::size_t{500}}) {
    EXPECT_EQ(fault_behind_operation(std::string(depth, '\x7b') + std::string(depth, '\x7c')), kMalformed) << depth;
  }
}

TEST(Request, F27AKnownFieldOfAnotherWireTypeIsMalformed) {
  const std::array contents{"\x01"sv, "12345678"sv, "\x01x"sv, ""sv, ""sv, "1234"sv, ""sv, ""sv};
  for (unsigned number = 1; number <= 6; ++number) {
    for (unsigned type = 0; type < contents.size(); ++type) {
      const bool is_bytes = number == 2 || number == 6;
      const bool fits = is_bytes ? type == 2 : type == 0 || (number == 3 && type == 2);
      if (fits) continue;
      const std::string field = std::string(1, static_cast<char>(number << 3 | type)).append(contents[type]);
      EXPECT_EQ(fault_behind_operation(field), kMalformed) << number << " as " << type;
    }
  }
}

TEST(Request, F27BadTagsAreMalformed) {
  EXPECT_EQ(fault_behind_operation("\x00"sv), kMalformed);                          // field 0
  EXPECT_EQ(fault_behind_operation("\x02\x00"sv), kMalformed);                      // field 0, bytes
  EXPECT_EQ(fault_behind_operation("\x80"), kMalformed);                            // cut off
  EXPECT_EQ(fault_behind_operation("\xf8\xff\xff\xff\x1f\x01"), kMalformed);        // field 2^29
  EXPECT_EQ(fault_behind_operation("\xf8\x80\x80\x80\x80\x00\x01"sv), kMalformed);  // six bytes
}

TEST(Request, F26EveryTruncationOfThePayloadIsMalformedOrMissesAField) {
  const auto whole = create_request(make_request());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto request = consume_request(std::span(whole).first(size));
    EXPECT_FALSE(request && *request == make_request()) << size;
  }
}

TEST(Request, OperationsHaveTheirNames) {
  EXPECT_STREQ(name_of(Operation::kUp), "up");
  EXPECT_STREQ(name_of(Operation::kDown), "down");
  EXPECT_STREQ(name_of(Operation::kStatus), "status");
  EXPECT_STREQ(name_of(Operation::kBye), "bye");
  EXPECT_STREQ(name_of(Operation::kRenew), "renew");
}

}  // namespace
}  // namespace anubis::wire
