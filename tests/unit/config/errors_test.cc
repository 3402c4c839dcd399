// What a single key can do wrong: every error names the place and says what to do.
#include <algorithm>
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Case {
  std::string_view text;
  std::string_view error;
};

constexpr std::string_view kJacinth = R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
)";

TEST_F(ConfigTest, SyntaxErrorsAreToldByPlace) {
  EXPECT_THAT(error_of("name = \"xena\nx = 1\n"), StartsWith("anubis.toml:1:13: "));
  EXPECT_THAT(error_of("name = \"xena\"\nname = \"two\"\n"), StartsWith("anubis.toml:2:"));
  EXPECT_THAT(error_of("\n\n[production\n"), StartsWith("anubis.toml:3:"));
  EXPECT_THAT(error_of("name = \"\xff\""), StartsWith("anubis.toml:1:"));
}

TEST_F(ConfigTest, AnEmptyFileIsToldWhatItLacks) {
  EXPECT_EQ(error_of("name = \"xena\""),
            "anubis.toml:1:1: key production.private_key_file: is missing; name the file that holds the private key, "
            "which `wg genkey` makes\n"
            "anubis.toml:1:1: key side.private_key_file: is missing; name the file that holds the private key, which "
            "`wg genkey` makes");
}

TEST_F(ConfigTest, KeysOfTheHostAreChecked) {
  // Each stands on line 9, in the table that the case names, and is the only fault.
  const Case cases[] = {
      {"[control]\nsocket = 7", "anubis.toml:10:10: key control.socket: is an integer, must be a string"},
      {"[control]\nsocket = \"\"",
       "anubis.toml:10:10: key control.socket: is empty; leave the key out or give it a value"},
      {"[control]\nsocket = \"x.sock\"",
       "anubis.toml:10:10: key control.socket: must be an absolute path of at most 107 bytes"},
      {"[control]\ngroup = true", "anubis.toml:10:9: key control.group: is a boolean, must be a string"},
      {"[control]\ngroup = \"a\\u001bb\"",
       "anubis.toml:10:9: key control.group: contains a control character; take it out"},
      {"[control]\nsockte = \"/x\"", "anubis.toml:10:1: key control.sockte: is not known; did you mean socket?"},
      {"[metrics]\nlisten = \"192.0.2.1:9586\"",
       "anubis.toml:10:10: key metrics.listen: \"192.0.2.1:9586\" is no address of the loopback interface with a port, "
       "such as \"127.0.0.1:9586\"; others may read what is told there, so put a proxy that knows them before it"},
      {"[metrics]\nlisten = \"127.0.0.1\"",
       "anubis.toml:10:10: key metrics.listen: \"127.0.0.1\" is no address of the loopback interface with a port, such "
       "as \"127.0.0.1:9586\"; others may read what is told there, so put a proxy that knows them before it"},
      {"[metrics]\nmax_peers = -1", "anubis.toml:10:13: key metrics.max_peers: is -1, must be 0 to 2147483647"},
      {"[control]\nx = 1", "anubis.toml:10:1: key control.x: is not known; known here: group, socket, stop_timeout"},
      {"[contrl]\nx = 1", "anubis.toml:9:2: key contrl: is not known; did you mean control?"},
      {"[peer]\nname = \"jacinth\"",
       "anubis.toml:9:1: key peer: is a table, must be an array of tables; write [[peer]]"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(error_of_xena_and(text), error) << text;
}

TEST_F(ConfigTest, KeysOfTheInterfacesAreChecked) {
  // Each stands on line 3 of either table.
  const Case production[] = {
      {"interface = 7", "13: key production.interface: is an integer, must be a string"},
      {"interface = \"\"", "13: key production.interface: is empty; leave the key out or give it a value"},
      {"interface = \"sixteencharacter\"",
       "13: key production.interface: \"sixteencharacter\" cannot name an interface: 1 to 15 characters without "
       "blanks, quotes and any of /:%*\\"},
      {"interface = \"..\"",
       "13: key production.interface: \"..\" cannot name an interface: 1 to 15 characters without blanks, quotes "
       "and any of /:%*\\"},
      {"interface = 'w\"g*'",
       "13: key production.interface: \"w\"g*\" cannot name an interface: 1 to 15 characters without blanks, quotes "
       "and any of /:%*\\"},
      {"interface = \"w g\"",
       "13: key production.interface: \"w g\" cannot name an interface: 1 to 15 characters without blanks, quotes "
       "and any of /:%*\\"},
      {"listen_port = \"4296\"", "15: key production.listen_port: is a string, must be an integer"},
      {"listen_port = 0", "15: key production.listen_port: is 0, must be 1 to 65535"},
      {"listen_port = 65536", "15: key production.listen_port: is 65536, must be 1 to 65535"},
      {"listen_port = -1", "15: key production.listen_port: is -1, must be 1 to 65535"},
      {"listen_port = 1.0", "15: key production.listen_port: is a floating-point number, must be an integer"},
      {"listen_port = 1979-05-27", "15: key production.listen_port: is a date or time, must be an integer"},
      {"ListenPort = 1", "1: key production.ListenPort: is not known; did you mean listen_port?"},
      {"addresses = \"10.44.0.7/24\"", "13: key production.addresses: is a string, must be an array of strings"},
      {"addresses = [7]", "14: key production.addresses: is an integer, must be a string"},
      {"addresses = [\"10.44.0.7/24\", \"10.44.0.7/33\"]",
       "30: key production.addresses: \"10.44.0.7/33\" has no valid prefix length: 0 to 32 may stand behind the slash"},
      {"addresses = [\"10.44.0\"]", "14: key production.addresses: \"10.44.0\" is not an IPv4 or IPv6 address"},
      {"addresses = [\"fd77::7/64\"]",
       "14: key production.addresses: fd77::7/64 overlaps the side prefix fd77::/16, which is for Anubis alone; take "
       "another or set side.prefix to another, on every host"},
      {"table = 0", "9: key production.table: is 0, must be 1 to 4294967295"},
      {"table = 4294967296", "9: key production.table: is 4294967296, must be 1 to 4294967295"},
      {"table = 253",
       "9: key production.table: is 253, a table of the system; write \"main\" for the main table, or the number of "
       "one "
       "that nobody uses"},
      {"table = 254",
       "9: key production.table: is 254, a table of the system; write \"main\" for the main table, or the number of "
       "one "
       "that nobody uses"},
      {"table = 255",
       "9: key production.table: is 255, a table of the system; write \"main\" for the main table, or the number of "
       "one "
       "that nobody uses"},
      {"table = \"local\"", "9: key production.table: must be a number or \"main\""},
      {"table = true", "9: key production.table: is a boolean, must be a number or \"main\""},
      {"throw = [\"::/0\"]", "10: key production.throw: ::/0 would keep everything out of WireGuard; take it out"},
      {"direct = [\"0.0.0.0/0\"]", "11: key production.direct: 0.0.0.0/0 is no link's range; name the one of your LAN"},
      {"throw = [\"x\"]", "10: key production.throw: \"x\" is not an IPv4 or IPv6 address"},
      {"fwmark = -1", "10: key production.fwmark: is -1, must be 0 to 4294967295"},
      {"mtu = 1279", "7: key production.mtu: is 1279, must be 1280 to 65535"},
      {"mtu = 65536", "7: key production.mtu: is 65536, must be 1280 to 65535"},
      {"backend = \"wireguard-go\"",
       "11: key production.backend: \"wireguard-go\" is no backend: auto, kernel or userspace"},
  };
  for (const auto& [line, error] : production) {
    EXPECT_EQ(error_of("name = \"xena\"\n[production]\n" + std::string(line) +
                       "\nprivate_key_file = \"xena.key\"\n[side]\nprivate_key_file = \"xena-side.key\""),
              "anubis.toml:3:" + std::string(error))
        << line;
  }
  const Case side[] = {
      {"interface = \"wg0\"", "13: key side.interface: is wg0, as production.interface is; choose another"},
      {"listen_port = 4296", "15: key side.listen_port: is 4296, as production.listen_port is; choose another"},
      {"listen_port = 4298", "15: key side.listen_port: is 4298, as side.service_port is; choose another"},
      {"service_port = 4296", "16: key side.service_port: is 4296, as production.listen_port is; choose another"},
      {"service_port = 4297", "16: key side.service_port: is 4297, as side.listen_port is; choose another"},
      {"prefix = \"fd77::/48\"",
       "10: key side.prefix: fd77::/48 cannot hold side addresses: it must be a /16 within fc00::/7, such as "
       "fd77::/16"},
      {"prefix = \"2001::/16\"",
       "10: key side.prefix: 2001::/16 cannot hold side addresses: it must be a /16 within fc00::/7, such as "
       "fd77::/16"},
      {"prefix = \"10.7.0.0/16\"",
       "10: key side.prefix: 10.7.0.0/16 cannot hold side addresses: it must be a /16 within fc00::/7, such as "
       "fd77::/16"},
      {"address = \"127.0.0.1\"",
       "11: key side.address: 127.0.0.1 is not the address of one host; give each host its own"},
      {"address = \"0.0.0.0\"", "11: key side.address: 0.0.0.0 is not the address of one host; give each host its own"},
      {"address = \"10.0.0.1/24\"", "11: key side.address: \"10.0.0.1/24\" is not an IPv4 or IPv6 address"},
      {"allow = [\"tcp/22\"]",
       "1: key side.allow: is not known; known here: address, interface, listen_port, prefix, "
       "private_key_file, service_port"},
  };
  for (const auto& [line, error] : side) {
    EXPECT_EQ(error_of("name = \"xena\"\n[side]\n" + std::string(line) +
                       "\nprivate_key_file = \"xena-side.key\"\n[production]\nprivate_key_file = \"xena.key\""),
              "anubis.toml:3:" + std::string(error))
        << line;
  }
}

TEST_F(ConfigTest, AValueEqualToADefaultIsToldWhereItStands) {
  EXPECT_EQ(error_of(R"(name = "xena"
[production]
private_key_file = "xena.key"
interface = "anubis0"
listen_port = 4297
[side]
private_key_file = "xena-side.key"
)"),
            "anubis.toml:4:13: key production.interface: is anubis0, as side.interface is; choose another\n"
            "anubis.toml:5:15: key production.listen_port: is 4297, as side.listen_port is; choose another");
}

TEST_F(ConfigTest, NamesAreWhatCanBeTypedAtAShell) {
  constexpr std::string_view kRule =
      " cannot be a name: 1 to 63 letters, digits, dots, underscores and hyphens, of which neither a dot nor a hyphen "
      "comes first";
  for (const std::string name : {"-a", ".a", "a b", "a/b", "jäcinth", "a$b", "*"}) {
    EXPECT_EQ(error_of_xena_and("[[peer]]\nname = \"" + name + "\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\""),
              "anubis.toml:10:8: key peer[1].name: \"" + name + "\"" + std::string(kRule));
  }
  const std::string longest(63, 'a');
  EXPECT_EQ(
      error_of_xena_and("[[peer]]\nname = \"" + longest + "\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\""), "");
  EXPECT_THAT(
      error_of_xena_and("[[peer]]\nname = \"" + longest + "a\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\""),
      EndsWith(kRule));
  for (const std::string name : {"7", "_a", "a.b-c_d", "xena.example.net"}) {
    EXPECT_EQ(error_of_xena_and("[[peer]]\nname = \"" + name + "\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\""),
              "");
  }
}

TEST_F(ConfigTest, APeerIsToldWhatItLacks) {
  EXPECT_EQ(error_of_xena_and("[[peer]]\n"),
            "anubis.toml:9:1: key peer[1].name: is missing; say what to call this peer, as in: anubis up NAME\n"
            "anubis.toml:9:1: key peer[1].public_key: is missing; it is the peer's production public key\n"
            "anubis.toml:9:1: key peer[1].side_public_key: is missing; it is the public key of the peer's side "
            "interface; if no "
            "Anubis runs there, write plain = true");
}

TEST_F(ConfigTest, KeysOfPeersAreChecked) {
  // Each stands on line 13.
  const Case cases[] = {
      {"endpoint = \"a b\"",
       "12: key peer[1].endpoint: \"a b\" is not a host name or an address, with or without :port"},
      {"endpoint = \"192.0.2.1:0\"", "12: key peer[1].endpoint: \"192.0.2.1:0\" has no valid port: 1 to 65535"},
      {"endpoint = \"0.0.0.0\"",
       "12: key peer[1].endpoint: 0.0.0.0 is the address of no single host; name the host's own"},
      {"endpoint = \"[ff02::1]:7\"",
       "12: key peer[1].endpoint: ff02::1 is the address of no single host; name the host's own"},
      {"endpoint = \"fd77::1\"",
       "12: key peer[1].endpoint: fd77::1 is a side address, which stands inside the tunnel; "
       "name the address at which the host is reached without it"},
      {"endpoint = \"192.0.2.1:4297\"",
       "12: key peer[1].endpoint: 192.0.2.1:4297 would be both the production and the "
       "side endpoint; they need different ports"},
      {"side_endpoint = \"-x\"",
       "17: key peer[1].side_endpoint: \"-x\" is not a host name or an address, with or without :port"},
      {"side_address = \"10.0.0.0/8\"", "16: key peer[1].side_address: \"10.0.0.0/8\" is not an IPv4 or IPv6 address"},
      {"allowed_ips = \"0.0.0.0/0\"", "15: key peer[1].allowed_ips: is a string, must be an array of strings"},
      {"allowed_ips = [\"10.0.0.0/8\", \"x\"]", "30: key peer[1].allowed_ips: \"x\" is not an IPv4 or IPv6 address"},
      {"endpoint_ports = [53]",
       "19: key peer[1].endpoint_ports: needs an endpoint: there is no host to try these ports of"},
      {"endpoint_ports = 53", "18: key peer[1].endpoint_ports: is an integer, must be an array of integers"},
      {"nested = 1", "10: key peer[1].nested: is an integer, must be true or false"},
      {"persistent_keepalive = 65536", "24: key peer[1].persistent_keepalive: is 65536, must be 0 to 65535"},
      {"persistent_keepalive = \"on\"",
       "24: key peer[1].persistent_keepalive: must be a number of seconds, 0 to 65535, or \"off\""},
      {"persistent_keepalive = []",
       "24: key peer[1].persistent_keepalive: is an array, must be a number of seconds, 0 to 65535, or \"off\""},
      {"lease = 90", "9: key peer[1].lease: is an integer, must be a string"},
      {"lease = \"90\"", "9: key peer[1].lease: \"90\" lacks its unit: put s, m, h or d behind the number"},
      {"lease = \"0s\"",
       "9: key peer[1].lease: is over at once; leave the key out for a session that lasts until down"},
      {"group = \"a b\"",
       "9: key peer[1].group: \"a b\" cannot be a name: 1 to 63 letters, digits, dots, underscores and hyphens, of "
       "which "
       "neither a dot nor a hyphen comes first"},
      {"AllowedIPs = []", "1: key peer[1].AllowedIPs: is not known; did you mean allowed_ips?"},
      {"allowed-ips = []", "1: key peer[1].allowed-ips: is not known; did you mean allowed_ips?"},
      {"endpiont = \"x\"", "1: key peer[1].endpiont: is not known; did you mean endpoint?"},
      {"firmware = true",
       "1: key peer[1].firmware: is not known; known here: addresses, allowed_ips, auto, companion_key, endpoint, "
       "endpoint_ports, "
       "fail_back, "
       "fail_over, group, "
       "idle_timeout, lan_addresses, lease, name, nested, never_clear, persistent_keepalive, plain, "
       "preshared_key_file, production_preshared_key_file, public_key, side_address, side_endpoint, "
       "side_preshared_key_file, "
       "side_public_key"},
  };
  for (const auto& [line, error] : cases) {
    EXPECT_EQ(error_of_xena_and(std::string(kJacinth).append(line)), "anubis.toml:13:" + std::string(error)) << line;
  }
}

TEST_F(ConfigTest, EndpointPortsAreFewAndOthersThanTheConfiguredOnes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"53, 53", "23: key peer[1].endpoint_ports: 53 stands there twice; take one out"},
      {"1, 2, 3, 4, 5, 6, 7, 8, 9", "43: key peer[1].endpoint_ports: there are more than 8 ports; choose among them"},
      {"53, 0", "23: key peer[1].endpoint_ports: is 0, must be 1 to 65535"},
      {"4297", "19: key peer[1].endpoint_ports: 4297 is the port of h:4297 already; take it out"},
      {"53, 4296", "23: key peer[1].endpoint_ports: 4296 is the port of h:4296 already; take it out"},
  };
  for (const auto& [ports, error] : cases) {
    const std::string keys = "endpoint = \"h\"\nendpoint_ports = [" + std::string(ports) + "]";
    EXPECT_EQ(error_of_xena_and(std::string(kJacinth).append(keys)), "anubis.toml:14:" + std::string(error)) << ports;
  }
}

