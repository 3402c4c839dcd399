// Netlink messages as bytes: building requests and taking replies apart. Pure; sending is transaction.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::network {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

template <class Header>
[[nodiscard]] ByteView as_bytes_of(const Header& header) {
  static_assert(std::is_trivially_copyable_v<Header>);
  return {reinterpret_cast<const std::uint8_t*>(&header), sizeof header};
}

// One request. Sequence number and port stay zero: whoever sends it fills them in.
class Message {
 public:
  // type: RTM_…; flags: NLM_F_… besides NLM_F_REQUEST; header: the structure that the type wants.
  template <class Header>
  Message(std::uint16_t type, std::uint16_t flags, const Header& header) : Message(type, flags, as_bytes_of(header)) {}
  Message(std::uint16_t type, std::uint16_t flags, ByteView header);

  Message& put(std::uint16_t attribute, ByteView value);
  Message& put(std::uint16_t attribute, const model::IpAddress& address) { return put(attribute, address.bytes()); }
  Message& put_u8(std::uint16_t attribute, std::uint8_t value);
  Message& put_u16(std::uint16_t attribute, std::uint16_t value);
  Message& put_u32(std::uint16_t attribute, std::uint32_t value);
  Message& put_text(std::uint16_t attribute, std::string_view value);  // with its terminating zero
  // An attribute that holds another one, as IFLA_LINKINFO does.
  Message& put_nested_text(std::uint16_t outer, std::uint16_t inner, std::string_view value);

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  void set_length();

  Bytes bytes_;
};

// One message of a datagram that was received; the payload (behind the netlink header) is a view into it.
struct ReceivedMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;
  ByteView payload;
};

// The messages of a datagram, in order; what is cut off at its end is left out.
[[nodiscard]] std::vector<ReceivedMessage> split(ByteView datagram);

// What NLMSG_ERROR says; error 0 is an acknowledgement.
struct Answer {
  int error = 0;     // errno, positive
  std::string text;  // the kernel's own words, when it had some (NETLINK_EXT_ACK)
};
[[nodiscard]] Answer parse_answer(const ReceivedMessage& message);
// The errno in an answer's or a finished dump's status, which is 0 or negative. EBADMSG: it is neither.
[[nodiscard]] int errno_of(int status);

// The fixed header in front of a payload's attributes; none when the payload is shorter.
template <class Header>
[[nodiscard]] std::optional<Header> header_of(ByteView payload) {
  static_assert(std::is_trivially_copyable_v<Header>);
  if (payload.size() < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, payload.data(), sizeof header);
  return header;
}

// Attributes by type. The values are views into the bytes given; a value of the wrong size counts as absent.
class Attributes {
 public:
  explicit Attributes(ByteView attributes);
  // Those behind a header of this size, aligned as netlink does.
  static Attributes behind(ByteView payload, std::size_t header_size);

  [[nodiscard]] std::optional<ByteView> bytes(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::uint8_t> u8(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint16_t type) const;
  [[nodiscard]] std::string text(std::uint16_t type) const;  // empty when absent
  [[nodiscard]] std::optional<model::IpAddress> address(std::uint16_t type) const;

 private:
  // None of the attributes that we read has a higher type.
  std::array<std::optional<ByteView>, 32> values_;
};

// AF_INET or AF_INET6.
[[nodiscard]] std::uint8_t address_family(model::Family family);

}  // namespace anubis::network
