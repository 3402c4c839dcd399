#include "lib/network/message.h"

#include <algorithm>
#include <cerrno>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace anubis::network {
namespace {

// The value of an attribute of exactly this type's size.
template <class Value>
std::optional<Value> value_of(const std::optional<ByteView>& bytes) {
  if (!bytes || bytes->size() != sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

}  // namespace

Message::Message(std::uint16_t type, std::uint16_t flags, ByteView header)
    : bytes_(MNL_NLMSG_HDRLEN + MNL_ALIGN(header.size())) {
  nlmsghdr netlink_header{};
  netlink_header.nlmsg_type = type;
  netlink_header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  std::memcpy(bytes_.data(), &netlink_header, sizeof netlink_header);
  std::ranges::copy(header, bytes_.begin() + MNL_NLMSG_HDRLEN);
  set_length();
}

void Message::set_length() {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

Message& Message::put(std::uint16_t attribute, ByteView value) {
  bytes_.resize(bytes_.size() + MNL_ATTR_HDRLEN + MNL_ALIGN(value.size()));  // the resize zeroes the padding
  const nlattr header{static_cast<std::uint16_t>(MNL_ATTR_HDRLEN + value.size()), attribute};
  std::uint8_t* const at = bytes_.data() + bytes_.size() - MNL_ATTR_HDRLEN - MNL_ALIGN(value.size());
  std::memcpy(at, &header, sizeof header);
  std::copy(value.begin(), value.end(), at + MNL_ATTR_HDRLEN);
  set_length();
  return *this;
}

Message& Message::put_u8(std::uint16_t attribute, std::uint8_t value) { return put(attribute, as_bytes_of(value)); }
Message& Message::put_u16(std::uint16_t attribute, std::uint16_t value) { return put(attribute, as_bytes_of(value)); }
Message& Message::put_u32(std::uint16_t attribute, std::uint32_t value) { return put(attribute, as_bytes_of(value)); }

Message& Message::put_text(std::uint16_t attribute, std::string_view value) {
  Bytes terminated(value.begin(), value.end());
  terminated.push_back(0);
  return put(attribute, terminated);
}

Message& Message::put_nested_text(std::uint16_t outer, std::uint16_t inner, std::string_view value) {
  const std::size_t outer_at = bytes_.size();
  put(outer | NLA_F_NESTED, ByteView{});
  put_text(inner, value);
  const auto length = static_cast<std::uint16_t>(bytes_.size() - outer_at);
  std::memcpy(bytes_.data() + outer_at + offsetof(nlattr, nla_len), &length, sizeof length);
  return *this;
}

std::vector<ReceivedMessage> split(ByteView datagram) {
  std::vector<ReceivedMessage> messages;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < MNL_NLMSG_HDRLEN || header.nlmsg_len > datagram.size()) break;
    messages.push_back({header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, header.nlmsg_pid,
                        datagram.subspan(MNL_NLMSG_HDRLEN, header.nlmsg_len - MNL_NLMSG_HDRLEN)});
    datagram = datagram.subspan(std::min<std::size_t>(MNL_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return messages;
}

int errno_of(int status) {
  constexpr int kLeast = -4095;  // MAX_ERRNO of linux/err.h
  return status <= 0 && status >= kLeast ? -status : EBADMSG;
}

Answer parse_answer(const ReceivedMessage& message) {
  const auto error = header_of<nlmsgerr>(message.payload);
  if (!error) return {EBADMSG, "the kernel's answer is cut off"};
  Answer answer{errno_of(error->error), {}};
  if ((message.flags & NLM_F_ACK_TLVS) != 0) {
    // Behind the request's header stands the rest of the request, too, unless the kernel says that it is capped.
    const std::size_t request_size =
        (message.flags & NLM_F_CAPPED) != 0 ? sizeof(nlmsghdr) : std::size_t{error->msg.nlmsg_len};
    answer.text = Attributes::behind(message.payload, sizeof error->error + request_size).text(NLMSGERR_ATTR_MSG);
  }
  return answer;
}

Attributes::Attributes(ByteView attributes) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.nla_len < MNL_ATTR_HDRLEN || header.nla_len > attributes.size()) break;
    const std::size_t type = header.nla_type & NLA_TYPE_MASK;
    if (type < values_.size()) values_[type] = attributes.subspan(MNL_ATTR_HDRLEN, header.nla_len - MNL_ATTR_HDRLEN);
    attributes = attributes.subspan(std::min<std::size_t>(MNL_ALIGN(header.nla_len), attributes.size()));
  }
}

Attributes Attributes::behind(ByteView payload, std::size_t header_size) {
  return Attributes(payload.subspan(std::min<std::size_t>(MNL_ALIGN(header_size), payload.size())));
}

std::optional<ByteView> Attributes::bytes(std::uint16_t type) const { return values_.at(type); }
std::optional<std::uint8_t> Attributes::u8(std::uint16_t type) const { return value_of<std::uint8_t>(bytes(type)); }
std::optional<std::uint32_t> Attributes::u32(std::uint16_t type) const { return value_of<std::uint32_t>(bytes(type)); }

std::string Attributes::text(std::uint16_t type) const {
  const auto value = bytes(type);
  if (!value) return {};
  return {value->begin(), std::ranges::find(*value, std::uint8_t{0})};
}

std::optional<model::IpAddress> Attributes::address(std::uint16_t type) const {
  const auto value = bytes(type);
  if (!value) return std::nullopt;
  if (value->size() == 4) return model::IpAddress::v4(value->first<4>());
  if (value->size() == 16) return model::IpAddress::v6(value->first<16>());
  return std::nullopt;
}

std::uint8_t address_family(model::Family family) { return family == model::Family::kV4 ? AF_INET : AF_INET6; }

}  // namespace anubis::network
