#include "anubisd/handshake_watch.h"

#include <chrono>
#include <utility>
#include <vector>

#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using gate::Ticket;
using model::PeerIndex;
using netd::Interface;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr PeerIndex kJacinth{1};
constexpr PeerIndex kBeryl{2};
const wireguard::HandshakeTime kShaken{std::chrono::sys_days{std::chrono::year{2026} / 5 / 1}};

class HandshakeWatchTest : public LoopTest {
 protected:
  void shake(PeerIndex peer) {
    netd_.reports[{Interface::kProduction, peer}] = {.peer = peer, .latest_handshake = kShaken};
  }
  void install(PeerIndex peer) { netd_.reports[{Interface::kProduction, peer}] = {.peer = peer}; }

  FakeNetd netd_;
  std::vector<std::pair<PeerIndex, Ticket>> seen_;
  HandshakeWatch watch_{loop_, netd_, [this](PeerIndex peer, Ticket ticket) { seen_.emplace_back(peer, ticket); }};
};

TEST_F(HandshakeWatchTest, TellsOnceWhenAHandshakeIsThere) {
  install(kJacinth);
  watch_.start(kJacinth, Ticket{7});
  run_for(10ms);
  EXPECT_TRUE(seen_.empty());
  shake(kJacinth);
  ASSERT_TRUE(run_until([&] { return !seen_.empty(); }));
  run_for(20ms);
  EXPECT_THAT(seen_, ElementsAre(Pair(kJacinth, Ticket{7})));
}

TEST_F(HandshakeWatchTest, SeesOneThatIsThereAlreadyAtTheFirstLook) {
  shake(kJacinth);
  watch_.start(kJacinth, Ticket{7});
  ASSERT_TRUE(run_until([&] { return !seen_.empty(); }));
  EXPECT_EQ(netd_.dumps, 1u);
}

TEST_F(HandshakeWatchTest, WatchesSeveralWithOneLook) {
  shake(kJacinth);
  shake(kBeryl);
  watch_.start(kJacinth, Ticket{7});
  watch_.start(kBeryl, Ticket{8});
  ASSERT_TRUE(run_until([&] { return seen_.size() == 2; }));
  EXPECT_THAT(seen_, UnorderedElementsAre(Pair(kJacinth, Ticket{7}), Pair(kBeryl, Ticket{8})));
  EXPECT_EQ(netd_.dumps, 1u);
}

TEST_F(HandshakeWatchTest, AfterStopNothingIsToldNorLookedAt) {
  install(kJacinth);
  watch_.start(kJacinth, Ticket{7});
  run_for(5ms);
  watch_.stop(kJacinth);
  shake(kJacinth);
  const unsigned before = netd_.dumps;
  run_for(30ms);
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(netd_.dumps, before);
}

TEST_F(HandshakeWatchTest, ANewTicketReplacesTheOld) {
  install(kJacinth);
  watch_.start(kJacinth, Ticket{7});
  watch_.start(kJacinth, Ticket{9});
  shake(kJacinth);
  ASSERT_TRUE(run_until([&] { return !seen_.empty(); }));
  EXPECT_THAT(seen_, ElementsAre(Pair(kJacinth, Ticket{9})));
}

// A device with very many peers: looking may not eat the loop's time.
TEST_F(HandshakeWatchTest, ExpensiveLooksBecomeRare) {
  netd_.dump_takes = 2ms;
  install(kJacinth);
  watch_.start(kJacinth, Ticket{7});
  ASSERT_TRUE(run_until([&] { return netd_.dumps > 8; }, 60s));  // the eager ones
  const unsigned before = netd_.dumps;
  const base::Time begin = base::BootClock::now();
  ASSERT_TRUE(run_until([&] { return netd_.dumps >= before + 5; }, 60s));
  EXPECT_GE(base::BootClock::now() - begin, 4 * 40ms);
}

TEST_F(HandshakeWatchTest, AnsweringMayStartAnotherWatch) {
  std::vector<Ticket> tickets;
  std::optional<HandshakeWatch> watch;
  watch.emplace(loop_, netd_, [&](PeerIndex, Ticket ticket) {
    tickets.push_back(ticket);
    if (ticket == Ticket{1}) watch->start(kBeryl, Ticket{2});
  });
  shake(kJacinth);
  shake(kBeryl);
  watch->start(kJacinth, Ticket{1});
  ASSERT_TRUE(run_until([&] { return tickets.size() == 2; }));
  EXPECT_THAT(tickets, ElementsAre(Ticket{1}, Ticket{2}));
}

}  // namespace
}  // namespace anubis::daemon
