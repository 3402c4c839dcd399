// Files of wg-quick(8) as people have them, and the mistakes in them.
#include "lib/config/wg_quick.h"

#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Keys replaced as in with_keys(), PRIVATE1 by private_key(1), …
std::string filled(std::string_view text) {
  std::string out = with_keys(text);
  for (unsigned number = 1; number <= 4; ++number) {
    const std::string word = "PRIVATE" + std::to_string(number);
    for (auto at = out.find(word); at != std::string::npos; at = out.find(word)) {
      out.replace(at, word.size(), private_key(number));
    }
  }
  return out;
}

class WgQuick : public testing::Test {
 protected:
  WgQuick() { crypto::initialise(); }

  static base::Result<WgQuickFile> parse(std::string_view text) { return parse_wg_quick(filled(text), "wg0.conf"); }
  static WgQuickFile good(std::string_view text) {
    auto file = parse(text);
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : WgQuickFile{};
  }
  static std::string error_of(std::string_view text) {
    const auto file = parse(text);
    return file ? "" : file.error().message;
  }
  static std::string error_of_interface(std::string_view line) {
    return error_of("[Interface]\n" + std::string(line) + "\n");
  }
  static std::string error_of_peer(std::string_view line) {
    return error_of("[Interface]\n[Peer]\nPublicKey = KEY1\n" + std::string(line) + "\n");
  }
};

template <class T>
std::vector<std::string> texts(const std::vector<T>& values) {
  std::vector<std::string> out;
  for (const T& value : values) out.push_back(value.to_string());
  return out;
}

TEST_F(WgQuick, AClientThatSendsEverythingThroughItsGateway) {
  const auto file = good(R"([Interface]
Address = 10.44.0.8/24, fd44::8/64
DNS = 10.44.0.1, fd44::1, corp.example.net
PrivateKey = PRIVATE1
MTU = 1380

[Peer] # the gateway
PublicKey = KEY2
PresharedKey = PRIVATE3
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = gateway.example.net:51820
PersistentKeepalive = 25
)");
  EXPECT_THAT(texts(file.interface.addresses), ElementsAre("10.44.0.8/24", "fd44::8/64"));
  EXPECT_THAT(texts(file.interface.dns_servers), ElementsAre("10.44.0.1", "fd44::1"));
  EXPECT_THAT(file.interface.dns_search, ElementsAre("corp.example.net"));
  EXPECT_EQ(file.interface.mtu, 1380u);
  ASSERT_TRUE(file.interface.private_key);
  EXPECT_EQ(file.interface.private_key->derive_public_key().to_base64(), public_key(1));
  EXPECT_EQ(file.interface.table.kind, WgQuickTable::Kind::kAuto);
  EXPECT_FALSE(file.interface.save_config);
  ASSERT_THAT(file.peers, SizeIs(1));
  EXPECT_EQ(file.peers[0].public_key.to_base64(), public_key(2));
  ASSERT_TRUE(file.peers[0].preshared_key);
  EXPECT_TRUE(
      file.peers[0].preshared_key->equals(crypto::WireGuardPresharedKey(*crypto::parse_secret(private_key(3)))));
  EXPECT_THAT(texts(file.peers[0].allowed_ips), ElementsAre("0.0.0.0/0", "::/0"));
  EXPECT_EQ(file.peers[0].endpoint->to_string(), "gateway.example.net:51820");
  EXPECT_EQ(file.peers[0].persistent_keepalive, 25);
}

TEST_F(WgQuick, AServerWithSeveralPeersWhoseListsAddUp) {
  const auto file = good(R"([Interface]
Address = 10.44.0.1/24
Address = 10.45.0.1/16 fd44::1/64
SaveConfig = true
PrivateKey = PRIVATE1
ListenPort = 51820

[Peer]
PublicKey = KEY2
AllowedIPs = 10.44.0.3/32, 10.46.1.1/24
AllowedIPs = 10.47.0.9

[Peer]
PublicKey = KEY3
AllowedIPs = 10.44.0.4/32
Endpoint = [2001:db8::3]:2468

[Peer]
PublicKey = KEY4
AllowedIPs =
)");
  EXPECT_THAT(texts(file.interface.addresses), ElementsAre("10.44.0.1/24", "10.45.0.1/16", "fd44::1/64"));
  EXPECT_TRUE(file.interface.save_config);
  EXPECT_EQ(file.interface.listen_port, 51820);
  ASSERT_THAT(file.peers, SizeIs(3));
  // As WireGuard takes them: without the bits behind the length, and whole without a length.
  EXPECT_THAT(texts(file.peers[0].allowed_ips), ElementsAre("10.44.0.3/32", "10.46.1.0/24", "10.47.0.9/32"));
  EXPECT_EQ(file.peers[1].endpoint->to_string(), "[2001:db8::3]:2468");
  EXPECT_THAT(file.peers[2].allowed_ips, IsEmpty());
  EXPECT_FALSE(file.peers[2].endpoint);
}

