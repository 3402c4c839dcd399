#include "firewall/also_listen.h"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace anubis::firewall {
namespace {

// WireGuard's messages by their first four bytes, behind the UDP header: a type and three bytes of zero. A question to
// a name server begins like that once in 16,384 times, and never has the size of an initiation by chance; QUIC never
// does (RFC 9000, 17: its second bit is set).
constexpr std::string_view kInitiation = "@th,64,32 0x01000000 udp length 156";
constexpr std::string_view kResponse = "@th,64,32 0x02000000";
constexpr std::string_view kCookieOrData = "@th,64,32 { 0x03000000, 0x04000000 }";
// The index by which the receiver of a message knows the session; and that of the sender, in a handshake.
constexpr std::string_view kReceiver = "@th,96,32";
constexpr std::string_view kReceiverOfResponse = "@th,128,32";
constexpr std::string_view kSender = "@th,96,32";

// WireGuard forgets a session's keys after 3 min (REJECT_AFTER_TIME).
constexpr std::string_view kSessionLives = "4m";
// As long as a NAT on the way may remember the way back.
constexpr std::string_view kSourceLives = "10m";
// A source of initiations that nothing answers: longer than WireGuard waits before the next, which is 5 s.
constexpr std::string_view kTryLives = "20s";

struct Words {
  std::string_view protocol;
  std::string_view source;
  std::string_view destination;
  std::string_view type;
  std::string_view suffix;
};
constexpr std::array kFamilies{
    Words{"ipv4", "ip saddr . udp sport", "ip daddr . udp dport", "ipv4_addr . inet_service", "v4"},
    Words{"ipv6", "ip6 saddr . udp sport", "ip6 daddr . udp dport", "ipv6_addr . inet_service", "v6"}};

class Builder {
 public:
  Builder(const Policy& policy, Ruleset& ruleset) : policy_(policy), ruleset_(ruleset) {}

  void build() {
    add_sets();
    for (const Words& words : kFamilies) {
      add_tries(words);
      add_notes(words);
    }
    add_arrivals();
    add_departures();
  }

 private:
  static std::string under(std::uint16_t number, const Words& words) {
    return fmt::format("under_{}_{}", number, words.suffix);
  }

  void add_sets() {
    ruleset_.learnt.push_back({"sessions", "map", "typeof @th,96,32 : udp dport", std::string(kSessionLives), {}});
    // The same without the ports: Linux 6.1 takes no map where only membership is asked for.
    ruleset_.learnt.push_back({"receivers", "set", "typeof @th,96,32", std::string(kSessionLives), {}});
    for (const Words& words : kFamilies) {
      const auto add = [&](const std::string& name, std::string_view timeout) {
        ruleset_.learnt.push_back({name, "set", fmt::format("type {}", words.type), std::string(timeout), {}});
      };
      for (const std::uint16_t number : policy_.also_listen) add(under(number, words), kSourceLives);
      add(fmt::format("initiators_to_production_{}", words.suffix), kSourceLives);
      add(fmt::format("tried_production_{}", words.suffix), kTryLives);
      add(fmt::format("tried_side_{}", words.suffix), kTryLives);
    }
  }

  Chain& add_chain(std::string name) {
    ruleset_.chains.push_back({std::move(name), {}, {}, {}, {}});
    return ruleset_.chains.back();
  }

  // Nothing in an initiation tells which interface it is for. The other one is tried next, and whichever answers is
  // remembered as long as it does.
  void add_tries(const Words& words) {
    const auto to = [&](std::string_view which, std::uint16_t port) {
      Chain& chain = add_chain(fmt::format("to_{}_{}", which, words.suffix));
      chain.rules.push_back(
          {fmt::format("add @tried_{}_{} {{ {} }}", which, words.suffix, words.source), "unless it answers"});
      chain.rules.push_back({fmt::format("udp dport set {} accept", port), fmt::format("to the {} port", which)});
    };
    to("production", policy_.production_port);
    to("side", policy_.side_port);

    Chain& initiation = add_chain(fmt::format("initiation_{}", words.suffix));
    const auto next = [&](std::string_view tried, std::string_view other) {
      initiation.rules.push_back({fmt::format("{0} @tried_{1}_{2} delete @tried_{1}_{2} {{ {0} }} goto to_{3}_{2}",
                                              words.source, tried, words.suffix, other),
                                  fmt::format("{} did not answer", tried)});
    };
    next("production", "side");
    next("side", "production");
    initiation.rules.push_back(
        {fmt::format("{0} @initiators_to_production_{1} goto to_production_{1}", words.source, words.suffix),
         "production answered the last"});
    initiation.rules.push_back({fmt::format("goto to_side_{}", words.suffix), "the side tunnel comes first"});

    Chain& answered = add_chain(fmt::format("answered_{}", words.suffix));
    for (const std::string_view which : {"production", "side"}) {
      answered.rules.push_back(
          {fmt::format("delete @tried_{}_{} {{ {} }}", which, words.suffix, words.destination), "it is the right one"});
    }
    answered.rules.push_back({fmt::format("udp sport {} update @initiators_to_production_{} {{ {} }}",
                                          policy_.production_port, words.suffix, words.destination),
                              "production"});
    answered.rules.push_back({fmt::format("udp sport {} delete @initiators_to_production_{} {{ {} }}",
                                          policy_.side_port, words.suffix, words.destination),
                              "side"});
  }

