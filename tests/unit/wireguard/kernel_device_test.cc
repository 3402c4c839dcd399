// KernelDevice against a scripted netlink socket: what goes wrong with netlink, and that nothing is taken for done
// that is not (F43, F44).
#include "lib/wireguard/kernel_device.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;

using Bytes = std::vector<std::uint8_t>;

// One event on the socket: how a send ends, or what a receive brings. Sequence numbers are filled in.
struct Event {
  enum class Kind { kSend, kReceive } kind;
  int error = 0;
  Bytes datagram;
};

Event sent(int error = 0) { return {Event::Kind::kSend, error, {}}; }
Event receive_fails(int error) { return {Event::Kind::kReceive, error, {}}; }

template <class Fill>
Bytes message(std::uint16_t type, std::uint16_t flags, Fill fill) {
  alignas(nlmsghdr) std::uint8_t buffer[1024] = {};
  nlmsghdr* const header = mnl_nlmsg_put_header(buffer);
  header->nlmsg_type = type;
  header->nlmsg_flags = flags;
  fill(header);
  return Bytes(buffer, buffer + header->nlmsg_len);
}

Event receive(std::initializer_list<Bytes> messages) {
  Event event{Event::Kind::kReceive, 0, {}};
  for (const auto& one : messages) event.datagram.insert(event.datagram.end(), one.begin(), one.end());
  return event;
}

Bytes status(std::uint16_t type, int error, std::uint16_t flags = 0) {
  return message(type, flags, [error](nlmsghdr* header) {
    const std::int32_t value = -error;
    std::memcpy(mnl_nlmsg_put_extra_header(header, sizeof value), &value, sizeof value);
    if (header->nlmsg_type == NLMSG_ERROR) mnl_nlmsg_put_extra_header(header, sizeof(nlmsghdr));
  });
}
Bytes ack(int error = 0) { return status(NLMSG_ERROR, error); }
Bytes done(std::uint16_t flags = 0) { return status(NLMSG_DONE, 0, flags); }

Bytes family() {
  return message(GENL_ID_CTRL, 0, [](nlmsghdr* header) {
    mnl_nlmsg_put_extra_header(header, GENL_HDRLEN);
    mnl_attr_put_u16(header, CTRL_ATTR_FAMILY_ID, 0x23);
  });
}

Bytes device(std::uint32_t peer, std::uint16_t flags = 0) {
  return message(0x23, static_cast<std::uint16_t>(NLM_F_MULTI | flags), [peer](nlmsghdr* header) {
    mnl_nlmsg_put_extra_header(header, GENL_HDRLEN);
    mnl_attr_put_u16(header, WGDEVICE_A_LISTEN_PORT, 4296);
    nlattr* const list = mnl_attr_nest_start(header, WGDEVICE_A_PEERS);
    nlattr* const nest = mnl_attr_nest_start(header, 0);
    mnl_attr_put(header, WGPEER_A_PUBLIC_KEY, 32, cheap_key(peer).bytes.data());
    mnl_attr_nest_end(header, nest);
    mnl_attr_nest_end(header, list);
  });
}

// Outlives the ports that play it: a port that is opened anew goes on with the same script.
struct Script {
  std::deque<Event> events;
  std::uint32_t sequence = 0;
  int opened = 0;
  int unexpected = 0;
  bool wrong_sequence = false;

  Event take(Event::Kind kind) {
    if (events.empty() || events.front().kind != kind) {
      ++unexpected;
      return {kind, EIO, {}};
    }
    auto event = std::move(events.front());
    events.pop_front();
    return event;
  }
};