TEST_F(WgQuick, ScriptsAreKeptAsTextInTheirOrder) {
  const auto file = good(R"([Interface]
PreUp = /usr/local/bin/before %i
PostUp = nft add rule inet mangle output oifname != %i mark != $(wg show %i fwmark) reject
PostUp = wg set %i private-key <(pass wireguard/%i) # not this
PreDown = ip rule delete ipproto tcp dport 22 table 1234
PostDown = true
Table = 1234
)");
  const auto script = [](std::string_view key, std::string_view command, std::uint32_t line) {
    return AllOf(Field(&WgQuickScript::key, key), Field(&WgQuickScript::command, command),
                 Field(&WgQuickScript::line, line));
  };
  EXPECT_THAT(
      file.interface.scripts,
      ElementsAre(
          script("PreUp", "/usr/local/bin/before %i", 2),
          script("PostUp", "nft add rule inet mangle output oifname != %i mark != $(wg show %i fwmark) reject", 3),
          script("PostUp", "wg set %i private-key <(pass wireguard/%i)", 4),
          script("PreDown", "ip rule delete ipproto tcp dport 22 table 1234", 5), script("PostDown", "true", 6)));
  EXPECT_EQ(file.interface.table_line, 7u);
  EXPECT_EQ(file.interface.table, (WgQuickTable{WgQuickTable::Kind::kNumber, 1234}));
  EXPECT_FALSE(file.interface.private_key);
}

TEST_F(WgQuick, WordsMayBeOfAnyCaseAndLinesEndInAnyWay) {
  const auto file = good(
      "# a comment\r\n\r\n[INTERFACE]\r\n\tlistenport=51820\r\n  FWMARK =\t0xCA6C  \r\nsaveconfig = FALSE\r\n"
      "[peer]\r\npublickey = KEY1\r\npersistentkeepalive = OFF");
  EXPECT_EQ(file.interface.listen_port, 51820);
  EXPECT_EQ(file.interface.fwmark, 0xca6cu);
  EXPECT_EQ(file.peers[0].persistent_keepalive, 0);
}

TEST_F(WgQuick, OffAndZeroAreTheSame) {
  for (const char* off : {"off", "Off", "0", "0x0"}) {
    EXPECT_EQ(good("[Interface]\nFwMark = " + std::string(off)).interface.fwmark, 0u);
  }
  EXPECT_EQ(good("[Interface]\nFwMark = 51820").interface.fwmark, 51820u);
  EXPECT_EQ(good("[Interface]\nFwMark = 0xffffffff").interface.fwmark, 0xffffffffu);
  EXPECT_EQ(good("[Interface]\nTable = off").interface.table.kind, WgQuickTable::Kind::kOff);
  EXPECT_EQ(good("[Interface]\nTable = auto").interface.table.kind, WgQuickTable::Kind::kAuto);
  EXPECT_EQ(good("[Interface]\nTable = main").interface.table.number, 254u);
  EXPECT_EQ(good("[Interface]\nTable = 0x10").interface.table.number, 16u);
  EXPECT_EQ(good("[Interface]\nListenPort = 0").interface.listen_port, 0);
}

