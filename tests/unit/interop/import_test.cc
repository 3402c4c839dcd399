// Files as they stand in /etc/wireguard, and what becomes of them.
#include "lib/interop/import.h"

#include <fmt/format.h>

#include "lib/config/wg_quick.h"
#include "lib/interop/entry.h"
#include "lib/interop/export.h"
#include "tests/unit/interop/folder_fixture.h"

namespace anubis::interop {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint8_t kOwn = 20;

class ImportTest : public FolderTest {
 protected:
  // With PRIVATE and PUBLIC1, PUBLIC2, … replaced by keys.
  static std::string with_keys(std::string text) {
    const auto replace = [&text](const std::string& what, const std::string& by) {
      for (auto at = text.find(what); at != std::string::npos; at = text.find(what)) text.replace(at, what.size(), by);
    };
    for (std::uint8_t number = 9; number > 0; --number) {
      replace(fmt::format("PUBLIC{}", number), public_text(number));
      replace(fmt::format("PRESHARED{}", number), private_text(static_cast<std::uint8_t>(number + 40)));
    }
    replace("PRIVATE", private_text(kOwn));
    return text;
  }
  static base::Result<Import> import(const std::string& text) {
    return import_wg_quick(with_keys(text), {.file = "wg0.conf", .interface = "wg0", .host = "xena"});
  }

  // Writes everything, and reads it as anubisd would.
  config::Config loaded(const std::string& text) {
    auto imported = import(text);
    EXPECT_TRUE(imported) << imported.error().message;
    if (!imported) return {};
    notes_ = imported->notes;
    folder_.write("anubis.toml", imported->configuration);
    folder_.write(imported->side_key_file, private_text(101));
    for (const ImportedKey& key : imported->keys) folder_.write(key.file, text_of(key.key.view()));
    for (const ImportedPeer& peer : imported->peers) folder_.write("conf.d/" + peer.name + ".toml", peer.entry);
    auto config = config::load(folder_ / "anubis.toml");
    EXPECT_TRUE(config) << config.error().message;
    return config ? std::move(*config) : config::Config{};
  }
  static const model::Peer& named(const config::Config& config, const std::string& name) {
    for (const model::Peer& peer : config.peers) {
      if (peer.name == name) return peer;
    }
    ADD_FAILURE() << "no peer " << name;
    static const model::Peer none;
    return none;
  }

  std::vector<std::string> notes_;
};

// As a provider hands it out.
TEST_F(ImportTest, AProvidersTunnelOfEverything) {
  const auto config = loaded(
      "[Interface]\n# Device: Quick Otter\nPrivateKey = PRIVATE\nAddress = "
      "10.64.1.2/32,fc00:bbbb:bbbb:bb01::1:102/128\n"
      "DNS = 10.64.0.1\n\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 0.0.0.0/0,::0/0\n"
      "Endpoint = se-sto-wg-001.relays.example.net:51820\n");
  EXPECT_EQ(config.production.interface, "wg0");
  EXPECT_EQ(config.production.public_key, crypto::ProductionPublicKey(private_key(kOwn).derive_public_key()));
  EXPECT_EQ(config.production.table, config::kDefaultTable);
  EXPECT_EQ(format_list(config.production.addresses), R"(["10.64.1.2/32", "fc00:bbbb:bbbb:bb01::1:102/128"])");
  const model::Peer& peer = named(config, "se-sto-wg-001");
  EXPECT_TRUE(peer.is_plain);
  EXPECT_EQ(peer.endpoint->to_string(), "se-sto-wg-001.relays.example.net:51820");
  EXPECT_EQ(format_list(peer.allowed_ips), R"(["0.0.0.0/0", "::/0"])");
  EXPECT_EQ(format_list(config.production.direct_ranges),
            R"(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"])");
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("goes there, and not through wg0, as before (direct in [production])"),
                                  HasSubstr("DNS is not set by Anubis: resolvectl dns wg0 10.64.0.1"),
                                  "without ListenPort it was any port: it is 4296 from now on"));
}

