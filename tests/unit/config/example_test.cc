// docs/anubis.toml.example is loaded as it stands and with every commented key taken in, so that it cannot rot.
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

class ExampleTest : public ConfigTest {
 protected:
  ExampleTest() {
    std::ifstream file(ANUBIS_EXAMPLE);
    text_.assign(std::istreambuf_iterator<char>(file), {});
    EXPECT_FALSE(text_.empty()) << ANUBIS_EXAMPLE;
    // The keys stand in this test's folder, not in /etc.
    const std::string folder = "/etc/anubis/";
    for (auto at = text_.find(folder); at != std::string::npos; at = text_.find(folder, at))
      text_.erase(at, folder.size());
    folder_.write("jacinth.psk", private_key(7));
    folder_.write("jacinth-side.psk", private_key(8));
  }

  // Takes the comment sign from every line on which it stands directly before something: those are keys.
  [[nodiscard]] std::string uncommented() const {
    std::string text = text_;
    for (auto at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1)) {
      if (text.substr(at + 2, 1).find_first_of(" \n") == std::string::npos) text.erase(at + 1, 1);
    }
    return text;
  }

  std::string text_;
};

TEST_F(ExampleTest, LoadsAsItStands) {
  const auto loaded = load_text(text_);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->name, "xena");
  EXPECT_EQ(loaded->peers.size(), 2u);
  EXPECT_EQ(loaded->peers[0].endpoint->to_string(), "jacinth.example.net:4296");
}

TEST_F(ExampleTest, LoadsWithEveryKeyTakenIn) {
  // The IPv4 side address is for hosts without IPv6: jacinth then needs one as well.
  std::string text = uncommented();
  text.insert(text.find("endpoint = \"jacinth"), "side_address = \"10.77.0.1\"\n");
  const auto loaded = load_text(text);
  ASSERT_TRUE(loaded) << loaded.error().message << "\n" << text;
  const auto defaults = load_text(text_);
  ASSERT_TRUE(defaults);
  // What is commented out as a default is the default.
  EXPECT_EQ(loaded->production.interface, defaults->production.interface);
  EXPECT_EQ(loaded->production.listen_port, defaults->production.listen_port);
  EXPECT_EQ(loaded->production.table, defaults->production.table);
  EXPECT_EQ(loaded->production.fwmark, defaults->production.fwmark);
  EXPECT_EQ(loaded->production.backend, defaults->production.backend);
  EXPECT_EQ(loaded->side.interface, defaults->side.interface);
  EXPECT_EQ(loaded->side.listen_port, defaults->side.listen_port);
  EXPECT_EQ(loaded->side.service_port, defaults->side.service_port);
  EXPECT_EQ(loaded->side.prefix, defaults->side.prefix);
  EXPECT_EQ(loaded->control.socket, defaults->control.socket);
  EXPECT_EQ(loaded->control.group, defaults->control.group);
  EXPECT_EQ(loaded->roaming.hold_down, defaults->roaming.hold_down);
  EXPECT_EQ(loaded->peers[0].side_endpoint, defaults->peers[0].side_endpoint);
  // And these were really taken in.
  EXPECT_EQ(loaded->production.mtu, 1420u);
  EXPECT_EQ(loaded->side.address.to_string(), "10.77.0.7");
  EXPECT_TRUE(loaded->peers[0].preshared_key);
  EXPECT_TRUE(loaded->peers[0].side_preshared_key);
  EXPECT_EQ(loaded->peers[0].group, "gateways");
  EXPECT_TRUE(loaded->peers[0].is_automatic);
  EXPECT_EQ(loaded->roaming.home.size(), 3u);
}

}  // namespace
}  // namespace anubis::config