TEST_F(WgQuick, ErrorsNameTheLineAndTheKey) {
  struct Case {
    std::string_view line;
    std::string_view error;
  };
  const Case of_interface[] = {
      {"ListenPort = 65536", "wg0.conf:2:14: key ListenPort: must be a number, 0 to 65535"},
      {"ListenPort = http", "wg0.conf:2:14: key ListenPort: must be a number, 0 to 65535"},
      {"MTU = 1 420", "wg0.conf:2:7: key MTU: must be a number, 68 to 65535"},
      {"FwMark = 0x100000000", "wg0.conf:2:10: key FwMark: must be a number of 32 bits, hexadecimal behind 0x, or off"},
      {"FwMark = 010", "wg0.conf:2:10: key FwMark: must be a number of 32 bits, hexadecimal behind 0x, or off"},
      {"Table = office",
       "wg0.conf:2:9: key Table: must be auto, off, main or the number of a table; the names of others stand in "
       "/etc/iproute2/rt_tables"},
      {"SaveConfig = yes", "wg0.conf:2:14: key SaveConfig: must be true or false"},
      {"Address = 10.44.0.300/24", "wg0.conf:2:11: key Address: \"10.44.0.300\" is not an IPv4 or IPv6 address"},
      {"DNS = 10.44.0.1:53",
       "wg0.conf:2:7: key DNS: \"10.44.0.1:53\" is neither the address of a server nor a domain to search"},
      {"ListenPort =", "wg0.conf:2:12: key ListenPort: has no value; give it one or take the line out"},
      {"Address = 10.44.0.1/24\nAddress = 10.44.0.2/24, 10.44.0.1/32",
       "wg0.conf:3:11: key Address: 10.44.0.1 stands in line 2 already; keep one of the two"},
      {"; MTU = 1420", "wg0.conf:2:1: a comment begins with # here, not with ;"},
      {"Jc = 4\nJmin = 40\nS1 = 50\nH1 = 1234\nI1 = <b 0x00>",
       "wg0.conf:2:1: this is a tunnel of AmneziaWG, which plain WireGuard peers cannot speak"},
      {"ListenPort = 1\nListenPort = 1",
       "wg0.conf:3:14: key ListenPort: stands in line 2 already; keep one of the two"},
      {"PostUpp = true", "wg0.conf:2:1: key PostUpp: is not known in [Interface]; did you mean PostUp?"},
      {"AllowedIPs = ::/0", "wg0.conf:2:14: key AllowedIPs: does not belong into [Interface]; move it to a [Peer]"},
      {"PrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
       "wg0.conf:2:14: key PrivateKey: is the key of zeros, which WireGuard takes for none; give another or take the "
       "line out"},
      {"hello", "wg0.conf:2:1: the line is neither a section, as in [Peer], nor KEY = VALUE"},
      {"PostUp = a\x1b[2J", "wg0.conf:2:1: the line holds a control character; take it out"},
      {"[Peers]\nPublicKey = x", "wg0.conf:2:1: the section is not known; there are [Interface] and [Peer]"},
      {"[Interface]", "wg0.conf:2:1: [Interface] stands in line 1 already; there can be only one"},
      {"[Peer]\nAllowedIPs = ::/0", "wg0.conf:2:1: this [Peer] has no PublicKey; give it one"},
  };
  for (const auto& [line, error] : of_interface) EXPECT_EQ(error_of_interface(line), error) << line;
  const Case of_peer[] = {
      {"AllowedIPs = 10.0.0.0/33",
       "wg0.conf:4:14: key AllowedIPs: \"10.0.0.0/33\" has no valid prefix length: 0 to 32 may stand behind the slash"},
      {"AllowedIPs = ::/0,", "wg0.conf:4:14: key AllowedIPs: \"\" is not an IPv4 or IPv6 address"},
      {"Endpoint = example.net", "wg0.conf:4:12: key Endpoint: needs a port behind the host, as in example.net:51820"},
      {"Endpoint = 2001:db8::1:51820x",
       "wg0.conf:4:12: key Endpoint: \"2001:db8::1:51820x\" needs brackets around the IPv6 address: "
       "[2001:db8::1]:port"},
      {"PersistentKeepalive = 65536",
       "wg0.conf:4:23: key PersistentKeepalive: must be a number of seconds, 0 to 65535, or off"},
      {"MTU = 1420", "wg0.conf:4:7: key MTU: does not belong into [Peer]; move it to [Interface]"},
      {"PersistantKeepalive = 1",
       "wg0.conf:4:1: key PersistantKeepalive: is not known in [Peer]; did you mean PersistentKeepalive?"},
      {"[Peer]\nPublicKey = KEY1",
       "wg0.conf:5:13: key PublicKey: is the key of the peer in line 3 already; make one [Peer] of the two"},
  };
  for (const auto& [line, error] : of_peer) EXPECT_EQ(error_of_peer(line), error) << line;
  EXPECT_EQ(error_of(""), "wg0.conf:1:1: there is no [Interface] section; is this a file of wg-quick?");
  EXPECT_EQ(error_of("one\ntwo\n[Peer]\nMTU = x\n"),
            "wg0.conf:1:1: there is no [Interface] section; is this a file of wg-quick?");
  EXPECT_THAT(error_of("Address = ::1\n[Interface]\n"),
              HasSubstr("wg0.conf:1:1: the line stands before the first section; begin with [Interface]"));
}

TEST_F(WgQuick, AllFaultsAreToldAtOnce) {
  EXPECT_EQ(
      error_of("[Interface]\nMTU = x\n[Peer]\nPublicKey = x\n"),
      "wg0.conf:2:7: key MTU: must be a number, 68 to 65535\n"
      "wg0.conf:4:13: key PublicKey: is not a key: a WireGuard key is 44 characters of base64, as `wg genkey` and "
      "`wg pubkey` print it");
}