// As installation scripts write it: a server of many, scripts for NAT, preshared keys, names in comments.
TEST_F(ImportTest, AServerOfManyWithScripts) {
  const auto config = loaded(
      "[Interface]\r\nAddress = 10.66.66.1/24,fd42:42:42::1/64\r\nListenPort = 51820\r\nPrivateKey = PRIVATE\r\n"
      "MTU = 1420\r\nSaveConfig = true\r\n"
      "PostUp = iptables -I INPUT -p udp --dport 51820 -j ACCEPT\r\n"
      "PostUp = iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE; sysctl -w net.ipv4.ip_forward=1\r\n"
      "PostDown = iptables -t nat -D POSTROUTING -o eth0 -j MASQUERADE\r\n\r\n"
      "### Client alice\r\n[Peer]\r\nPublicKey = PUBLIC1\r\nPresharedKey = PRESHARED1\r\nAllowedIPs = "
      "10.66.66.2/32,fd42:42:42::2/128\r\n\r\n"
      "### Client bob\r\n[Peer]\r\nPublicKey = PUBLIC2\r\nAllowedIPs = 10.66.66.3/32\r\nPersistentKeepalive = 25\r\n");
  EXPECT_EQ(config.production.listen_port, 51820);
  EXPECT_EQ(config.production.mtu, 1420u);
  ASSERT_EQ(config.peers.size(), 2u);
  const model::Peer& alice = named(config, "alice");
  ASSERT_TRUE(alice.production_preshared_key);
  EXPECT_EQ(text_of(alice.production_preshared_key->view()), private_text(41));
  EXPECT_FALSE(alice.endpoint);
  EXPECT_EQ(named(config, "bob").persistent_keepalive, 25);
  EXPECT_FALSE(named(config, "bob").production_preshared_key);
  EXPECT_THAT(notes_, ElementsAre("PostUp, PostDown are not run by Anubis: what was done there, do elsewhere",
                                  HasSubstr("masquerade = [\"RANGE\"] in [firewall]"), HasSubstr("/etc/sysctl.d"),
                                  HasSubstr("SaveConfig means nothing to Anubis")));
}

TEST_F(ImportTest, RoutesGoIntoOurOwnTableWhateverTableSays) {
  const std::string peer = "[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.0/24\n";
  EXPECT_EQ(loaded("[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\nTable = off\nFwMark = 0x51\n" + peer)
                .production.fwmark,
            0x51u);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("Table = off: Anubis makes routes all the same")));
  EXPECT_EQ(loaded("[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\nTable = 1234\n" + peer).production.table,
            config::kDefaultTable);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("Table = 1234: Anubis' routes are in its own table 214")));
}

// What main knows of the private ranges stays reachable, as under wg-quick, in the families that the tunnel takes.
TEST_F(ImportTest, OfAFullTunnelTheLanStaysReachable) {
  const std::string interface = "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\nAddress = ";
  const std::string peer = "\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = ";
  const auto direct = [&](const std::string& addresses, const std::string& ranges) {
    return format_list(loaded(interface + addresses + peer + ranges + "\n").production.direct_ranges);
  };
  EXPECT_EQ(direct("10.0.0.2/32", "0.0.0.0/0"), R"(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])");
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("need their ranges in throw there")));
  EXPECT_EQ(direct("10.0.0.2/32", "0.0.0.0/1, 128.0.0.0/1"), R"(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])");
  EXPECT_EQ(direct("10.0.0.2/32, fd00::2/128", "::/0"), R"(["fc00::/7"])");
  EXPECT_EQ(direct("10.0.0.2/32", "0.0.0.0/1"), R"(["10.0.0.0/8"])");
  EXPECT_EQ(direct("10.0.0.2/32", "10.1.0.0/16, 192.168.0.0/17, 64.0.0.0/2"), "[]");
  EXPECT_THAT(notes_, IsEmpty());
  EXPECT_EQ(direct("10.0.0.2/32, fd00::2/128", "10.0.0.0/8, 192.168.0.0/17, fd00::/8"),
            R"(["10.0.0.0/8", "fd00::/8"])");
  // Without an address there what leaves from the LAN's address would be let out.
  EXPECT_EQ(direct("10.0.0.2/32", "0.0.0.0/0, ::/0"), R"(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])");
  EXPECT_THAT(notes_, Contains(HasSubstr("wg0 has no IPv6 address, and takes all of IPv6, your LAN's too")));
}

// The upper one would be in the way of the side addresses.
TEST_F(ImportTest, TheHalvesOfIpv6AreTheDefaultRoute) {
  const auto config = loaded(
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\nAddress = fd00::2/128, 10.0.0.2/32\n"
      "# gate\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 0.0.0.0/1, ::/1\nAllowedIPs = 128.0.0.0/1, 8000::/1\n");
  EXPECT_EQ(format_list(named(config, "gate").allowed_ips), R"(["0.0.0.0/1", "::/0", "128.0.0.0/1"])");
  EXPECT_THAT(notes_, Contains(HasSubstr("anubis up gate --persist")));
}

