// Requests and answers over a socket that has bad days (F43, F44).
#include "lib/network/transaction.h"

#include <algorithm>
#include <deque>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "lib/network/route_message.h"
#include "lib/network/rtnetlink_network.h"
#include "lib/network/watcher.h"

namespace anubis::network {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Event {  // what a receive() returns
  int error = 0;
  Bytes datagram;
  bool truncated = false;
  std::uint32_t sender = 0;
};

// What the sockets opened one after another share.
struct Kernel {
  std::deque<int> send_errors;                                       // for the next sends; then all succeed
  std::function<std::vector<Event>(const ReceivedMessage&)> answer;  // to each message that arrives
  std::deque<Event> queue;
  std::size_t opened = 0;
  std::vector<std::size_t> sizes;  // messages in each send
};

class ScriptedChannel final : public Channel {
 public:
  explicit ScriptedChannel(Kernel& kernel) : kernel_(kernel) { kernel_.queue.clear(); }

  int send(std::span<const std::uint8_t> bytes) override {
    if (!kernel_.send_errors.empty()) {
      const int error = kernel_.send_errors.front();
      kernel_.send_errors.pop_front();
      return error;
    }
    const auto messages = split(bytes);
    kernel_.sizes.push_back(messages.size());
    for (const ReceivedMessage& message : messages)
      for (Event& event : kernel_.answer(message)) kernel_.queue.push_back(std::move(event));
    return 0;
  }

  tl::expected<Received, int> receive(std::span<std::uint8_t> buffer, std::chrono::milliseconds) override {
    if (kernel_.queue.empty()) return tl::make_unexpected(ETIMEDOUT);
    const Event event = std::move(kernel_.queue.front());
    kernel_.queue.pop_front();
    if (event.error != 0) return tl::make_unexpected(event.error);
    const std::size_t size = std::min(buffer.size(), event.datagram.size());
    std::copy_n(event.datagram.begin(), size, buffer.begin());
    return Received{size, event.truncated || size < event.datagram.size(), event.sender};
  }

  int fd() const override { return -1; }
  std::uint32_t port() const override { return 4711; }

 private:
  Kernel& kernel_;
};

Bytes numbered(const Message& message, std::uint32_t sequence, std::uint16_t flags = 0) {
  Bytes bytes = message.bytes();
  std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_flags), &flags, sizeof flags);
  return bytes;
}

Event answer_to(std::uint32_t sequence, int error = 0) {
  nlmsgerr body{};
  body.error = -error;
  return {0, numbered(Message(NLMSG_ERROR, 0, body), sequence), false, 0};
}

Route route(int number, std::uint32_t ifindex = 7) {
  Route made;
  made.prefix =
      model::IpPrefix::parse("10." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ".0/24")
          .value();
  made.table = 214;
  made.ifindex = ifindex;
  return made;
}

Event dumped(std::uint32_t sequence, const Route& entry, std::uint16_t flags = 0) {
  return {0, numbered(route_addition(entry), sequence, static_cast<std::uint16_t>(NLM_F_MULTI | flags)), false, 0};
}

Event done(std::uint32_t sequence, std::uint16_t flags = 0, int status = 0) {
  return {0, numbered(Message(NLMSG_DONE, 0, status), sequence, static_cast<std::uint16_t>(NLM_F_MULTI | flags)), false,
          0};
}

bool is_ipv4_dump(const ReceivedMessage& message) { return header_of<rtmsg>(message.payload)->rtm_family == AF_INET; }

class Transaction : public testing::Test {
 protected:
  void SetUp() override {
    kernel_.answer = [](const ReceivedMessage& message) { return std::vector{answer_to(message.sequence)}; };
    const auto open = [this]() -> base::Result<std::unique_ptr<Channel>> {
      ++kernel_.opened;
      return std::make_unique<ScriptedChannel>(kernel_);
    };
    transactor_.emplace(std::move(*Transactor::create(open)));
    network_ = std::move(*RtnetlinkNetwork::create(open));
    kernel_.opened = 0;
  }

  std::vector<Answer> execute(int count) {
    std::vector<Message> messages;
    for (int i = 0; i < count; ++i) messages.push_back(route_addition(route(i)));
    return transactor_->execute(messages);
  }

  Kernel kernel_;
  std::optional<Transactor> transactor_;
  std::unique_ptr<RtnetlinkNetwork> network_;
};