class ScriptedPort final : public NetlinkPort {
 public:
  explicit ScriptedPort(Script& script) : script_(script) {}
  int send(std::span<const std::uint8_t> bytes) override {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    script_.sequence = header.nlmsg_seq;
    return script_.take(Event::Kind::kSend).error;
  }
  Received receive(std::span<std::uint8_t> buffer) override {
    auto event = script_.take(Event::Kind::kReceive);
    if (event.error != 0) return {0, event.error};
    for (std::size_t at = 0; at < event.datagram.size();) {
      nlmsghdr header{};
      std::memcpy(&header, event.datagram.data() + at, sizeof header);
      header.nlmsg_seq = script_.sequence + (script_.wrong_sequence ? 1000 : 0);
      std::memcpy(event.datagram.data() + at, &header, sizeof header);
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
    script_.wrong_sequence = false;
    std::ranges::copy(event.datagram, buffer.begin());
    return {event.datagram.size(), 0};
  }

 private:
  Script& script_;
};

class KernelDeviceTest : public ::testing::Test {
 protected:
  std::unique_ptr<KernelDevice> create() {
    expect({sent(), receive({family(), ack()})});
    auto created = KernelDevice::create("wg0", factory());
    EXPECT_TRUE(created);
    return std::move(*created);
  }
  NetlinkPortFactory factory() {
    return [this]() -> OpenedPort {
      ++script_.opened;
      return std::make_unique<ScriptedPort>(script_);
    };
  }
  void expect(std::initializer_list<Event> events) { script_.events.insert(script_.events.end(), events); }
  void TearDown() override {
    EXPECT_EQ(script_.unexpected, 0);
    EXPECT_TRUE(script_.events.empty()) << script_.events.size() << " events were not used";
  }

  Script script_;
};

const std::vector<PeerChange> kOnePeer{{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/16"})}};

TEST_F(KernelDeviceTest, KernelWithoutWireguardIsUnsupported) {
  expect({sent(), receive({ack(ENOENT)})});
  EXPECT_EQ(KernelDevice::create("wg0", factory()).error().code, ErrorCode::kUnsupported);
}

TEST_F(KernelDeviceTest, SocketThatCannotBeOpenedIsAnError) {
  const auto refuse = []() -> OpenedPort { return tl::unexpected(EMFILE); };
  EXPECT_EQ(KernelDevice::create("wg0", refuse).error().code, ErrorCode::kFull);
}

TEST_F(KernelDeviceTest, AppliedWhenTheKernelSaysSo) {
  auto device = create();
  expect({sent(), receive({ack()})});
  EXPECT_TRUE(device->apply(kOnePeer).empty());
}

TEST_F(KernelDeviceTest, F43SendIsRepeatedWhenTheKernelDidNotTakeIt) {
  auto device = create();
  expect({sent(EINTR), sent(ENOBUFS), sent(EAGAIN), sent(), receive_fails(EINTR), receive({ack()})});
  EXPECT_TRUE(device->apply(kOnePeer).empty());
}

TEST_F(KernelDeviceTest, F43LostAcknowledgementIsAskedForAgainOnANewSocket) {
  auto device = create();
  expect({sent(), receive_fails(ENOBUFS), sent(), receive({ack()})});
  EXPECT_TRUE(device->apply(kOnePeer).empty());
  EXPECT_EQ(script_.opened, 2);
}

TEST_F(KernelDeviceTest, F43AcknowledgementsThatStayLostAreNeverAnOk) {
  auto device = create();
  for (int i = 0; i < 4; ++i) expect({sent(), receive_fails(ENOBUFS)});
  const auto failures = device->apply(kOnePeer);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].state, FailedState::kUnknown);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kBusy);
}

TEST_F(KernelDeviceTest, F43SilenceIsNeverAnOk) {
  auto device = create();
  expect({sent(), receive_fails(EAGAIN)});
  const auto failures = device->apply(kOnePeer);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].state, FailedState::kUnknown);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kTimeout);
}

TEST_F(KernelDeviceTest, AcknowledgementOfAnotherRequestIsNotOurs) {
  auto device = create();
  script_.wrong_sequence = true;
  expect({sent(), receive({ack()}), receive({ack(ENODEV)})});
  const auto failures = device->apply(kOnePeer);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kNotFound);
  EXPECT_EQ(failures[0].state, FailedState::kNotApplied);
}

TEST_F(KernelDeviceTest, SignalsWithoutEndDoNotLoopForEver) {
  auto device = create();
  expect({sent()});
  for (int i = 0; i < 64; ++i) expect({receive_fails(EINTR)});
  EXPECT_EQ(device->apply(kOnePeer).at(0).state, FailedState::kUnknown);
}

