#include "anubisd/side_service.h"

#include <cstring>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "anubisd/socket_address.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
wire::Datagram datagram(std::string_view text) { return {text.begin(), text.end()}; }

// Somebody else's socket on the loopback interface.
class Neighbour {
 public:
  explicit Neighbour(const model::IpAddress& address)
      : fd_(socket(address.family() == model::Family::kV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    SocketAddress own = to_socket_address({.address = address});
    if (bind(fd_.get(), &own.generic, own.size) != 0) ADD_FAILURE() << "bind: " << strerror(errno);
    socklen_t size = sizeof own.v6;
    if (getsockname(fd_.get(), &own.generic, &size) != 0) ADD_FAILURE() << "getsockname";
    endpoint_ = to_endpoint(own.generic, size).value_or(model::Endpoint{});
  }

  void send(const model::Endpoint& to, std::string_view text) const {
    const SocketAddress address = to_socket_address(to);
    EXPECT_EQ(sendto(fd_.get(), text.data(), text.size(), 0, &address.generic, address.size),
              static_cast<ssize_t>(text.size()));
  }
  // What has arrived.
  [[nodiscard]] std::vector<std::string> take() const {
    std::vector<std::string> all;
    char buffer[2048];
    for (ssize_t size = 0; (size = recv(fd_.get(), buffer, sizeof buffer, 0)) >= 0;) {
      all.emplace_back(buffer, static_cast<std::size_t>(size));
    }
    return all;
  }
  [[nodiscard]] const model::Endpoint& endpoint() const { return endpoint_; }

 private:
  base::Fd fd_;
  model::Endpoint endpoint_;
};

// Answers everything with itself.
class Echo : public SideService::Handler {
 public:
  void receive(std::span<const SideService::Received> batch) override {
    batches.push_back(batch.size());
    for (const auto& each : batch) {
      received.push_back(text_of(each.bytes));
      sources.push_back(each.source);
      service->send(each.source, {each.bytes.begin(), each.bytes.end()});
    }
  }

  std::unique_ptr<SideService> service;
  std::vector<std::size_t> batches;
  std::vector<std::string> received;
  std::vector<model::Endpoint> sources;
};

class SideServiceTest : public LoopTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    address_ = *model::IpAddress::parse(GetParam());
    if (address_.family() == model::Family::kV6) {
      const base::Fd probe(socket(AF_INET6, SOCK_DGRAM, 0));
      const SocketAddress loopback = to_socket_address({.address = address_});
      if (!probe || bind(probe.get(), &loopback.generic, loopback.size) != 0) GTEST_SKIP() << "no IPv6 here";
    }
    // As netd does it.
    const auto widen = [](int socket) -> base::Status {
      constexpr int kBytes = 8 << 20;
      (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kBytes, sizeof kBytes);
      return {};
    };
    auto service = SideService::create(loop_, {.address = address_, .widen_receive_buffer = widen}, echo_);
    ASSERT_TRUE(service) << service.error().message;
    echo_.service = std::move(*service);
    own_ = {.address = address_, .port = echo_.service->port()};
  }

  model::IpAddress address_;
  model::Endpoint own_;
  Echo echo_;
};

INSTANTIATE_TEST_SUITE_P(Families, SideServiceTest, testing::Values("127.0.0.1", "::1"),
                         [](const auto& test) { return std::string(test.param) == "::1" ? "IPv6" : "IPv4"; });

TEST_P(SideServiceTest, HandsOverWhatCameAndWhence) {
  const Neighbour neighbour(address_);
  neighbour.send(own_, "one");
  neighbour.send(own_, "");
  ASSERT_TRUE(run_until([&] { return echo_.received.size() == 2; }));
  EXPECT_THAT(echo_.received, ElementsAre("one", ""));
  EXPECT_THAT(echo_.sources, Each(neighbour.endpoint()));
}

TEST_P(SideServiceTest, AnswersGoOutWithoutAFlush) {
  const Neighbour neighbour(address_);
  neighbour.send(own_, "question");
  std::vector<std::string> answers;
  ASSERT_TRUE(run_until([&] { return !(answers = neighbour.take()).empty(); }));
  EXPECT_THAT(answers, ElementsAre("question"));
  EXPECT_EQ(echo_.service->counters().received, 1u);
  EXPECT_EQ(echo_.service->counters().sent, 1u);
}

