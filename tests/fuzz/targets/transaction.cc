// Requests to a kernel that answers anything at all: they end, and an answer that never came is no success.
#include "lib/network/transaction.h"

#include <memory>
#include <optional>

#include <linux/rtnetlink.h>

#include "lib/network/link_message.h"
#include "lib/network/network.h"
#include "lib/network/route_message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scripted_channel.h"

namespace anubis::fuzz {

void transaction(Bytes input) {
  Reader script(input);
  auto created = network::Transactor::create(
      [&]() -> base::Result<std::unique_ptr<network::Channel>> { return std::make_unique<ScriptedChannel>(script); });
  network::Transactor& transactor = created.value();
  for (int i = 0; i < 4 && !script.at_end(); ++i) {
    std::size_t visited = 0;
    switch (script.byte() % 3) {
      case 0: {
        const auto answer = transactor.get(network::link_query("wg0"), [&](const auto&) { ++visited; });
        require(answer.error != 0 || visited == 1, "a success has one reply");
        break;
      }
      case 1: {
        bool begun = false;
        const auto answer = transactor.dump(
            network::address_dump(7), [&] { begun = true; },
            [&](const auto&) { require(begun, "a dump begins first"); });
        require(answer.error != 0 || begun, "a success has begun");
        break;
      }
      default: {
        const network::Route route{.prefix = model::IpPrefix::parse("10.44.0.0/24").value(), .ifindex = 7};
        const network::Message messages[] = {network::route_addition(route), network::route_removal(route)};
        const bool silent = script.at_end();
        const auto answers = transactor.execute(messages);
        require(answers.size() == std::size(messages), "each message has an answer");
        for (const auto& answer : answers) require(!silent || answer.error != 0, "silence is no success");
        break;
      }
    }
  }
}

}  // namespace anubis::fuzz