TEST_F(KernelDeviceTest, F42OutOfMemoryRemovesThePeer) {
  auto device = create();
  // The batch, the one change again, and its removal.
  expect({sent(), receive({ack(ENOMEM)}), sent(), receive({ack(ENOMEM)}), sent(), receive({ack()})});
  const auto failures = device->apply(kOnePeer);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].state, FailedState::kNotApplied);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kFull);
}

TEST_F(KernelDeviceTest, WhatTheKernelRefusesHasItsOwnSentence) {
  const std::pair<int, ErrorCode> cases[] = {
      {ENODEV, ErrorCode::kNotFound}, {EOPNOTSUPP, ErrorCode::kExists}, {EPERM, ErrorCode::kPermission}};
  auto device = create();
  for (const auto& [error, code] : cases) {
    expect({sent(), receive({ack(error)})});
    const auto failures = device->apply(kOnePeer);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].error.code, code);
    EXPECT_NE(failures[0].error.message.find("wg0"), std::string::npos);
  }
  expect({sent(), receive({wireguard::device(1)}), sent(), receive({ack(EADDRINUSE)})});
  EXPECT_EQ(device->configure({nullptr, 5000, {}}).error().code, ErrorCode::kExists);
}

TEST_F(KernelDeviceTest, ConfigureWritesNothingWhenAllIsThere) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1)})});
  EXPECT_TRUE(device->configure({nullptr, 4296, 0}));
}

TEST_F(KernelDeviceTest, InfoReadsOneMessageAndForgetsTheRest) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1)}), sent(), receive({wireguard::device(2)}), receive({done()})});
  EXPECT_EQ(device->info().value().listen_port, 4296);
  EXPECT_EQ(device->dump().value().peers.at(0).public_key, cheap_key(2));
  EXPECT_EQ(script_.opened, 2) << "the rest of the first dump must not be taken for the second";
}

TEST_F(KernelDeviceTest, DumpOfSeveralMessages) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1), wireguard::device(2)}), receive({wireguard::device(3), done()})});
  EXPECT_EQ(device->dump().value().peers.size(), 3u);
}

TEST_F(KernelDeviceTest, F44InterruptedDumpIsTakenAgain) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1)}), receive({wireguard::device(2, NLM_F_DUMP_INTR)}),  //
          sent(), receive({wireguard::device(3)}), receive({done(NLM_F_DUMP_INTR)}),                  //
          sent(), receive({wireguard::device(4)}), receive({done()})});
  const auto state = device->dump().value();
  ASSERT_EQ(state.peers.size(), 1u);
  EXPECT_EQ(state.peers[0].public_key, cheap_key(4));
}

TEST_F(KernelDeviceTest, F44DumpInterruptedForEverIsAnErrorAfterTenTimes) {
  auto device = create();
  for (int i = 0; i < 10; ++i) expect({sent(), receive({wireguard::device(1, NLM_F_DUMP_INTR)})});
  EXPECT_EQ(device->dump().error().code, ErrorCode::kBusy);
}

TEST_F(KernelDeviceTest, F43TruncatedOrOverrunDumpIsTakenAgain) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1)}), receive_fails(ENOSPC),   // MSG_TRUNC
          sent(), receive({wireguard::device(1)}), receive_fails(ENOBUFS),  //
          sent(), receive({wireguard::device(2), done()})});
  EXPECT_EQ(device->dump().value().peers.size(), 1u);
}

TEST_F(KernelDeviceTest, DumpThatEndsInAnErrorIsAnError) {
  auto device = create();
  expect({sent(), receive({wireguard::device(1)}), receive({status(NLMSG_DONE, ENOMEM)})});
  EXPECT_FALSE(device->dump());
}

TEST_F(KernelDeviceTest, DatagramThatIsNotNetlinkIsAnError) {
  auto device = create();
  expect({sent(), receive({Bytes{}})});
  EXPECT_FALSE(device->dump());
  auto cut = wireguard::device(1);
  cut.resize(NLMSG_HDRLEN + 2);
  std::uint32_t size = static_cast<std::uint32_t>(cut.size());
  std::memcpy(cut.data(), &size, sizeof size);
  expect({sent(), receive({cut})});
  EXPECT_FALSE(device->dump());
}

}  // namespace
}  // namespace anubis::wireguard
