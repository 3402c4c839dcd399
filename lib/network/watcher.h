// Tells when links, addresses, routes or rules of this network namespace change, whoever changed them. A hint to look,
// not a record: the kernel says nothing about the IPv4 routes that it drops with a link or an address, and what comes
// too fast is lost (then `overrun` says so).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/network/channel.h"
#include "lib/network/message.h"

namespace anubis::network {

enum class ChangeKind : std::uint8_t {
  kLink,
  kAddress,
  kRoute,         // ours
  kRule,          // ours
  kDefaultRoute,  // of the main table, not ours
};

struct Change {
  ChangeKind kind = ChangeKind::kLink;
  bool gone = false;          // of a route: or replaced by another one
  std::uint32_t ifindex = 0;  // of the link, or the one that the address or route belongs to; 0 for rules, throws and
                              // what others did in the watched table
  std::string name;           // of the link, for kLink: a rename tells the new one
  std::optional<model::IpAddress> gateway = {};  // for kDefaultRoute
  bool operator==(const Change&) const = default;
};

struct Changes {
  std::vector<Change> changes;  // in order, without repetitions
  bool overrun = false;         // some were lost: look at everything
  bool more = false;            // there are more: call drain() again when it suits
};

class Watcher {
 public:
  // Of the network namespace of the calling thread, for good. Routes and rules are told only when they are ours
  // (kRouteProtocol), and default routes: a router's tables may change thousands of times a second.
  static base::Result<std::unique_ptr<Watcher>> create();
  // Over a socket of the caller's making, subscribed to these groups.
  using Open = std::function<base::Result<std::unique_ptr<Channel>>(std::span<const int> groups)>;
  static base::Result<std::unique_ptr<Watcher>> create(const Open& open);
  explicit Watcher(std::unique_ptr<Channel> channel);

  // Readable when there is something to drain.
  [[nodiscard]] int fd() const { return channel_->fd(); }
  // Whoever takes a route away or replaces one in that table is told, too: that is how a route of ours is lost to
  // another one, and how that one goes again. For a table that is ours alone.
  void watch_table(std::uint32_t table) { watched_table_ = table; }
  // What the process that bound this port changed is not told (RtnetlinkNetwork::port(), when it is in this one).
  void ignore(std::uint32_t port) { ignored_port_ = port; }
  // Never blocks; reads a bounded amount. An error means that the socket is of no more use.
  base::Result<Changes> drain();

 private:
  std::unique_ptr<Channel> channel_;
  std::uint32_t ignored_port_ = 0;
  std::optional<std::uint32_t> watched_table_;
  Bytes buffer_;
};

}  // namespace anubis::network
