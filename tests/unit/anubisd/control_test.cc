// The control socket with real sockets and clients that behave as badly as they can.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <control.pb.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "anubisd/control/server.h"
#include "tests/unit/anubisd/folder.h"
#include "tests/unit/anubisd/loop_fixture.h"
#include "tests/unit/anubisd/test_client.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string up_command(const std::string& name) {
  control::Command command;
  command.mutable_up()->set_name(name);
  return frame(command.SerializeAsString());
}

class ControlTest : public LoopTest, public ControlServer::Handler {
 protected:
  void start(std::optional<gid_t> group = std::nullopt) {
    auto listener = ControlListener::bind(path_, group);
    ASSERT_TRUE(listener) << listener.error().message;
    server_.emplace(loop_, std::move(*listener), group, "anubis", *this);
    ASSERT_TRUE(server_->start());
  }
  void finish(ClientId client, std::string message) {
    control::Done done;
    done.set_message(std::move(message));
    server_->find(client)->finish(std::move(done));
  }
  bool run_until_closed(TestClient& client) {
    return run_until([&] { return client.closed(); });
  }

  void command(ClientId client, const control::Command& command) override {
    commands_.push_back(command);
    if (on_command_) on_command_(client, command);
  }
  void client_gone(ClientId client) override { gone_.push_back(client); }

  Folder folder_;
  std::filesystem::path path_ = folder_ / "control.sock";
  std::optional<ControlServer> server_;
  std::function<void(ClientId, const control::Command&)> on_command_;
  std::vector<control::Command> commands_;
  std::vector<ClientId> gone_;
};

TEST_F(ControlTest, ACommandIsAnsweredAndTheConnectionClosed) {
  start();
  on_command_ = [&](ClientId client, const control::Command& command) { finish(client, command.up().name()); };
  TestClient client(path_);
  client.send(up_command("jacinth"));
  ASSERT_TRUE(run_until_closed(client));
  ASSERT_THAT(client.responses(), SizeIs(1));
  EXPECT_EQ(client.responses()[0].done().message(), "jacinth");
  EXPECT_THAT(gone_, SizeIs(1));
}

TEST_F(ControlTest, ACommandMayComeByteByByte) {
  start();
  on_command_ = [&](ClientId client, const control::Command&) { finish(client, "heard"); };
  TestClient client(path_);
  for (const char byte : up_command("jacinth")) {
    EXPECT_THAT(commands_, SizeIs(0));
    client.send({&byte, 1});
    run_for(2ms);
  }
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_THAT(commands_, SizeIs(1));
}

TEST_F(ControlTest, GarbageIsClosedWithoutAnAnswer) {
  start();
  const std::string too_long("\x00\x01\x00\x01", 4);  // 64 KiB and one byte
  for (const std::string& garbage :
       {frame("\xff\xff\xff"), too_long, std::string("GET / HTTP/1.1\r\n\r\n"), up_command("jacinth") + "more"}) {
    TestClient client(path_);
    client.send(garbage);
    EXPECT_TRUE(run_until_closed(client));
    EXPECT_THAT(client.responses(), SizeIs(0));
  }
  EXPECT_THAT(commands_, SizeIs(0));
}

// Found by fuzzing: protobuf wrote a line of its own to standard error for each.
TEST_F(ControlTest, ANameThatIsNoTextIsClosedWithoutAWordInTheLog) {
  start();
  testing::internal::CaptureStderr();
  TestClient client(path_);
  client.send(frame(std::string("\x0a\x03\x0a\x01\xff", 5)));  // up, of a name that is not UTF-8
  EXPECT_TRUE(run_until_closed(client));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(commands_, SizeIs(0));
}

TEST_F(ControlTest, AnAnswerToAClientThatHasGoneIsNobodys) {
  start();
  std::optional<ClientId> asked;
  on_command_ = [&](ClientId client, const control::Command&) { asked = client; };
  {
    TestClient client(path_);
    client.send(up_command("jacinth"));
    ASSERT_TRUE(run_until([&] { return asked.has_value(); }));
    EXPECT_NE(server_->find(*asked), nullptr);
  }
  ASSERT_TRUE(run_until([&] { return !gone_.empty(); }));
  EXPECT_EQ(server_->find(*asked), nullptr);
}

TEST_F(ControlTest, AStreamIsProducedOnlyAsItIsRead) {
  start();
  constexpr unsigned kMany = 20'000;
  unsigned produced = 0;
  on_command_ = [&](ClientId client, const control::Command&) {
    server_->find(client)->stream([&] {
      control::Response response;
      if (produced == kMany) {
        response.mutable_done();
      } else {
        response.mutable_authorised()->set_name("peer " + std::to_string(produced++) + std::string(100, '.'));
      }
      return response;
    });
  };
  TestClient client(path_);
  client.send(up_command("x"));
  ASSERT_TRUE(run_until([&] { return produced > 100; }));
  run_for(50ms);
  EXPECT_LT(produced, kMany / 2) << "nobody has read anything yet";
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_THAT(client.responses(), SizeIs(kMany + 1));
}

