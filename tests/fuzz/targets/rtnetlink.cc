// What the kernel tells of links, addresses, routes and rules, asked for or not: datagrams of messages.
#include <memory>

#include <linux/rtnetlink.h>

#include "lib/network/link_message.h"
#include "lib/network/message.h"
#include "lib/network/route_message.h"
#include "lib/network/rule_message.h"
#include "lib/network/watcher.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scripted_channel.h"

namespace anubis::fuzz {
namespace {

network::ReceivedMessage received(const network::Message& message) { return network::split(message.bytes()).at(0); }

void parse_all(const network::ReceivedMessage& message) {
  (void)network::parse_link(message);
  (void)network::parse_address(message);
  (void)network::parse_answer(message);

  // What was built from what was read is read as the same.
  if (const auto record = network::parse_route(message); record && record->expressible) {
    const auto addition = network::route_addition(record->route);
    const auto again = network::parse_route(received(addition));
    require(again && again->expressible && again->route == record->route, "a route survives");
    const auto removal = network::route_removal(record->route);
    require(network::parse_route(received(removal)).has_value(), "a removal names a route");
  }
  if (const auto rule = network::parse_rule(message)) {
    const auto addition = network::rule_addition(*rule);
    require(network::parse_rule(received(addition)) == rule, "a rule survives");
  }
}

}  // namespace

void rtnetlink(Bytes input) {
  Reader script(input);
  Reader direct(input);
  while (!direct.at_end()) {
    (void)direct.byte();
    for (const auto& message : network::split(direct.block())) parse_all(message);
  }

  network::Watcher watcher(std::make_unique<ScriptedChannel>(script));
  watcher.ignore(17);
  while (true) {
    const auto drained = watcher.drain();
    if (!drained) return;
    for (std::size_t i = 0; i < drained->changes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        require(drained->changes[i] != drained->changes[j], "no change is told twice");
      }
    }
    if (!drained->more) return;
  }
}

}  // namespace anubis::fuzz
