#include <cerrno>
#include <cstring>
#include <string>

#include <sys/socket.h>

#include "anubisd/http/server.h"
#include "anubisd/socket_address.h"
#include "lib/base/fd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const model::IpAddress kHere = *model::IpAddress::parse("127.0.0.1");

// A browser, of a kind.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const SocketAddress to = to_socket_address({.address = kHere, .port = port});
    if (connect(fd_.get(), &to.generic, to.size) != 0) ADD_FAILURE() << "connect: " << strerror(errno);
  }

  void send(std::string_view text) const {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void receive_nothing_more_than(int bytes) const {
    EXPECT_EQ(setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
  }
  // Of what has come; takes in what has come since.
  const std::string& received() {
    char buffer[4096];
    ssize_t size = 0;
    while ((size = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
    }
    if (size == 0 || (size < 0 && errno != EAGAIN)) closed_ = true;
    return received_;
  }
  void forget() { received_.clear(); }
  bool is_closed() {
    (void)received();
    return closed_;
  }

 private:
  base::Fd fd_;
  std::string received_;
  bool closed_ = false;
};

class HttpTest : public LoopTest {
 protected:
  std::unique_ptr<Server> serve(const Limits& limits = {}, std::uint16_t port = 0) {
    return std::make_unique<Server>(loop_, Settings{.address = {.address = kHere, .port = port}, .limits = limits},
                                    "the test", [this](const Request& request) {
                                      asked_ = std::string(request.method) + " " + std::string(request.path);
                                      type_ = request.content_type;
                                      body_.assign(request.body.begin(), request.body.end());
                                      source_ = request.source;
                                      ++requests_;
                                      return answer_;
                                    });
  }
  // What is answered to this, up to `end`.
  std::string ask(Client& client, std::string_view request, std::string_view end) {
    client.forget();
    client.send(request);
    EXPECT_TRUE(run_until([&] { return client.received().ends_with(end); })) << client.received();
    return client.received();
  }
  bool is_cut_off(Client& client, std::chrono::milliseconds limit = 10s) {
    return run_until([&] { return client.is_closed(); }, limit);
  }

  Response answer_{.type = "text/plain", .headers = {{"X-Answer", "42"}}, .body = "well"};
  std::string asked_;
  std::string type_;
  std::string body_;
  model::Endpoint source_;
  int requests_ = 0;
};

TEST_F(HttpTest, AnswersWhatTheHandlerSays) {
  const auto server = serve();
  ASSERT_NE(server->port(), 0);
  Client client(server->port());
  const std::string answer = ask(client, "GET /a/%2e?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Answer: 42\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_EQ(asked_, "GET /a/%2e");
  EXPECT_EQ(source_.address, kHere);
}

TEST_F(HttpTest, OneConnectionServesManyRequests) {
  const auto server = serve();
  Client client(server->port());
  for (int i = 1; i <= 3; ++i) {
    (void)ask(client, "GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n", "well");
    EXPECT_EQ(requests_, i);
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(HttpTest, ABodyArrivesWholeHoweverItIsCut) {
  const auto server = serve();
  Client client(server->port());
  client.send("POST /x HTTP/1.1\r\nHost: [::1]:1\r\nContent-Type: a/b\r\nContent-Le");
  run_for(20ms);
  client.send("ngth: 6\r\n\r\nab");
  run_for(20ms);
  EXPECT_EQ(requests_, 0);
  (void)ask(client, "cdef", "well");
  EXPECT_EQ(asked_, "POST /x");
  EXPECT_EQ(type_, "a/b");
  EXPECT_EQ(body_, "abcdef");
}

TEST_F(HttpTest, HeadIsGetWithoutABody) {
  const auto server = serve();
  Client client(server->port());
  EXPECT_THAT(ask(client, "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "\r\n\r\n"), HasSubstr("Content-Length: 4"));
  EXPECT_EQ(asked_, "GET /");
}

TEST_F(HttpTest, BytesThatStayWhereTheyAreAreNotCopied) {
  const std::vector<std::uint8_t> large(300'000, 'x');
  answer_ = {.constant_body = large};
  const auto server = serve();
  Client client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return client.received().size() > large.size(); }));
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\n" + std::string(large.size(), 'x')));
}

// DNS rebinding: a page at a name of its own, which it lets lead here, could else read what is said here.
TEST_F(HttpTest, WhoAsksForANameIsRefused) {
  const auto server = serve();
  for (const char* const host : {"Host: rebound.example\r\n", "Host: 127.0.0.1.example:80\r\n", "Host: \r\n"}) {
    Client client(server->port());
    EXPECT_THAT(ask(client, std::string("GET / HTTP/1.1\r\n") + host + "\r\n", "\n"), StartsWith("HTTP/1.1 421 "))
        << host;
  }
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpTest, ABodyThatIsTooLongIsRefused) {
  const auto server = serve({.body_size = 5});
  Client said(server->port());
  EXPECT_THAT(ask(said, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6\r\n\r\n", "long\n"),
              StartsWith("HTTP/1.1 413 "));
  Client unsaid(server->port());
  unsaid.send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n");
  EXPECT_TRUE(is_cut_off(unsaid));
  EXPECT_EQ(requests_, 0);
  Client fits(server->port());
  (void)ask(fits, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
            "well");
  EXPECT_EQ(body_, "abcde");
}

TEST_F(HttpTest, GarbageEndsItsConnectionAndNothingElse) {
  const auto server = serve();
  for (const std::string& garbage :
       {std::string("\x01\x00\x00\x00garbage\r\n\r\n", 15), "GET\r\n\r\n" + std::string(9000, 'a'),
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + std::string(20'000, 'a')}) {
    Client client(server->port());
    client.send(garbage);
    EXPECT_TRUE(is_cut_off(client)) << garbage.substr(0, 20);
    EXPECT_THAT(client.received(), Not(HasSubstr("well")));
  }
  Client client(server->port());
  (void)ask(client, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
}

TEST_F(HttpTest, OneAddressHasItsShareOfConnections) {
  const auto server = serve({.connections = 3, .connections_of_one_address = 2});
  Client first(server->port());
  Client second(server->port());
  run_for(20ms);
  Client third(server->port());
  EXPECT_TRUE(is_cut_off(third));
  (void)ask(first, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
  (void)ask(second, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
}

TEST_F(HttpTest, WhoIsSilentIsCutOff) {
  const auto server = serve({.silence = 1s});
  Client client(server->port());
  EXPECT_TRUE(is_cut_off(client));
}

TEST_F(HttpTest, WhoSpeaksButNeverEndsIsCutOff) {
  const auto server = serve({.whole_request = 3s});
  Client client(server->port());
  client.send("GET / HTTP/1.1\r\n");
  int sent = 0;
  Timer more(loop_);
  const std::function<void()> trickle = [&] {
    if (client.is_closed()) return;
    client.send("a");
    ++sent;
    more.after(50ms, trickle);
  };
  trickle();
  EXPECT_TRUE(is_cut_off(client));
  EXPECT_GE(sent, 3);
}

TEST_F(HttpTest, WhoDoesNotReadHoldsNobodyUp) {
  const std::vector<std::uint8_t> large(8'000'000, 'x');
  answer_ = {.constant_body = large};
  const auto server = serve({.whole_answer = 2s});
  Client lazy(server->port());
  lazy.receive_nothing_more_than(4096);
  lazy.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return requests_ == 1; }));
  answer_ = {.body = "well"};
  Client other(server->port());
  (void)ask(other, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "well");
  ASSERT_TRUE(run_until([&] { return server->connections() == 0; })) << "the lazy one is still there";
}

TEST_F(HttpTest, ListensAsSoonAsThePortIsFree) {
  auto first = serve();
  const std::uint16_t port = first->port();
  const auto second = serve({}, port);
  EXPECT_EQ(second->port(), 0);
  EXPECT_EQ(second->connections(), 0U);
  first.reset();
  ASSERT_TRUE(run_until([&] { return second->port() == port; }));
  Client client(port);
  (void)ask(client, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
}

TEST_F(HttpTest, ARestartClosesConnectionsAndListensAgain) {
  const auto server = serve();
  const std::uint16_t port = server->port();
  Client before(port);
  (void)ask(before, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
  server->restart();
  EXPECT_TRUE(is_cut_off(before));
  Client after(server->port());
  (void)ask(after, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "well");
}

}  // namespace
}  // namespace anubis::daemon::http
