#include "tests/unit/faults/faults.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

namespace anubis::faults {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Part {  // a message within what is sent
  nlmsghdr header;
  std::span<const std::uint8_t> bytes;
};

std::vector<Part> parts_of(std::span<const std::uint8_t> bytes) {
  std::vector<Part> parts;
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t size = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size());
    if (size < sizeof header) break;
    parts.push_back({header, bytes.first(size)});
    bytes = bytes.subspan(size);
  }
  return parts;
}

std::string route_site_of(const Part& part) {
  const bool is_dump = (part.header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  switch (part.header.nlmsg_type) {
    case RTM_GETLINK:
      return "link get";
    case RTM_NEWLINK:
      return (part.header.nlmsg_flags & NLM_F_CREATE) != 0 ? "link create" : "link set";
    case RTM_SETLINK:
      return "link set";
    case RTM_DELLINK:
      return "link delete";
    case RTM_GETADDR:
      return "address dump";
    case RTM_NEWADDR:
      return "address add";
    case RTM_DELADDR:
      return "address delete";
    case RTM_GETROUTE:
      return is_dump ? "route dump" : "route get";
    case RTM_NEWROUTE:
      return "route add";
    case RTM_DELROUTE:
      return "route delete";
    case RTM_GETRULE:
      return "rule dump";
    case RTM_NEWRULE:
      return "rule add";
    case RTM_DELRULE:
      return "rule delete";
  }
  return "unknown";
}

std::string generic_site_of(const Part& part) {
  if (part.header.nlmsg_type == GENL_ID_CTRL) return "family get";
  if (part.bytes.size() <= sizeof(nlmsghdr)) return "unknown";
  switch (part.bytes[sizeof(nlmsghdr)]) {  // WireGuard's; the family has whatever number
    case WG_CMD_GET_DEVICE:
      return "wireguard get";
    case WG_CMD_SET_DEVICE:
      return "wireguard set";
  }
  return "unknown";
}

using SiteOf = std::string (*)(const Part&);

Bytes refusal(std::uint32_t sequence, int error) {
  struct {
    nlmsghdr header;
    nlmsgerr body;
  } answer{};
  answer.header = {.nlmsg_len = sizeof answer,
                   .nlmsg_type = NLMSG_ERROR,
                   .nlmsg_flags = NLM_F_CAPPED,
                   .nlmsg_seq = sequence,
                   .nlmsg_pid = 0};
  answer.body.error = -error;
  answer.body.msg.nlmsg_seq = sequence;
  Bytes bytes(sizeof answer);
  std::memcpy(bytes.data(), &answer, sizeof answer);
  return bytes;
}

// What is to happen to what one socket sends and receives.
class Layer {
 public:
  Layer(Plan& plan, SiteOf site_of) : plan_(plan), site_of_(site_of) {}

  struct Sending {
    int error = 0;
    Bytes bytes;  // that the kernel gets
  };
  Sending sending(std::span<const std::uint8_t> bytes) {
    Sending sending;
    next_receive_.reset();
    for (const Part& part : parts_of(bytes)) {
      const Fault* const fault = plan_.pass(site_of_(part));
      if (fault != nullptr && fault->way == Way::kSend) return {fault->error, {}};
      if (fault != nullptr && fault->way == Way::kAnswer) {
        answers_.push_back(refusal(part.header.nlmsg_seq, fault->error));
        continue;
      }
      if (fault != nullptr) next_receive_ = *fault;
      sending.bytes.insert(sending.bytes.end(), part.bytes.begin(), part.bytes.end());
    }
    return sending;
  }

  // An answer of ours, to be read before the kernel's.
  [[nodiscard]] std::optional<Bytes> take_answer() {
    if (answers_.empty()) return std::nullopt;
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  [[nodiscard]] std::optional<Fault> take_receive_fault() { return std::exchange(next_receive_, {}); }

  static void mark_interrupted(std::span<std::uint8_t> datagram) {
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= datagram.size();) {
      nlmsghdr header{};
      std::memcpy(&header, datagram.data() + at, sizeof header);
      if (header.nlmsg_len < sizeof header) return;
      header.nlmsg_flags |= NLM_F_DUMP_INTR;
      std::memcpy(datagram.data() + at, &header, sizeof header);
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }

 private:
  Plan& plan_;
  SiteOf site_of_;
  std::deque<Bytes> answers_;
  std::optional<Fault> next_receive_;
};

class FaultyChannel final : public network::Channel {
 public:
  FaultyChannel(std::unique_ptr<network::Channel> real, Plan& plan)
      : real_(std::move(real)), layer_(plan, route_site_of) {}

  int send(std::span<const std::uint8_t> bytes) override {
    const auto sending = layer_.sending(bytes);
    if (sending.error != 0) return sending.error;
    return sending.bytes.empty() ? 0 : real_->send(sending.bytes);
  }

  tl::expected<Received, int> receive(std::span<std::uint8_t> buffer, std::chrono::milliseconds timeout) override {
    if (const auto answer = layer_.take_answer()) {
      std::ranges::copy(*answer, buffer.begin());
      return Received{answer->size(), false, 0};
    }
    const auto fault = layer_.take_receive_fault();
    if (fault && fault->way == Way::kReceive) {
      if (fault->error == ENOBUFS) (void)real_->receive(buffer, timeout);
      return tl::make_unexpected(fault->error);
    }
    auto received = real_->receive(buffer, timeout);
    if (!received || !fault) return received;
    if (fault->way == Way::kInterrupt) Layer::mark_interrupted(buffer.first(received->size));
    if (fault->way == Way::kCut) received->truncated = true;
    return received;
  }

  [[nodiscard]] int fd() const override { return real_->fd(); }
  [[nodiscard]] std::uint32_t port() const override { return real_->port(); }

 private:
  std::unique_ptr<network::Channel> real_;
  Layer layer_;
};

// Nobody sends anything here.
class FaultyNotifications final : public network::Channel {
 public:
  FaultyNotifications(std::unique_ptr<network::Channel> real, Plan& plan) : real_(std::move(real)), plan_(plan) {}

  int send(std::span<const std::uint8_t> bytes) override { return real_->send(bytes); }

  tl::expected<Received, int> receive(std::span<std::uint8_t> buffer, std::chrono::milliseconds timeout) override {
    const Fault* const fault = plan_.pass("notification");
    if (fault != nullptr && fault->way == Way::kReceive) {
      if (fault->error == ENOBUFS) (void)real_->receive(buffer, timeout);
      return tl::make_unexpected(fault->error);
    }
    auto received = real_->receive(buffer, timeout);
    if (received && fault != nullptr) received->truncated = true;
    return received;
  }

  [[nodiscard]] int fd() const override { return real_->fd(); }
  [[nodiscard]] std::uint32_t port() const override { return real_->port(); }

 private:
  std::unique_ptr<network::Channel> real_;
  Plan& plan_;
};

class FaultyPort final : public wireguard::NetlinkPort {
 public:
  FaultyPort(std::unique_ptr<wireguard::NetlinkPort> real, Plan& plan)
      : real_(std::move(real)), layer_(plan, generic_site_of) {}

  int send(std::span<const std::uint8_t> bytes) override {
    const auto sending = layer_.sending(bytes);
    if (sending.error != 0) return sending.error;
    return sending.bytes.empty() ? 0 : real_->send(sending.bytes);
  }

  Received receive(std::span<std::uint8_t> buffer) override {
    if (const auto answer = layer_.take_answer()) {
      std::ranges::copy(*answer, buffer.begin());
      return {answer->size(), 0};
    }
    const auto fault = layer_.take_receive_fault();
    if (fault && fault->way == Way::kReceive) {
      if (fault->error == ENOBUFS) (void)real_->receive(buffer);
      return {0, fault->error};
    }
    auto received = real_->receive(buffer);
    if (received.error != 0 || !fault) return received;
    if (fault->way == Way::kInterrupt) Layer::mark_interrupted(buffer.first(received.size));
    if (fault->way == Way::kCut) return {0, ENOSPC};
    return received;
  }

 private:
  std::unique_ptr<wireguard::NetlinkPort> real_;
  Layer layer_;
};

}  // namespace

const char* name_of(Way way) {
  switch (way) {
    case Way::kOpen:
      return "open";
    case Way::kSend:
      return "send";
    case Way::kAnswer:
      return "answer";
    case Way::kReceive:
      return "receive";
    case Way::kInterrupt:
      return "interrupt";
    case Way::kCut:
      return "cut";
  }
  return "";
}

std::string name_of_error(int error) {
  const char* const name = error == 0 ? nullptr : strerrorname_np(error);
  return name != nullptr ? name : "";
}

void Plan::arm(Fault fault) {
  disarm();
  fault_ = std::move(fault);
}

void Plan::disarm() {
  fault_.reset();
  passed_.clear();
  has_struck_ = false;
}

const Fault* Plan::pass(const std::string& site) {
  const std::size_t nth = ++passed_[site];
  if (!fault_ || fault_->site != site) return nullptr;
  if (nth != fault_->occurrence && !(fault_->for_good && nth > fault_->occurrence)) return nullptr;
  has_struck_ = true;
  return &*fault_;
}

std::size_t Plan::total() const {
  return std::accumulate(passed_.begin(), passed_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& entry) { return sum + entry.second; });
}

network::Transactor::Open faulty_route_channels(Plan& plan) {
  return [&plan]() -> base::Result<std::unique_ptr<network::Channel>> {
    if (const Fault* const fault = plan.pass("route socket")) return base::fail_errno(fault->error, "no socket");
    auto real = network::open_route_channel();
    if (!real) return real;
    return std::make_unique<FaultyChannel>(std::move(*real), plan);
  };
}

network::Watcher::Open faulty_notifications(Plan& plan) {
  return [&plan](std::span<const int> groups) -> base::Result<std::unique_ptr<network::Channel>> {
    if (const Fault* const fault = plan.pass("notification socket")) return base::fail_errno(fault->error, "no socket");
    auto real = network::open_route_channel(groups);
    if (!real) return real;
    return std::make_unique<FaultyNotifications>(std::move(*real), plan);
  };
}

wireguard::NetlinkPortFactory faulty_generic_netlink(Plan& plan) {
  return [&plan]() -> wireguard::OpenedPort {
    if (const Fault* const fault = plan.pass("generic socket")) return tl::unexpected(fault->error);
    auto real = wireguard::open_generic_netlink();
    if (!real) return real;
    return std::make_unique<FaultyPort>(std::move(*real), plan);
  };
}

}  // namespace anubis::faults
