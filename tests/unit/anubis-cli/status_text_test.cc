#include "anubis-cli/status_text.h"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>

#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kNow = 1'790'003'600;

control::PeerStatus up_peer() {
  control::PeerStatus peer;
  peer.set_name("jacinth");
  peer.set_state("up");
  peer.set_initiator(true);
  peer.set_wanted(true);
  peer.set_public_key("qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c=");
  peer.set_endpoint("192.0.2.1:4296");
  peer.add_allowed_ips("10.44.0.0/24");
  peer.add_allowed_ips("fd44::/64");
  peer.set_since(kNow - 700);
  peer.set_lease_seconds_left(3'540);
  peer.set_latest_handshake(kNow - 12);
  peer.set_rx_bytes(1'234);
  peer.set_tx_bytes(123'456'789);
  peer.set_side_latest_handshake(kNow - 5);
  peer.set_side_endpoint("192.0.2.1:4297");
  return peer;
}

control::PeerStatus down_peer(const std::string& name) {
  control::PeerStatus peer;
  peer.set_name(name);
  peer.set_state("down");
  return peer;
}

TEST(StatusTable, ColumnsAreAligned) {
  EXPECT_THAT(status_table({up_peer(), down_peer("ju")}, kNow, Colour::kOff),
              ElementsAre("NAME     STATE  SINCE       LEASE   HANDSHAKE       RX       TX  ENDPOINT",
                          "jacinth  up     11 min ago  59 min  12 s ago   1.2 KiB  118 MiB  192.0.2.1:4296",
                          "ju       down   -           -       -                -        -  -"));
}

TEST(StatusTable, ColumnsAreAlignedForAnyScript) {
  auto wide = up_peer();
  wide.set_name("猫");
  const auto lines = status_table({up_peer(), wide}, kNow, Colour::kOff);
  EXPECT_EQ(display_width(lines[1]), display_width(lines[2]));
  EXPECT_THAT(lines[2], HasSubstr("猫       up "));
}

TEST(StatusTable, ColourSurroundsTheTextAndLeavesTheWidths) {
  const auto lines = status_table({up_peer(), down_peer("ju")}, kNow, Colour::kOn);
  EXPECT_THAT(lines[1], HasSubstr("jacinth  \x1b[32mup\x1b[0m     11 min ago"));
  EXPECT_THAT(lines[2], HasSubstr("\x1b[2mju\x1b[0m       \x1b[2mdown\x1b[0m   "));
}

TEST(StatusTable, ColourTellsHealth) {
  auto unhealthy = up_peer();
  unhealthy.set_reason("no handshake for 4 min");
  EXPECT_THAT(status_table({unhealthy}, kNow, Colour::kOn)[1], HasSubstr("\x1b[33mup\x1b[0m"));
  auto failed = down_peer("ju");
  failed.set_state("failed");
  EXPECT_THAT(status_table({failed}, kNow, Colour::kOn)[1], HasSubstr("\x1b[31mfailed\x1b[0m"));
  auto going = down_peer("ju");
  going.set_state("going-up");
  EXPECT_THAT(status_table({going}, kNow, Colour::kOn)[1], HasSubstr("\x1b[33mgoing-up\x1b[0m"));
}

TEST(StatusTable, SaysWhenAPeerIsQuietOrSilent) {
  auto peer = up_peer();
  peer.set_liveness("quiet");
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1], HasSubstr("  up, quiet  "));
  peer.set_liveness("silent");
  peer.set_silent_seconds(184);
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1], HasSubstr("  up, peer silent for 3 min 4 s  "));
}

TEST(StatusTable, SaysOverWhichPortANetworkIsPassed) {
  auto peer = up_peer();
  peer.set_endpoint_port_in_use(53);
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1], HasSubstr("  up, over port 53  "));
  EXPECT_THAT(status_detail(peer, kNow, Colour::kOff),
              Contains(AllOf(HasSubstr("side tunnel"), HasSubstr(", over port 53"))));
  peer.set_liveness("quiet");
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1], HasSubstr("  up, over port 53, quiet  "));
}

TEST(StatusTable, AdoptedPeerIsUpSinceTheDaemonStarted) {
  auto peer = up_peer();
  peer.set_since(0);
  peer.set_latest_handshake(0);
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1], HasSubstr("up     daemon start  59 min  never"));
}

TEST(StatusTable, NoPeersSayWhatToDo) {
  EXPECT_THAT(status_table({}, kNow, Colour::kOff), ElementsAre(HasSubstr("no peers are configured")));
}

TEST(StatusTable, ControlCharactersAreEscaped) {
  auto peer = up_peer();
  peer.set_name("a\x1b[31m");
  peer.set_state("b\n");
  peer.set_endpoint("\rc");
  EXPECT_THAT(status_table({peer}, kNow, Colour::kOff)[1],
              AllOf(HasSubstr("a\\x1b[31m"), HasSubstr("b\\x0a"), HasSubstr("\\x0dc"), Not(HasSubstr("\x1b"))));
}

