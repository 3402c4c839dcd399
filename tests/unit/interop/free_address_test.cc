#include "lib/interop/free_address.h"

#include "tests/unit/interop/folder_fixture.h"

namespace anubis::interop {
namespace {

using testing::HasSubstr;

class FreeAddress : public FolderTest {
 protected:
  static std::string peer(std::uint8_t number, const std::string& allowed_ips) {
    return "[[peer]]\nname = \"peer" + std::to_string(number) + "\"\nplain = true\npublic_key = \"" +
           public_text(number) + "\"\nallowed_ips = [" + allowed_ips + "]\n";
  }
  std::string found(std::string_view production, const std::string& rest = "") {
    const auto addresses = free_addresses(load(production, rest));
    if (!addresses) return addresses.error().message;
    std::string text;
    for (const auto& each : *addresses) text += each.to_string() + " ";
    return text;
  }
};

TEST_F(FreeAddress, IsTheFirstThatNobodyHasWithOneNumberInBothFamilies) {
  constexpr std::string_view kBoth = R"(addresses = ["10.44.0.1/24", "fd44::1/64"])";
  EXPECT_EQ(found(kBoth), "10.44.0.2 fd44::2 ");
  EXPECT_EQ(found(kBoth, peer(2, "\"10.44.0.2/32\"") + peer(3, "\"fd44::3/128\"")), "10.44.0.4 fd44::4 ");
  EXPECT_EQ(found(kBoth, "[[host]]\nname = \"printer\"\naddresses = [\"10.44.0.2\"]\n"), "10.44.0.3 fd44::3 ");
}

TEST_F(FreeAddress, LiesInNoRangeOfAPeersButInOneOfTheWholeNetwork) {
  constexpr std::string_view kOne = R"(addresses = ["10.44.0.1/24"])";
  EXPECT_EQ(found(kOne, peer(2, "\"10.44.0.0/28\"")), "10.44.0.16 ");
  EXPECT_EQ(found(kOne, peer(2, "\"0.0.0.0/0\"")), "10.44.0.2 ");
}

TEST_F(FreeAddress, IsNeitherTheNetworkNorTheBroadcastAddress) {
  EXPECT_EQ(found(R"(addresses = ["10.44.0.2/30"])"), "10.44.0.1 ");
  EXPECT_THAT(found(R"(addresses = ["10.44.0.2/30"])", peer(1, "\"10.44.0.1/32\"")),
              HasSubstr("no address of 10.44.0.0/30 is free"));
}

TEST_F(FreeAddress, NeedsANetwork) {
  EXPECT_THAT(found(""), HasSubstr("names no network"));
  EXPECT_THAT(found(R"(addresses = ["10.44.0.1/32"])"), HasSubstr("names no network"));
}

}  // namespace
}  // namespace anubis::interop