TEST_F(ImportTest, RoutesToEverythingThatTheFileDoesNotMakeAreNotMade) {
  for (const char* table : {"off", "1234"}) {
    EXPECT_THAT(import("[Interface]\nPrivateKey = PRIVATE\nTable = " + std::string(table) +
                       "\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.1/32\nAllowedIPs = 0.0.0.0/0\n")
                    .error()
                    .message,
                AllOf(HasSubstr("wg0.conf:3: key Table: is " + std::string(table)), HasSubstr("in line 7 only")));
  }
}

TEST_F(ImportTest, WhatNoConfigurationTakesIsToldWithItsLine) {
  const auto error_of = [](const std::string& peer) {
    const auto imported =
        import("[Interface]\nPrivateKey = PRIVATE\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.1\n" + peer + "\n");
    return imported ? "" : imported.error().message;
  };
  EXPECT_THAT(error_of("AllowedIPs = 10.0.0.2, ::"), HasSubstr("wg0.conf:6: key AllowedIPs: ::/128 is no address of"));
  EXPECT_THAT(error_of("AllowedIPs = 127.0.0.0/8"), HasSubstr("wg0.conf:6: key AllowedIPs: 127.0.0.0/8 is loopback"));
  EXPECT_THAT(error_of("Endpoint = 0.0.0.0:7"), HasSubstr("wg0.conf:6: key Endpoint: 0.0.0.0 is the address of no"));
  EXPECT_THAT(
      error_of("[Peer]\nPublicKey = " + crypto::ProductionPublicKey(private_key(kOwn).derive_public_key()).to_base64()),
      HasSubstr("wg0.conf:7: key PublicKey: is of this host's own PrivateKey"));
  for (const char* range : {"fc00::/7", "8000::/1"}) {
    EXPECT_THAT(
        error_of("AllowedIPs = " + std::string(range)),
        HasSubstr("wg0.conf:6: key AllowedIPs: " + std::string(range) + " leaves no range for Anubis' side addresses"));
  }
}

TEST_F(ImportTest, RangesInsideOthersAndRangesOfTwo) {
  const auto config = loaded(
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\n"
      "# site\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.0/8, 192.168.1.0/24, 192.168.1.0/24\n"
      "# inner\n[Peer]\nPublicKey = PUBLIC2\nAllowedIPs = 10.1.0.0/16\n"
      "# thief\n[Peer]\nPublicKey = PUBLIC3\nAllowedIPs = 192.168.1.0/24\n"
      "# all\n[Peer]\nPublicKey = PUBLIC4\nAllowedIPs = 0.0.0.0/0\n");
  EXPECT_EQ(format_list(named(config, "site").allowed_ips), R"(["10.0.0.0/8"])");
  EXPECT_EQ(format_list(named(config, "thief").allowed_ips), R"(["192.168.1.0/24"])");
  EXPECT_THAT(notes_, Contains(HasSubstr("site shares allowed IPs with thief, further down")));
}

TEST_F(ImportTest, PortsAndRangesOfOursGiveWay) {
  const auto config = loaded("[Interface]\nPrivateKey = PRIVATE\nListenPort = 4297\nAddress = fd77:1::1/64\n");
  EXPECT_EQ(config.production.listen_port, 4297);
  EXPECT_EQ(config.side.listen_port, 4298);
  EXPECT_EQ(config.side.service_port, 4299);
  EXPECT_EQ(config.side.prefix.to_string(), "fd78::/16");
  EXPECT_THAT(notes_, Contains(HasSubstr("the side interface listens on 4298/udp")));
  EXPECT_THAT(notes_, Contains(HasSubstr("side addresses begin with fd78::/16")));
}

TEST_F(ImportTest, TwoPeersThatShareSeveralRangesAreToldOfOnce) {
  (void)loaded(
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\n"
      "[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.0/24, 10.0.1.0/24\n"
      "[Peer]\nPublicKey = PUBLIC2\nAllowedIPs = 10.0.0.0/24, 10.0.1.0/24\n");
  EXPECT_THAT(notes_, ElementsAre("peer1 shares allowed IPs with peer2, further down, which has them: they are left "
                                  "out"));
}

TEST_F(ImportTest, OfASidePrefixThatIsTakenAnotherIsChosen) {
  const std::string file =
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = ";
  EXPECT_EQ(loaded(file + "fd00::/8\n").side.prefix.to_string(), "fc77::/16");
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("the other hosts must have the same side.prefix")));
}

