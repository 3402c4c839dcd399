#include "lib/gate/enrolment.h"

#include <utility>

#include "lib/crypto/sealing.h"

namespace anubis::gate {
namespace {

// One without a token, one in another suite, one with the token; and once more for somebody else's.
constexpr unsigned kMostRequests = 6;

}  // namespace

base::Result<Enrolment> Enrolment::create(crypto::ProductionPrivateKey one_time_key, crypto::ProductionPublicKey server,
                                          const wire::Enrolment& enrolment, base::Random& random) {
  Enrolment made(std::move(one_time_key), server, enrolment, random);
  if (auto status = made.make_request(); !status) return base::fail(status.error());
  return made;
}

base::Status Enrolment::make_request() {
  const auto keys = crypto::derive_message_keys(suite_, one_time_key_, one_time_public_, server_, nullptr);
  if (!keys) return base::fail(keys.error());
  const wire::Request request{.operation = wire::Operation::kEnrol,
                              .token = token_,
                              .suites = crypto::available_suites(),
                              .successor = {},
                              .enrolment = enrolment_};
  header_ = {.type = wire::MessageType::kRequest,
             .suite = suite_,
             .request_id = random_->bytes<std::tuple_size_v<wire::RequestId>>(),
             .sender = one_time_public_,
             .nonce = random_->bytes<crypto::kNonceSize>()};
  request_ = wire::seal_message(header_, keys->sending, wire::create_request(request), wire::kRequestSize);
  ++requests_;
  return {};
}

Enrolment::Progress Enrolment::ask_again() {
  if (requests_ == kMostRequests) {
    reason_ = "it wants to be asked again and again";
    return Progress::kRefused;
  }
  if (auto status = make_request(); !status) {
    reason_ = status.error().message;
    return Progress::kRefused;
  }
  return Progress::kAskAgain;
}

Enrolment::Progress Enrolment::receive(std::span<const std::uint8_t> datagram) {
  const auto header = wire::decode_header(datagram);
  if (!header || header->type != wire::MessageType::kReply || header->request_id != header_.request_id ||
      header->suite != suite_ || header->sender != server_) {
    return Progress::kNothing;
  }
  const auto keys = crypto::derive_message_keys(suite_, one_time_key_, one_time_public_, server_, nullptr);
  if (!keys) return Progress::kNothing;
  const auto payload = wire::open_message(*header, keys->receiving, datagram);
  const auto reply = payload ? wire::consume_reply(*payload) : std::nullopt;
  if (!reply) return Progress::kNothing;
  switch (reply->result) {
    case wire::ResultCode::kOk:
      return Progress::kEnrolled;
    case wire::ResultCode::kStale:
      token_ = reply->token;
      return ask_again();
    case wire::ResultCode::kSuite: {
      const auto common = crypto::best_common(crypto::available_suites(), reply->suites);
      if (!common || *common == suite_) break;
      suite_ = *common;
      token_ = reply->token;
      return ask_again();
    }
    case wire::ResultCode::kDenied:
    case wire::ResultCode::kConflict:
    case wire::ResultCode::kVersion:
    case wire::ResultCode::kBusy:
    case wire::ResultCode::kBadRequest:
    case wire::ResultCode::kInternal:
    case wire::ResultCode::kNotUp:
      break;
  }
  reason_ = reply->text.empty() ? wire::name_of(reply->result) : reply->text;
  return Progress::kRefused;
}

}  // namespace anubis::gate
