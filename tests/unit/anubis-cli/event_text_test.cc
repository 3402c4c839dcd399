#include "anubis-cli/event_text.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace anubis::cli {
namespace {

control::Event event(const std::string& kind, const std::string& peer, const std::string& state = "") {
  control::Event event;
  event.set_time(1'795'177'296);
  event.set_kind(kind);
  event.set_peer(peer);
  event.set_state(state);
  return event;
}

TEST(EventText, SaysWhatHappenedToWhom) {
  setenv("TZ", "UTC", 1);
  tzset();
  auto up = event("state", "jacinth", "up");
  EXPECT_EQ(event_text(up), "2026-11-20 12:21:36 jacinth up (initiated by jacinth)");
  up.set_initiator(true);
  EXPECT_EQ(event_text(up), "2026-11-20 12:21:36 jacinth up (initiated here)");
  auto failed = event("state", "jacinth", "failed");
  failed.set_reason("no answer\x1b[2J");
  EXPECT_EQ(event_text(failed), "2026-11-20 12:21:36 jacinth failed: no answer\\x1b[2J");
  EXPECT_EQ(event_text(event("added", "ju")), "2026-11-20 12:21:36 ju added to the configuration");
  EXPECT_EQ(event_text(event("removed", "ju")), "2026-11-20 12:21:36 ju removed from the configuration");
  EXPECT_EQ(event_text(event("changed", "ju")), "2026-11-20 12:21:36 ju changed in the configuration");
  EXPECT_EQ(event_text(event("reloaded", "")), "2026-11-20 12:21:36 configuration reloaded");
  auto degraded = event("degraded", "");
  degraded.set_reason("wg0 is gone");
  EXPECT_EQ(event_text(degraded), "2026-11-20 12:21:36 degraded: wg0 is gone");
  EXPECT_EQ(event_text(event("healed", "")), "2026-11-20 12:21:36 healed");
  auto place = event("place", "", "away");
  place.set_reason("nothing here is a mark of home");
  EXPECT_EQ(event_text(place), "2026-11-20 12:21:36 place: away: nothing here is a mark of home");
}

TEST(EventText, AKindOfALaterDaemonIsShownAsItIs) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(event_text(event("roamed", "ju")), "2026-11-20 12:21:36 ju roamed");
}

}  // namespace
}  // namespace anubis::cli