TEST_P(SideServiceTest, TakesManyInBatchesAndLosesNone) {
  constexpr std::size_t kMany = 200;
  const Neighbour neighbour(address_);
  for (std::size_t i = 0; i < kMany; ++i) neighbour.send(own_, std::to_string(i));
  std::size_t answered = 0;
  ASSERT_TRUE(run_until([&] { return (answered += neighbour.take().size()) == kMany; }));
  ASSERT_THAT(echo_.received, SizeIs(kMany));
  for (std::size_t i = 0; i < kMany; ++i) ASSERT_EQ(echo_.received[i], std::to_string(i));
  EXPECT_EQ(echo_.batches.front(), 64u);
  EXPECT_LE(echo_.batches.size(), kMany / 64 + 2);
}

// F66: whoever floods the service does not keep the loop to himself.
TEST_P(SideServiceTest, OthersGetTheirTurnDuringAFlood) {
  const Neighbour neighbour(address_);
  for (int i = 0; i < 1000; ++i) neighbour.send(own_, "flood");
  std::optional<std::size_t> seen_at_turn;
  loop_.post([&] { loop_.post([&] { seen_at_turn = echo_.received.size(); }); });
  ASSERT_TRUE(run_until([&] { return echo_.received.size() == 1000; }));
  ASSERT_TRUE(seen_at_turn);
  EXPECT_LE(*seen_at_turn, 512u);
}

TEST_P(SideServiceTest, LongDatagramsComeCutToOneByteTooMany) {
  const Neighbour neighbour(address_);
  neighbour.send(own_, std::string(wire::kMaxDatagramSize, 'x'));
  neighbour.send(own_, std::string(1400, 'y'));
  ASSERT_TRUE(run_until([&] { return echo_.received.size() == 2; }));
  EXPECT_EQ(echo_.received[0], std::string(wire::kMaxDatagramSize, 'x'));
  EXPECT_EQ(echo_.received[1], std::string(wire::kMaxDatagramSize + 1, 'y'));
}

TEST_P(SideServiceTest, WhatCannotBeSentIsCountedAndTheRestStillGoes) {
  const Neighbour neighbour(address_);
  // An address of the other family: the socket refuses it.
  const bool is_v4 = address_.family() == model::Family::kV4;
  const model::Endpoint impossible{.address = *model::IpAddress::parse(is_v4 ? "::1" : "127.0.0.1"), .port = 9};
  echo_.service->send(neighbour.endpoint(), datagram("before"));
  echo_.service->send(impossible, datagram("lost"));
  echo_.service->send(neighbour.endpoint(), datagram("after"));
  echo_.service->flush();
  EXPECT_THAT(neighbour.take(), ElementsAre("before", "after"));
  EXPECT_EQ(echo_.service->counters().sent, 2u);
  EXPECT_EQ(echo_.service->counters().not_sent, 1u);
}

TEST_P(SideServiceTest, SurvivesThatNobodyListensWhereItSends) {
  std::optional<Neighbour> gone(std::in_place, address_);
  const model::Endpoint nobody = gone->endpoint();
  gone.reset();
  for (int i = 0; i < 3; ++i) {
    echo_.service->send(nobody, datagram("hello"));
    echo_.service->flush();
    run_for(5ms);
  }
  const Neighbour neighbour(address_);
  neighbour.send(own_, "still there?");
  EXPECT_TRUE(run_until([&] { return echo_.received.size() == 1; }));
}

TEST_P(SideServiceTest, SaysWhatItCouldNotBindTo) {
  Echo other;
  const auto second = SideService::create(loop_, {.address = address_, .port = own_.port}, other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::kExists);
  EXPECT_THAT(second.error().message, testing::HasSubstr(own_.to_string()));
  const auto nowhere = SideService::create(loop_, {.address = address_, .interface = "no-such-link"}, other);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, testing::HasSubstr("no-such-link"));
}

}  // namespace
}  // namespace anubis::daemon