TEST_F(Transaction, ManyMessagesTravelTogetherAndEachGetsItsOwnAnswer) {
  std::size_t count = 0;
  kernel_.answer = [&](const ReceivedMessage& message) {
    return std::vector{answer_to(message.sequence, count++ == 70 ? ENOMEM : 0)};
  };
  const auto answers = execute(150);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].error, i == 70 ? ENOMEM : 0) << i;
  EXPECT_THAT(kernel_.sizes, ElementsAre(64, 64, 22));
}

TEST_F(Transaction, F43InterruptedCallsAreRepeated) {
  kernel_.send_errors = {EINTR, EINTR};
  kernel_.answer = [](const ReceivedMessage& message) {
    return std::vector<Event>{{EINTR, {}, false, 0}, {EAGAIN, {}, false, 0}, answer_to(message.sequence)};
  };
  EXPECT_EQ(execute(1)[0].error, 0);
  EXPECT_EQ(kernel_.opened, 0u) << "the socket is still good";
}

TEST_F(Transaction, F43LostAnswerIsAskedForAgainOnAFreshSocketForThatMessageOnly) {
  bool lost = false;
  kernel_.answer = [&](const ReceivedMessage& message) {
    if (message.sequence == 2 && !lost) {
      lost = true;
      return std::vector<Event>{};
    }
    return std::vector{answer_to(message.sequence, message.sequence == 3 ? ENETDOWN : 0)};
  };
  const auto answers = execute(3);
  EXPECT_EQ(answers[0].error, 0);
  EXPECT_EQ(answers[1].error, 0);
  EXPECT_EQ(answers[2].error, ENETDOWN);
  EXPECT_THAT(kernel_.sizes, ElementsAre(3, 1));
  EXPECT_EQ(kernel_.opened, 1u);
}

TEST_F(Transaction, F43OverrunIsNeverTakenForSuccess) {
  kernel_.answer = [](const ReceivedMessage&) { return std::vector<Event>{{ENOBUFS, {}, false, 0}}; };
  const auto answers = execute(100);
  EXPECT_THAT(answers, Each(Field(&Answer::error, ETIMEDOUT)));
  EXPECT_LE(kernel_.sizes.size(), 5u) << "bounded";
}

TEST_F(Transaction, F43AnswersFromStrangersAndToOtherQuestionsAreIgnored) {
  kernel_.answer = [](const ReceivedMessage& message) {
    Event strange = answer_to(message.sequence, EPERM);
    strange.sender = 99;
    return std::vector{strange, answer_to(message.sequence - 1, EPERM), answer_to(message.sequence + 1, EPERM),
                       answer_to(message.sequence)};
  };
  EXPECT_EQ(execute(1)[0].error, 0);
}

// Found by fuzzing: it counted as "there is no such link".
TEST_F(Transaction, AQuestionThatIsOnlyAcknowledgedIsNotAnswered) {
  kernel_.answer = [](const ReceivedMessage& message) { return std::vector{answer_to(message.sequence)}; };
  EXPECT_FALSE(network_->link("wg0"));
}

TEST_F(Transaction, F44InterruptedDumpIsTakenAgain) {
  int dumps = 0;
  kernel_.answer = [&](const ReceivedMessage& message) -> std::vector<Event> {
    if (!is_ipv4_dump(message)) return {done(message.sequence)};
    if (++dumps == 1)
      return {dumped(message.sequence, route(1)), dumped(message.sequence, route(1), NLM_F_DUMP_INTR),
              done(message.sequence)};
    return {dumped(message.sequence, route(2)), done(message.sequence)};
  };
  EXPECT_THAT(network_->routes({}).value(), ElementsAre(route(2))) << "nothing of the first dump";
}

TEST_F(Transaction, F44InterruptionToldAtTheEndCountsToo) {
  int dumps = 0;
  kernel_.answer = [&](const ReceivedMessage& message) -> std::vector<Event> {
    return {done(message.sequence, ++dumps == 1 ? NLM_F_DUMP_INTR : 0)};
  };
  EXPECT_TRUE(network_->routes({}));
  EXPECT_EQ(dumps, 3) << "IPv4 twice, IPv6 once";
}