TEST(StatusReasons, NameThePeerAndEscape) {
  auto peer = down_peer("ju");
  peer.set_reason("refused: \x1b[2J");
  EXPECT_THAT(status_reasons({up_peer(), peer}), ElementsAre("ju: refused: \\x1b[2J"));
  EXPECT_THAT(status_reasons({up_peer()}), IsEmpty());
  peer.set_reason("ju did not answer");
  EXPECT_THAT(status_reasons({peer}), ElementsAre("ju did not answer"));
  peer.set_reason("juniper is not meant");
  EXPECT_THAT(status_reasons({peer}), ElementsAre("ju: juniper is not meant"));
}

TEST(PlaceLine, IsThereWhereHomeIsKnown) {
  control::HostStatus host;
  host.set_place("unknown");
  EXPECT_EQ(place_line(host), std::nullopt);
  host.set_has_home(true);
  host.set_place("home");
  host.set_place_reason("connection My\x1b[2JWifi");
  EXPECT_EQ(place_line(host), "place: home: connection My\\x1b[2JWifi");
}

TEST(StatusDetail, ShowsALineAPropertyWithTheKeyLastAndBrief) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_THAT(status_detail(up_peer(), kNow, Colour::kOff),
              ElementsAre("jacinth",  //
                          "  state        up, initiated here, since 2026-09-21 15:01:40 (11 min ago)",
                          "  wanted       until it is taken down",          //
                          "  lease        59 min left",                     //
                          "  handshake    12 s ago",                        //
                          "  traffic      1.2 KiB received, 118 MiB sent",  //
                          "  endpoint     192.0.2.1:4296",                  //
                          "  allowed IPs  10.44.0.0/24, fd44::/64",         //
                          "  side tunnel  handshake 5 s ago, endpoint 192.0.2.1:4297", "  public key   qOvbD3mc…"));
}

TEST(StatusDetail, SaysForHowLongItIsWanted) {
  auto peer = up_peer();
  peer.set_wanted(false);
  EXPECT_THAT(status_detail(peer, kNow, Colour::kOff), testing::Contains("  wanted       not by this host"));
  peer.set_wanted(true);
  peer.set_wanted_seconds_left(3600);
  EXPECT_THAT(status_detail(peer, kNow, Colour::kOff), testing::Contains("  wanted       for 1 h more"));
  peer.clear_wanted_seconds_left();
  peer.set_persistent(true);
  EXPECT_THAT(status_detail(peer, kNow, Colour::kOff),
              testing::Contains("  wanted       until it is taken down, also after a reboot"));
}

TEST(StatusDetail, SaysWhyAPeerIsNotWell) {
  auto peer = down_peer("ju");
  peer.set_state("failed");
  peer.set_reason("ju did not answer within 10 s");
  EXPECT_THAT(status_detail(peer, kNow, Colour::kOff),
              testing::Contains("  reason       ju did not answer within 10 s"));
}

TEST(BriefList, IsCut) {
  control::PeerStatus peer;
  EXPECT_EQ(brief_list(peer.allowed_ips(), 2), "-");
  for (const char* prefix : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"}) peer.add_allowed_ips(prefix);
  EXPECT_EQ(brief_list(peer.allowed_ips(), 2), "10.1.0.0/16, 10.2.0.0/16 +2");
  EXPECT_EQ(brief_list(peer.allowed_ips(), 4), "10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16");
}

control::ClosedPort closed_port() {
  control::ClosedPort port;
  port.set_port(4296);
  port.set_table("inet filter");
  port.set_chain("input");
  port.add_families("ipv4");
  port.set_advice("nft insert rule \x1b[2J");
  return port;
}

TEST(StatusText, TellsOfTheFirewallOnlyWhatIsNotAsUsual) {
  control::HostStatus host;
  for (const char* usual : {"in-place", "disabled", ""}) {
    host.set_firewall(usual);
    EXPECT_THAT(firewall_notes(host), testing::IsEmpty());
  }
  host.set_firewall("removed");
  *host.add_closed_ports() = closed_port();
  EXPECT_THAT(
      firewall_notes(host),
      testing::ElementsAre("firewall: removed by hand; to have it back: anubis firewall apply",
                           "4296/udp is closed by another table (inet filter, chain input; ipv4), nobody reaches "
                           "it; to open it: nft insert rule \\x1b[2J"));
}

TEST(StatusText, ShowsTheFirewallWithItsRules) {
  control::FirewallStatus status;
  status.set_state("in-place");
  status.set_configured(true);
  status.set_rules("table inet anubis {\n\tchain input {\n\t}\n}\n");
  EXPECT_THAT(firewall_lines(status),
              testing::ElementsAre("firewall: in place", "", "table inet anubis {", "  chain input {", "  }", "}"));
}

}  // namespace
}  // namespace anubis::cli
