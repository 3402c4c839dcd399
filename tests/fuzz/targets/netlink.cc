// What the kernel's WireGuard answers: the attributes of a dump's messages, one block each. A kernel tells peers in the
// attributes by which it is told of them, so what was read can be built and read again.
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "lib/wireguard/netlink_message.h"
#include "tests/fuzz/device_collector.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

void netlink(Bytes input) {
  Reader reader(input);
  DeviceCollector device;
  wireguard::DeviceParser parser(device);
  while (!reader.at_end()) {
    const Bytes attributes = reader.block();
    (void)wireguard::parse_family(attributes);
    if (!parser.feed(attributes)) return;
  }
  parser.finish();
  if (device.begun == 0) return;
  require(device.begun == 1, "a dump is about one device");

  const wireguard::Target target{.family = 32, .interface = "wg0"};
  const auto changes = device.as_changes();
  wireguard::PeerMessages messages(target, changes);
  DeviceCollector again;
  wireguard::DeviceParser second(again);
  while (const auto message = messages.next()) {
    require(message->bytes().size() <= wireguard::Message::kCapacity, "a message has room");
    require(second.feed(message->bytes().subspan(NLMSG_HDRLEN + GENL_HDRLEN)), "what was built can be read");
  }
  second.finish();
  require(again.same_peers(device), "what was built is read as the same");
}

}  // namespace anubis::fuzz