TEST_F(Transaction, F44DumpThatIsAlwaysInterruptedIsBusy) {
  kernel_.answer = [](const ReceivedMessage& message) -> std::vector<Event> {
    return {done(message.sequence, NLM_F_DUMP_INTR)};
  };
  const auto routes = network_->routes({});
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().code, base::ErrorCode::kBusy);
  EXPECT_THAT(routes.error().message, HasSubstr("it changes faster than it can be read"));
  EXPECT_LE(kernel_.sizes.size(), 5u) << "bounded";
}

TEST_F(Transaction, TruncatedDumpIsTakenAgainWithALargerBuffer) {
  kernel_.answer = [&](const ReceivedMessage& message) -> std::vector<Event> {
    if (!is_ipv4_dump(message)) return {done(message.sequence)};
    Event large{0, {}, false, 0};
    for (int i = 0; large.datagram.size() < 100'000; ++i) {
      const Bytes one = dumped(message.sequence, route(i)).datagram;
      large.datagram.insert(large.datagram.end(), one.begin(), one.end());
    }
    return {large, done(message.sequence)};
  };
  EXPECT_THAT(network_->routes({}).value(), SizeIs(1667)) << "100,000 bytes of 60 each";
}

TEST_F(Transaction, DumpThatFailsUnderwayIsAnErrorEvenAfterRoutesWereRead) {
  kernel_.answer = [](const ReceivedMessage& message) -> std::vector<Event> {
    return {dumped(message.sequence, route(1)), done(message.sequence, 0, -ENOMEM)};
  };
  EXPECT_FALSE(network_->routes({}));
}

TEST_F(Transaction, DumpThatStopsInTheMiddleIsNoList) {
  kernel_.answer = [](const ReceivedMessage& message) -> std::vector<Event> {
    return {dumped(message.sequence, route(1))};
  };
  const auto routes = network_->routes({});
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().code, base::ErrorCode::kTimeout);
}

// ipv6.disable=1: additions are not known for that family; a dump answers for all families, and IPv4's come twice.
TEST_F(Transaction, KernelWithoutIpv6WorksForIpv4AndSaysSoForIpv6) {
  kernel_.answer = [](const ReceivedMessage& message) -> std::vector<Event> {
    if (message.type == RTM_GETROUTE) return {dumped(message.sequence, route(1)), done(message.sequence)};
    if (message.type == RTM_GETRULE)
      return is_ipv4_dump(message) ? std::vector{done(message.sequence)}
                                   : std::vector{answer_to(message.sequence, EAFNOSUPPORT)};
    return {answer_to(message.sequence, is_ipv4_dump(message) ? 0 : EOPNOTSUPP)};
  };
  Route ipv6 = route(1);
  ipv6.prefix = model::IpPrefix::parse("fd44::/64").value();
  const std::vector<Route> both = {ipv6, route(1)};
  const auto failures = network_->add_routes(both);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].index, 0u);
  EXPECT_EQ(failures[0].error.code, base::ErrorCode::kUnsupported);
  EXPECT_THAT(failures[0].error.message, HasSubstr("this kernel has IPv6 switched off"));
  EXPECT_THAT(network_->remove_routes(both), IsEmpty()) << "what cannot be there is gone";
  EXPECT_THAT(network_->routes({}).value(), ElementsAre(route(1)));
  EXPECT_TRUE(network_->rules(kRouteProtocol));
}

TEST_F(Transaction, F43WatcherTellsAnOverrunAndReadsOn) {
  auto channel = std::make_unique<ScriptedChannel>(kernel_);
  kernel_.queue = {{ENOBUFS, {}, false, 0}, {EINTR, {}, false, 0}, dumped(0, route(1)), dumped(0, route(1))};
  Watcher watcher(std::move(channel));
  const auto changes = watcher.drain().value();
  EXPECT_TRUE(changes.overrun);
  EXPECT_THAT(changes.changes, ElementsAre(Change{ChangeKind::kRoute, false, 7, ""})) << "once";
  kernel_.queue = {{EBADF, {}, false, 0}};
  EXPECT_FALSE(watcher.drain());
}

TEST_F(Transaction, WatcherReadsABoundedAmountAtOnce) {
  auto channel = std::make_unique<ScriptedChannel>(kernel_);
  for (int i = 0; i < 1000; ++i) kernel_.queue.push_back(dumped(0, route(1)));
  Watcher watcher(std::move(channel));
  EXPECT_TRUE(watcher.drain().value().more);
  EXPECT_FALSE(kernel_.queue.empty());
}

}  // namespace
}  // namespace anubis::network