TEST_F(ConfigTest, AllErrorsAreToldAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(
      error_of(R"(name = "xena"
[[peer]]
name = 7
public_key = "x"
side_public_key = "KEY2"
[side]
private_key_file = "xena-side.key"
listen_port = 0
[production]
private_key_file = "xena.key"
mtu = "big"
)"),
      "anubis.toml:3:8: key peer[1].name: is an integer, must be a string\n"
      "anubis.toml:4:14: key peer[1].public_key: is not a key: a WireGuard key is 44 characters of base64, as `wg "
      "genkey` and `wg pubkey` print it\n"
      "anubis.toml:8:15: key side.listen_port: is 0, must be 1 to 65535\n"
      "anubis.toml:11:7: key production.mtu: is a string, must be an integer");
}

TEST_F(ConfigTest, NoMoreThanTwentyErrorsAreTold) {
  std::string text(kXena);
  for (int i = 0; i < 1'000; ++i) text += "x" + std::to_string(i) + " = 1\n";
  const std::string error = error_of(text);
  // Keys after [side] belong to it.
  EXPECT_EQ(std::ranges::count(error, '\n'), 20);
  EXPECT_THAT(error, EndsWith("\n… and 980 more"));
}

TEST_F(ConfigTest, WhatIsQuotedBackIsShortAndHarmless) {
  const std::string huge(100'000, 'x');
  EXPECT_EQ(error_of_xena_and("[control]\nsocket = \"" + huge + "\""),
            "anubis.toml:10:10: key control.socket: is 100000 bytes long; at most 1024 make sense here");
  EXPECT_LT(error_of_xena_and("[control]\n" + huge + " = 1").size(), 300u);
  EXPECT_THAT(error_of_xena_and("[control]\n\"\\u001b[31m\\n\" = 1"),
              StartsWith(R"(anubis.toml:10:1: key control.\x1b[31m\x0a: )"));
}

TEST_F(ConfigTest, WhatIsCutInTheMiddleOfACharacterIsStillText) {
  // The 64th byte is the first half of an umlaut.
  const std::string key = std::string(63, 'x') + "\u00e4";
  EXPECT_THAT(error_of_xena_and("[control]\n\"" + key + "\" = 1"),
              StartsWith("anubis.toml:10:1: key control." + std::string(63, 'x') + R"(\xc3: is not known)"));
  EXPECT_THAT(error_of_xena_and("[control]\n\"\u00e4\u009b\u20ac\U0001F511\" = 1"),
              StartsWith("anubis.toml:10:1: key control.\u00e4\\xc2\\x9b\u20ac\U0001F511: is not known"));
}

TEST_F(ConfigTest, NoKeyIsToldFromAPrivateKeyFile) {
  folder_.write("xena.key", private_key(kOwnProduction) + private_key(1));
  const std::string error = error_of_xena_and("");
  EXPECT_THAT(error, StartsWith("anubis.toml:4:20: key production.private_key_file: xena.key is not a key"));
  EXPECT_THAT(error, Not(HasSubstr(private_key(kOwnProduction))));
}

}  // namespace
}  // namespace anubis::config
