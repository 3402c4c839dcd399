#include "anubisd/peer_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Port = std::optional<std::uint16_t>;

class PeerPortsTest : public testing::Test {
 protected:
  PeerPortsTest() { directory_.replace({{.name = "jacinth", .endpoint_ports = {53, 443}}}); }

  // The next so many that are tried.
  std::vector<Port> tries(int count) {
    std::vector<Port> tried;
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(ports_.try_next(jacinth_));
      tried.push_back(ports_.further(jacinth_));
    }
    return tried;
  }

  model::InMemoryDirectory directory_;
  PeerPorts ports_{directory_};
  const model::PeerIndex jacinth_{};
};

TEST_F(PeerPortsTest, TheConfiguredOneIsUsedThenTheOthersInTurn) {
  EXPECT_EQ(ports_.further(jacinth_), std::nullopt);
  EXPECT_THAT(tries(4), ElementsAre(53, 443, std::nullopt, 53));
}

TEST_F(PeerPortsTest, WithoutFurtherPortsThereIsNothingToTry) {
  directory_.replace({{.name = "jacinth"}});
  EXPECT_FALSE(ports_.try_next(jacinth_));
  EXPECT_THAT(ports_.changed(), IsEmpty());
}

TEST_F(PeerPortsTest, ThatOneWorksIsNewsOnce) {
  EXPECT_FALSE(ports_.works(jacinth_));
  tries(1);
  EXPECT_TRUE(ports_.works(jacinth_));
  EXPECT_FALSE(ports_.works(jacinth_));
  EXPECT_EQ(ports_.further(jacinth_), 53);
}

TEST_F(PeerPortsTest, TheOneThatWorkedLastComesFirstThenTheConfiguredOne) {
  tries(2);
  ports_.works(jacinth_);  // 443
  EXPECT_THAT(tries(4), ElementsAre(std::nullopt, 53, 443, std::nullopt));
  EXPECT_TRUE(ports_.begin_again(jacinth_));
  EXPECT_EQ(ports_.further(jacinth_), 443);
  EXPECT_FALSE(ports_.begin_again(jacinth_));
}

TEST_F(PeerPortsTest, AnEarlierDaemonsPortGoesOnIfItIsStillConfigured) {
  ports_.adopt(jacinth_, 4297);
  ports_.adopt(jacinth_, 123);
  EXPECT_EQ(ports_.further(jacinth_), std::nullopt);
  ports_.adopt(jacinth_, 443);
  EXPECT_EQ(ports_.further(jacinth_), 443);
  EXPECT_FALSE(ports_.works(jacinth_));
}

TEST_F(PeerPortsTest, TheEndpointKeepsItsAddress) {
  const model::Endpoint configured{.address = *model::IpAddress::parse("192.0.2.1"), .port = 4296};
  EXPECT_EQ(ports_.over_port_in_use(jacinth_, configured), configured);
  tries(1);
  EXPECT_EQ(ports_.over_port_in_use(jacinth_, configured).to_string(), "192.0.2.1:53");
  ports_.forget(jacinth_);
  EXPECT_EQ(ports_.over_port_in_use(jacinth_, configured), configured);
}

}  // namespace
}  // namespace anubis::daemon