TEST_F(ImportTest, WhatScriptsDidIsToldWithTheirLines) {
  (void)loaded(
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\n"
      "PostUp = iptables -I OUTPUT ! -o %i -m mark ! --mark $(wg show %i fwmark) -j REJECT\n"
      "PostUp = ip6tables -I OUTPUT ! -o %i -m mark ! --mark $(wg show %i fwmark) -j REJECT\n"
      "PreDown = iptables -D OUTPUT ! -o %i -m mark ! --mark $(wg show %i fwmark) -j REJECT\n"
      "PostUp = ip rule add from 192.0.2.7 table main\n"
      "# gate\n[Peer]\nPublicKey = PUBLIC1\nAllowedIPs = 10.0.0.1\n");
  EXPECT_THAT(notes_, Contains(AllOf(HasSubstr("the kill switch in lines 4 and 5 is gone after the next boot"),
                                     HasSubstr("never_clear = true in conf.d/gate.toml"))));
  EXPECT_THAT(notes_, Contains(HasSubstr("the routing rules of line 7 come after Anubis'")));
}

TEST_F(ImportTest, NameServersAndSearchDomainsAreSetByCommandsOfTheirOwn) {
  const std::string file = "[Interface]\nPrivateKey = PRIVATE\nListenPort = 7\nDNS = ";
  (void)loaded(file + "10.0.0.1, corp.example.net, ~.\n");
  EXPECT_THAT(notes_,
              ElementsAre(HasSubstr(": resolvectl dns wg0 10.0.0.1 and resolvectl domain wg0 corp.example.net ~.,")));
  (void)loaded(file + "corp.example.net\n");
  EXPECT_THAT(notes_, ElementsAre(HasSubstr(": resolvectl domain wg0 corp.example.net,")));
}

TEST_F(ImportTest, WithoutItsPrivateKeyNothingCanBeMadeOfIt) {
  EXPECT_EQ(import("[Interface]\nAddress = 10.0.0.1/24\n").error().message,
            "wg0.conf has no PrivateKey; put PrivateKey = … under [Interface], and try again");
  EXPECT_EQ(import("[Interface]\nPostUp = wg set %i private-key /etc/wireguard/%i.key\n").error().message,
            "wg0.conf has no PrivateKey: line 2 loads it from /etc/wireguard/wg0.key; put PrivateKey = … under "
            "[Interface], and try again");
  EXPECT_THAT(import("[Interface]\nPostUp = wg set %i private-key <(pass vpn)\n").error().message,
              HasSubstr("line 2 loads it by a script; "));
  EXPECT_THAT(import("[Interface]\nPrivateKey = PRIVATE\nAdress = 10.0.0.1/24\n").error().message,
              HasSubstr("wg0.conf:3:1"));
}

// Not in what is printed by --dry-run, either.
TEST_F(ImportTest, KeysStandInTheirFilesAlone) {
  const auto imported =
      import("[Interface]\nPrivateKey = PRIVATE\n# alice\n[Peer]\nPublicKey = PUBLIC1\nPresharedKey = PRESHARED1\n");
  ASSERT_TRUE(imported);
  std::string all = imported->configuration;
  for (const auto& peer : imported->peers) all += peer.entry;
  for (const auto& note : imported->notes) all += note;
  EXPECT_EQ(all.find(private_text(kOwn)), std::string::npos);
  EXPECT_EQ(all.find(private_text(41)), std::string::npos);
  EXPECT_EQ(imported->keys.at(0).file, "xena.key");
  EXPECT_EQ(imported->keys.at(1).file, "alice.psk");
}

TEST_F(ImportTest, ExportGivesItBack) {
  const std::string file =
      "[Interface]\nPrivateKey = PRIVATE\nListenPort = 51820\nFwMark = 0x51\nAddress = 10.66.66.1/24, fd42::1/64\n"
      "MTU = 1380\n\n[Peer]\nPublicKey = PUBLIC1\nPresharedKey = PRESHARED1\nAllowedIPs = 10.66.66.2/32, "
      "fd42::2/128\nEndpoint = vpn.example.net:51820\nPersistentKeepalive = 25\n";
  const auto config = loaded(file);
  EXPECT_THAT(notes_, IsEmpty());
  const auto exported = config::format_wg_quick(export_tunnel(config, named(config, "vpn")));
  EXPECT_EQ(exported.view(), with_keys(file));
}

}  // namespace
}  // namespace anubis::interop