  // Where answers to a source are to come from: the number under which it was heard last. Whoever only begins, whom
  // anybody could forge, is forgotten soon.
  void add_notes(const Words& words) {
    for (const bool begins : {true, false}) {
      Chain& chain = add_chain(fmt::format("{}_{}", begins ? "begin" : "note", words.suffix));
      for (const std::uint16_t number : policy_.also_listen) {
        chain.rules.push_back(
            {fmt::format("udp dport != {} delete @{} {{ {} }}", number, under(number, words), words.source),
             fmt::format("no longer under {}", number)});
        chain.rules.push_back({fmt::format("udp dport {} update @{} {{ {}{} }}", number, under(number, words),
                                           words.source, begins ? fmt::format(" timeout {}", kTryLives) : ""),
                               fmt::format("under {}", number)});
      }
    }
  }

  void add_arrivals() {
    // Whatever number it came to; only what belongs to a session of ours, or may begin one.
    Chain& heard = add_chain("heard");
    for (const Words& words : kFamilies) {
      const auto note = [&](std::string_view what, std::string_view chain, std::string_view comment) {
        heard.rules.push_back({fmt::format("meta nfproto {} {} jump {}_{}", words.protocol, what, chain, words.suffix),
                               std::string(comment)});
      };
      note(kInitiation, "begin", "an initiation");
      note(fmt::format("{} {} @receivers", kResponse, kReceiverOfResponse), "note", "the answer to one of ours");
      note(fmt::format("{} {} @receivers", kCookieOrData, kReceiver), "note", "of a session");
    }

    Chain& further = add_chain("under_further_number");
    further.rules.push_back({"jump heard", "note where it came from"});
    for (const Words& words : kFamilies) {
      further.rules.push_back(
          {fmt::format("meta nfproto {} {} goto initiation_{}", words.protocol, kInitiation, words.suffix),
           "for which of the two?"});
    }
    further.rules.push_back(
        {fmt::format("{} udp dport set {} map @sessions accept", kResponse, kReceiverOfResponse), "to who asked"});
    further.rules.push_back(
        {fmt::format("{} udp dport set {} map @sessions accept", kCookieOrData, kReceiver), "to whose session it is"});

    Chain& arrivals = add_chain("arrivals");
    arrivals.type = "filter";
    arrivals.hook = "prerouting";
    arrivals.priority = "raw";  // before connections are tracked: what they know are the bearer ports
    arrivals.rules.push_back({fmt::format("iifname {{ \"{}\", \"{}\", \"lo\" }} accept", policy_.production_interface,
                                          policy_.side_interface),
                              "not from within"});
    arrivals.rules.push_back(
        {fmt::format("udp dport {{ {}, {} }} goto heard", policy_.production_port, policy_.side_port),
         "under no further number"});
    arrivals.rules.push_back({fmt::format("udp dport {{ {} }} fib daddr type local goto under_further_number",
                                          fmt::join(policy_.also_listen, ", ")),
                              "to this host"});
  }

  void add_departures() {
    Chain& sent = add_chain("sent");
    for (const Words& words : kFamilies) {
      sent.rules.push_back({fmt::format("meta nfproto {} @th,64,32 {{ 0x02000000, 0x03000000 }} jump answered_{}",
                                        words.protocol, words.suffix),
                            "the right one answers"});
    }
    sent.rules.push_back(
        {fmt::format("@th,64,32 {{ 0x01000000, 0x02000000 }} update @sessions {{ {} : udp sport }}", kSender),
         "whose session it will be"});
    sent.rules.push_back({fmt::format("@th,64,32 {{ 0x01000000, 0x02000000 }} update @receivers {{ {} }}", kSender),
                          "and that it is ours"});
    for (const Words& words : kFamilies) {
      for (const std::uint16_t number : policy_.also_listen) {
        sent.rules.push_back(
            {fmt::format("{} @{} udp sport set {} accept", words.destination, under(number, words), number),
             fmt::format("from {}", number)});
      }
    }

    Chain& departures = add_chain("departures");
    departures.type = "filter";
    departures.hook = "output";
    // Behind all that asks for the bearer ports: our own rules, routing, what tracks connections.
    departures.priority = "filter + 10";
    departures.rules.push_back(
        {fmt::format("udp sport {{ {}, {} }} goto sent", policy_.production_port, policy_.side_port),
         "bearer packets"});
  }

  const Policy& policy_;
  Ruleset& ruleset_;
};

}  // namespace

void add_also_listen(const Policy& policy, Ruleset& ruleset) {
  if (!policy.also_listen.empty()) Builder(policy, ruleset).build();
}

}  // namespace anubis::firewall