TEST_F(WgQuick, NoErrorQuotesAKey) {
  const std::string key = private_key(1);
  for (const std::string& line : {key, "PrivateKey " + key, "PrivateKye = " + key, "PrivateKey = x" + key,
                                  "PresharedKey = " + key, "PrivateKey = " + key + "\n" + key, "DNS = " + key,
                                  "DNS = " + key.substr(0, 43), "Address = " + key, "Address = " + key + "/24"}) {
    const auto error = error_of_interface(line);
    EXPECT_THAT(error, Not(HasSubstr(key.substr(0, 8)))) << line;
    EXPECT_NE(error, "") << line;
  }
  // With a '/', behind which a part of it would be quoted as the length of a prefix.
  const std::string slashed = "aaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb=";
  for (const std::string& line : {"AllowedIPs = " + key, "AllowedIPs = ::/0, " + key, "AllowedIPs = " + slashed,
                                  "Endpoint = " + key, "Endpoint = " + key + ":51820",
                                  "Endpoint = " + std::string(43, 'a') + ":51820", "PersistentKeepalive = " + key}) {
    const auto error = error_of_peer(line);
    EXPECT_THAT(error, Not(HasSubstr(key.substr(0, 8)))) << line;
    EXPECT_THAT(error, Not(HasSubstr("aaaaaaaa"))) << line;
    EXPECT_THAT(error, Not(HasSubstr("bbbbbbbb"))) << line;
    EXPECT_NE(error, "") << line;
  }
}

TEST_F(WgQuick, IsReadAsWgQuickReadsIt) {
  EXPECT_EQ(good("\xef\xbb\xbf[Interface]\nListenPort = 7\n").interface.listen_port, 7);
  EXPECT_EQ(good("[Interface]\nMTU =\n").interface.mtu, std::nullopt);
  EXPECT_EQ(good("[Interface]\nTable =\n").interface.table, WgQuickTable{});
  EXPECT_THAT(good("[Interface]\nDNS = 10.0.0.1, ~., ~corp.example.net\n").interface.dns_search,
              ElementsAre("~.", "~corp.example.net"));
  const auto file = good("[Interface]\n[Peer]\nPublicKey = KEY1\nEndpoint = 192.0.2.1 : 51820\nAllowedIPs = ::/0\n");
  const WgQuickPeer& peer = file.peers.at(0);
  EXPECT_EQ(peer.endpoint->to_string(), "192.0.2.1:51820");
  EXPECT_EQ(peer.public_key_line, 3u);
  EXPECT_EQ(peer.endpoint_line, 4u);
  EXPECT_THAT(peer.allowed_ips_lines, ElementsAre(5u));
}

TEST_F(WgQuick, WhatIsSomethingElseIsCalledByItsName) {
  EXPECT_EQ(error_of(std::string_view("\xff\xfe[\0I\0", 6)), "wg0.conf is in UTF-16; save it as UTF-8");
  EXPECT_THAT(error_of("interface: wg0\n  public key: KEY1\n"), HasSubstr("wg0.conf is what `wg show` prints"));
  EXPECT_THAT(error_of("# mine\n\n[NetDev]\nName=wg0\n"), HasSubstr("wg0.conf is a file of systemd-networkd"));
  EXPECT_THAT(error_of("[connection]\nid=wg0\n"), HasSubstr("wg0.conf is a file of NetworkManager"));
}

TEST_F(WgQuick, WhatIsTooLargeIsRefusedUnread) {
  EXPECT_EQ(error_of("[Interface]\n" + std::string(kMaxWgQuickSize, '\n')),
            "wg0.conf is larger than 32 MiB; that is no configuration");
  // A value that is quoted is quoted in part.
  EXPECT_LT(error_of_interface("Address = " + std::string(100'000, '1')).size(), 1000u);
}

TEST_F(WgQuick, WhatIsWrittenIsReadAsTheSame) {
  const std::string text = filled(R"([Interface]
PrivateKey = PRIVATE1
ListenPort = 51820
FwMark = 0xca6c
Address = 10.44.0.1/24, fd44::1/64
DNS = 10.44.0.1
DNS = corp.example.net
DNS = example.org
MTU = 1420
Table = 1234
PreUp = one %i
PostUp = two; three
PreDown = four
PostDown = five
PostDown = six
SaveConfig = true

[Peer]
PublicKey = KEY2
PresharedKey = PRIVATE3
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = [2001:db8::1]:51820
PersistentKeepalive = 25

[Peer]
PublicKey = KEY3
)");
  EXPECT_EQ(format_wg_quick(good(text)).view(), text);
  EXPECT_EQ(format_wg_quick(good("[Interface]\nTable = off")).view(), "[Interface]\nTable = off\n");
}

}  // namespace
}  // namespace anubis::config
