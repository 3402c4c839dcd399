// UapiConnection against servers of several tempers.
#include "lib/wireguard/uapi_connection.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/wireguard/userspace_device.h"
#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

// Serves a fixed number of connections in a thread, one after another.
class Server {
 public:
  Server(std::string path, int connections, std::function<void(int)> serve)
      : path_(std::move(path)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const void* const generic = &address;
    EXPECT_EQ(bind(listener_.get(), static_cast<const sockaddr*>(generic), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    thread_ = std::thread([this, connections, serve = std::move(serve)] {
      for (int i = 0; i < connections; ++i) {
        const base::Fd connection(accept(listener_.get(), nullptr, nullptr));
        if (!connection) return;
        ++served_;
        serve(connection.get());
      }
    });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    unlink(path_.c_str());
  }
  [[nodiscard]] int served() const { return served_; }

 private:
  std::string path_;
  base::Fd listener_;
  std::atomic<int> served_ = 0;
  std::thread thread_;
};

// Reads a request up to its empty line. False at the end.
bool read_request(int socket, std::string& request) {
  request.clear();
  char byte = 0;
  while (!request.ends_with("\n\n")) {
    if (read(socket, &byte, 1) != 1) return false;
    request.push_back(byte);
  }
  return true;
}

void say(int socket, std::string_view text) { EXPECT_EQ(write(socket, text.data(), text.size()), std::ssize(text)); }

class UapiConnectionTest : public ::testing::Test {
 protected:
  UapiConnectionTest() {
    char pattern[] = "/tmp/anubis-uapi.XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = uapi_socket_path(directory_, "wg0");
  }
  ~UapiConnectionTest() override { rmdir(directory_.c_str()); }

  tl::expected<void, int> ask(UapiConnection& connection) {
    UapiReplyParser parser;
    return connection.ask("set=1\n\n", parser);
  }

  std::string directory_;
  std::string path_;
};

TEST_F(UapiConnectionTest, NobodyThere) {
  UapiConnection connection(path_);
  EXPECT_EQ(ask(connection).error(), ENOENT);
  auto device = UserspaceDevice::create("wg0", directory_).value();
  EXPECT_EQ(device->dump().error().code, base::ErrorCode::kNotFound);
  const std::vector<PeerChange> changes{{.public_key = cheap_key(1)}};
  EXPECT_EQ(device->apply(changes).at(0).state, FailedState::kNotApplied);
}

TEST_F(UapiConnectionTest, PathTooLongIsAnError) {
  UapiConnection connection(std::string(200, 'x'));
  EXPECT_EQ(ask(connection).error(), ENAMETOOLONG);
}

TEST_F(UapiConnectionTest, StaysConnectedWhereTheServerDoes) {
  Server server(path_, 1, [](int socket) {
    for (std::string request; read_request(socket, request);) say(socket, "errno=0\n\n");
  });
  UapiConnection connection(path_);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(ask(connection));
  EXPECT_EQ(server.served(), 1);
}

TEST_F(UapiConnectionTest, ServerThatHangsUpAfterEachRequestIsConnectedToAgain) {
  Server server(path_, 10, [](int socket) {
    std::string request;
    if (read_request(socket, request)) say(socket, "errno=0\n\n");
  });
  UapiConnection connection(path_);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(ask(connection)) << i;
  EXPECT_EQ(server.served(), 10);
}

TEST_F(UapiConnectionTest, HangUpWithoutReplyIsNeverAnOk) {
  Server server(path_, 1, [](int socket) {
    std::string request;
    read_request(socket, request);
  });
  UapiConnection connection(path_);
  EXPECT_EQ(ask(connection).error(), ECONNRESET);
}

TEST_F(UapiConnectionTest, HangUpInTheMiddleOfAReplyIsNeverAnOk) {
  Server server(path_, 1, [](int socket) {
    std::string request;
    read_request(socket, request);
    say(socket, "errno=0\n");
  });
  UapiConnection connection(path_);
  EXPECT_EQ(ask(connection).error(), ECONNRESET);
}

TEST_F(UapiConnectionTest, ErrorIsReadAndTheNextRequestIsNotTakenForItsRest) {
  // As wireguard-go does: it stops reading at the line that is wrong, tells the error, and takes what is left for the
  // next request. Here it is slow to hang up.
  Server server(path_, 2, [](int socket) {
    char bytes[6];
    EXPECT_EQ(read(socket, bytes, sizeof bytes), 6);
    say(socket, "errno=-22\n\n");
    std::string rest;
    for (char byte = 0; read(socket, &byte, 1) == 1;) rest.push_back(byte);
    EXPECT_EQ(rest, "nonsense=1\n\n");
  });
  UapiConnection connection(path_);
  for (int i = 0; i < 2; ++i) {
    UapiReplyParser parser;
    const auto asked = connection.ask("set=1\nnonsense=1\n\n", parser);
    ASSERT_TRUE(asked) << asked.error();
    EXPECT_EQ(parser.error(), EINVAL);
  }
  EXPECT_EQ(server.served(), 2);
}

TEST_F(UapiConnectionTest, GarbageIsAnErrorAndTheNextRequestStartsAfresh) {
  std::atomic<int> replies = 0;
  Server server(path_, 2, [&replies](int socket) {
    for (std::string request; read_request(socket, request);) {
      say(socket, ++replies == 1 ? "hello\n" : "errno=0\n\n");
    }
  });
  UapiConnection connection(path_);
  EXPECT_EQ(ask(connection).error(), EBADMSG);
  EXPECT_TRUE(ask(connection));
}

TEST_F(UapiConnectionTest, AnswerThatCameTooLateIsNotTakenForTheNext) {
  std::atomic<int> connections = 0;
  std::atomic<bool> is_late = false;
  Server server(path_, 2, [&connections, &is_late](int socket) {
    const bool first = ++connections == 1;
    for (std::string request; read_request(socket, request);) {
      say(socket, "errno=0\n\n");
      if (!first) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      say(socket, "errno=22\n\n");
      is_late = true;
      is_late.notify_all();
    }
  });
  UapiConnection connection(path_);
  ASSERT_TRUE(ask(connection));
  is_late.wait(false);
  UapiReplyParser parser;
  ASSERT_TRUE(connection.ask("set=1\n\n", parser));
  EXPECT_EQ(parser.error(), 0);
  EXPECT_EQ(server.served(), 2);
}

TEST_F(UapiConnectionTest, LongReplyIsReadToItsEnd) {
  Server server(path_, 1, [](int socket) {
    std::string request;
    ASSERT_TRUE(read_request(socket, request));
    EXPECT_EQ(request, "get=1\n\n");
    std::string reply;
    for (int i = 0; i < 65536; ++i) {
      char key[65];
      std::snprintf(key, sizeof key, "%08x%056d", static_cast<unsigned>(i), 1);
      reply += "public_key=" + std::string(key) + "\nallowed_ip=10.0.0.0/8\nallowed_ip=fd44::/64\n";
    }
    say(socket, reply + "errno=0\n\n");
  });
  auto device = UserspaceDevice::create("wg0", directory_).value();
  EXPECT_EQ(device->dump().value().peers.size(), 65536u);
}

}  // namespace
}  // namespace anubis::wireguard
