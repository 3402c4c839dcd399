#include "lib/wire/reply.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <fmt/core.h>

#include "gate.pb.h"
#include "lib/wire/fields.h"
#include "lib/wire/suites.h"
#include "lib/wire/text.h"

namespace anubis::wire {
namespace {

// In the order of the field numbers of gate.proto.
constexpr std::array kFields{FieldType::kVarint, FieldType::kBytes,   FieldType::kBytes,  FieldType::kVarint,
                             FieldType::kVarint, FieldType::kVarint,  FieldType::kVarint, FieldType::kVarint,
                             FieldType::kBytes,  FieldType::kVarints, FieldType::kBytes,  FieldType::kBytes};

// Far above any uptime, and far below what overflows a clock that counts nanoseconds in 64 bits.
constexpr std::chrono::seconds kMaxUpFor{std::numeric_limits<std::uint32_t>::max()};

// The tag and the length in front of the text, which is shorter than 2^14 bytes.
constexpr std::size_t kTextOverhead = 3;

std::optional<ResultCode> find_result(std::uint64_t number) {
  if (number > 0xff) return std::nullopt;
  const auto code = static_cast<ResultCode>(number);
  switch (code) {
    case ResultCode::kOk:
    case ResultCode::kDenied:
    case ResultCode::kStale:
    case ResultCode::kConflict:
    case ResultCode::kVersion:
    case ResultCode::kSuite:
    case ResultCode::kBusy:
    case ResultCode::kBadRequest:
    case ResultCode::kInternal:
    case ResultCode::kNotUp:
      return code;
  }
  return std::nullopt;
}

std::optional<PeerPresence> find_presence(std::uint64_t number) {
  if (number > 0xff) return std::nullopt;
  const auto presence = static_cast<PeerPresence>(number);
  switch (presence) {
    case PeerPresence::kNotApplicable:
    case PeerPresence::kCreated:
    case PeerPresence::kFound:
      return presence;
  }
  return std::nullopt;
}

std::optional<SessionState> find_state(std::uint64_t number) {
  if (number > 0xff) return std::nullopt;
  const auto state = static_cast<SessionState>(number);
  switch (state) {
    case SessionState::kDown:
    case SessionState::kGoingUp:
    case SessionState::kUp:
    case SessionState::kGoingDown:
    case SessionState::kFailed:
      return state;
  }
  return std::nullopt;
}

std::uint64_t lease_seconds(std::chrono::seconds lease) {
  if (lease == std::chrono::seconds(0)) return 0;  // until down
  return static_cast<std::uint64_t>(std::clamp(lease, std::chrono::seconds(1), kMaxLease).count());
}

}  // namespace

const char* name_of(ResultCode code) {
  switch (code) {
    case ResultCode::kOk:
      return "OK";
    case ResultCode::kDenied:
      return "DENIED";
    case ResultCode::kStale:
      return "STALE";
    case ResultCode::kConflict:
      return "CONFLICT";
    case ResultCode::kVersion:
      return "VERSION";
    case ResultCode::kSuite:
      return "SUITE";
    case ResultCode::kBusy:
      return "BUSY";
    case ResultCode::kBadRequest:
      return "BAD_REQUEST";
    case ResultCode::kInternal:
      return "INTERNAL";
    case ResultCode::kNotUp:
      return "NOT_UP";
  }
  return "unknown";
}

std::vector<std::uint8_t> create_reply(const Reply& reply, std::size_t size) {
  assert(size >= kRequestSize && size <= kMaxDatagramSize);
  ::anubis::gate::Reply message;
  message.set_result(static_cast<std::uint8_t>(reply.result));
  message.set_token(reply.token.data(), reply.token.size());
  message.set_listen_port(reply.listen_port);
  message.set_peer_presence(static_cast<std::uint8_t>(reply.presence));
  message.set_lease_seconds(lease_seconds(reply.lease));
  message.set_state(static_cast<std::uint8_t>(reply.state));
  for (const crypto::Suite suite : reply.suites) message.add_suites(static_cast<std::uint8_t>(suite));
  message.set_up_seconds(
      static_cast<std::uint64_t>(std::clamp(reply.up_for, std::chrono::seconds(0), kMaxUpFor).count()));
  if (const auto& id = reply.preshared_key_id) message.set_preshared_key_id(id->data(), id->size());
  message.set_responder_name(reply.responder_name);
  message.set_peer_name(reply.peer_name);
  if (!reply.text.empty())
    message.set_text(printable(reply.text, size - kOverhead - message.ByteSizeLong() - kTextOverhead));
  std::vector<std::uint8_t> payload(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(payload.data());
  return payload;
}

std::optional<Reply> consume_reply(std::span<const std::uint8_t> payload) {
  ::anubis::gate::Reply message;
  if (!is_well_formed(payload, kFields) || !message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return std::nullopt;
  }
  const auto presence = find_presence(message.peer_presence());
  const auto state = find_state(message.state());
  if (message.result() == 0 || message.token().size() != Token{}.size() ||
      message.listen_port() > std::numeric_limits<std::uint16_t>::max() || !presence ||
      message.lease_seconds() > static_cast<std::uint64_t>(kMaxLease.count()) || !state ||
      message.up_seconds() > static_cast<std::uint64_t>(kMaxUpFor.count()) ||
      (!message.preshared_key_id().empty() && message.preshared_key_id().size() != crypto::PresharedKeyId{}.size())) {
    return std::nullopt;
  }
  Reply reply{.text = printable(message.text(), message.text().size()),
              .listen_port = static_cast<std::uint16_t>(message.listen_port()),
              .presence = *presence,
              .lease = std::chrono::seconds(message.lease_seconds()),
              .state = *state,
              .up_for = std::chrono::seconds(message.up_seconds()),
              .suites = known_of({message.suites().data(), static_cast<std::size_t>(message.suites_size())}),
              .responder_name = printable(message.responder_name(), message.responder_name().size()),
              .peer_name = printable(message.peer_name(), message.peer_name().size())};
  std::ranges::copy(message.token(), reply.token.begin());
  if (!message.preshared_key_id().empty())
    std::ranges::copy(message.preshared_key_id(), reply.preshared_key_id.emplace().begin());
  if (const auto result = find_result(message.result())) {
    reply.result = *result;
  } else {
    reply.result = ResultCode::kInternal;
    reply.text = fmt::format("the peer answered with result {}, which this version does not know: {}", message.result(),
                             reply.text);
  }
  return reply;
}

}  // namespace anubis::wire