TEST_F(ControlTest, AMonitorThatDoesNotReadIsCutOff) {
  start();
  std::optional<ClientId> monitor;
  on_command_ = [&](ClientId client, const control::Command&) { monitor = client; };
  TestClient client(path_);
  client.send(up_command("x"));
  ASSERT_TRUE(run_until([&] { return monitor.has_value(); }));
  control::Response event;
  event.mutable_event()->set_reason(std::string(1000, 'x'));
  int sent = 0;
  for (; gone_.empty() && sent < 10'000; ++sent) server_->find(*monitor)->send(event);
  EXPECT_THAT(gone_, ElementsAre(*monitor));
  EXPECT_LT(sent, 2'000);
}

TEST_F(ControlTest, TheSixtyFifthClientIsToldSo) {
  start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (std::size_t i = 0; i < ControlServer::kMaxClients; ++i) clients.push_back(std::make_unique<TestClient>(path_));
  run_for(50ms);
  TestClient late(path_);
  ASSERT_TRUE(run_until_closed(late));
  ASSERT_THAT(late.responses(), SizeIs(1));
  EXPECT_EQ(late.responses()[0].done().status(), control::FAILED);
  EXPECT_THAT(late.responses()[0].done().message(), HasSubstr("64 clients"));

  clients.pop_back();
  ASSERT_TRUE(run_until([&] { return gone_.size() == 1; }));
  on_command_ = [&](ClientId client, const control::Command&) { finish(client, "welcome"); };
  TestClient next(path_);
  next.send(up_command("jacinth"));
  ASSERT_TRUE(run_until_closed(next));
  EXPECT_THAT(next.responses(), SizeIs(1));
}

// One user's many clients, none of which says anything.
TEST_F(ControlTest, OneUserCannotKeepOthersOut) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  constexpr gid_t kGroup = 54325;
  constexpr std::size_t kTries = 200;
  start(kGroup);
  ASSERT_EQ(chmod(path_.parent_path().c_str(), 0755), 0);
  std::array<int, 2> done{};
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const gid_t group = kGroup;
    if (setgroups(1, &group) != 0 || setgid(54321) != 0 || setuid(54321) != 0) _exit(1);
    std::size_t refused = 0;
    std::vector<std::unique_ptr<TestClient>> clients;
    for (std::size_t i = 0; i < kTries; ++i) {
      clients.push_back(std::make_unique<TestClient>(path_));
      if (clients.size() <= ControlServer::kMaxClientsOfUser) continue;
      for (int wait = 0; wait < 20'000 && !clients.back()->closed(); ++wait) usleep(1000);
      refused += clients.back()->responses().size() == 1 ? 1 : 0;
      clients.pop_back();
    }
    close(done[1]);
    char byte = 0;
    (void)!read(done[0], &byte, 1);
    _exit(refused == kTries - ControlServer::kMaxClientsOfUser ? 0 : 2);
  }
  close(done[0]);
  bool others_served = true;
  int status = -1;
  on_command_ = [&](ClientId client, const control::Command&) { finish(client, "welcome"); };
  for (int i = 0; i < 40; ++i) {
    run_for(20ms);
    TestClient root(path_);
    root.send(up_command("jacinth"));
    others_served = others_served && run_until_closed(root) && root.responses().size() == 1;
  }
  close(done[1]);
  EXPECT_TRUE(others_served);
  ASSERT_TRUE(run_until([&] { return waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The mode of the socket keeps others out already; the daemon does not rely on it.
TEST_F(ControlTest, F62WhoIsNotInTheGroupIsRefusedByItsCredentials) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  start(gid_t{54325});
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(chmod(path_.parent_path().c_str(), 0755), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(54321) != 0 || setuid(54321) != 0) _exit(1);
    TestClient client(path_);
    for (int i = 0; i < 20'000 && !client.closed(); ++i) usleep(1000);
    const auto responses = client.responses();
    const bool refused = responses.size() == 1 && responses[0].done().status() == control::NOT_PERMITTED &&
                         responses[0].done().message().find("usermod -aG anubis") != std::string::npos;
    _exit(refused ? 0 : 2);
  }
  int status = -1;
  ASSERT_TRUE(run_until([&] { return waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_THAT(commands_, SizeIs(0));
}

TEST_F(ControlTest, AfterCloseTheSocketIsGoneButClientsAreServed) {
  start();
  std::optional<ClientId> asked;
  on_command_ = [&](ClientId client, const control::Command&) { asked = client; };
  TestClient client(path_);
  client.send(up_command("jacinth"));
  ASSERT_TRUE(run_until([&] { return asked.has_value(); }));
  server_->close();
  EXPECT_FALSE(std::filesystem::exists(path_));
  finish(*asked, "done");
  ASSERT_TRUE(run_until_closed(client));
  EXPECT_THAT(client.responses(), SizeIs(1));
}

}  // namespace
}  // namespace anubis::daemon
