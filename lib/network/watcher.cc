#include "lib/network/watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/rtnetlink.h>

#include "lib/network/link_message.h"
#include "lib/network/route_message.h"
#include "lib/network/rule_message.h"

namespace anubis::network {
namespace {

// Notifications are a few hundred bytes each, but a link's can be long (virtual functions, statistics).
constexpr std::size_t kBuffer = 64 * 1024;
// A drain shares its thread with the rest of the daemon: about 1 ms.
constexpr int kDatagramsPerDrain = 256;

std::optional<Change> route_change_of(const ReceivedMessage& message, std::optional<std::uint32_t> watched_table) {
  const auto record = parse_route(message);
  if (!record) return std::nullopt;
  // Replacing is told as a new route, and no word of the old one.
  const bool gone = message.type == RTM_DELROUTE || (message.flags & NLM_F_REPLACE) != 0;
  if (record->route.protocol == kRouteProtocol) return Change{ChangeKind::kRoute, gone, record->route.ifindex, {}};
  if (const auto hops = parse_default_route(message); !hops.empty()) {
    return Change{
        ChangeKind::kDefaultRoute, message.type == RTM_DELROUTE, hops.front().ifindex, {}, hops.front().gateway};
  }
  if (gone && record->route.table == watched_table) return Change{ChangeKind::kRoute, gone, 0, {}};
  return std::nullopt;
}

std::optional<Change> change_of(const ReceivedMessage& message, std::optional<std::uint32_t> watched_table) {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (const auto link = parse_link(message))
        return Change{ChangeKind::kLink, message.type == RTM_DELLINK, link->index, link->name};
      return std::nullopt;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (const auto address = parse_address(message))
        return Change{ChangeKind::kAddress, message.type == RTM_DELADDR, address->ifindex, {}};
      return std::nullopt;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return route_change_of(message, watched_table);
    case RTM_NEWRULE:
    case RTM_DELRULE:
      if (const auto rule = parse_rule(message); rule && rule->protocol == kRouteProtocol)
        return Change{ChangeKind::kRule, message.type == RTM_DELRULE, 0, {}};
      return std::nullopt;
    default:  // not an enum of ours: the kernel adds types
      return std::nullopt;
  }
}

}  // namespace

base::Result<std::unique_ptr<Watcher>> Watcher::create() { return create(open_route_channel); }

base::Result<std::unique_ptr<Watcher>> Watcher::create(const Open& open) {
  static constexpr std::array kGroups = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                         RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                                         RTNLGRP_IPV6_RULE};
  std::array<int, kGroups.size()> groups{};
  std::ranges::copy(kGroups, groups.begin());
  auto channel = open(groups);
  if (!channel) return base::fail(channel.error());
  return std::make_unique<Watcher>(std::move(*channel));
}

Watcher::Watcher(std::unique_ptr<Channel> channel) : channel_(std::move(channel)), buffer_(kBuffer) {}

base::Result<Changes> Watcher::drain() {
  Changes drained;
  for (int i = 0; i < kDatagramsPerDrain; ++i) {
    const auto received = channel_->receive(buffer_, std::chrono::milliseconds(0));
    if (!received) {
      switch (received.error()) {
        case EAGAIN:
        case ETIMEDOUT:
          return drained;
        case EINTR:
          continue;
        case ENOBUFS:
        case ENOMEM:
          drained.overrun = true;
          continue;
        default:  // errno
          return base::fail_errno(received.error(), "cannot hear of changes to links and routes");
      }
    }
    if (received->sender != 0) continue;
    // What was cut off is unknown.
    if (received->truncated) drained.overrun = true;
    for (const ReceivedMessage& message : split(ByteView(buffer_).first(std::min(received->size, buffer_.size())))) {
      if (ignored_port_ != 0 && message.port == ignored_port_) continue;
      auto change = change_of(message, watched_table_);
      if (change && std::ranges::find(drained.changes, *change) == drained.changes.end())
        drained.changes.push_back(std::move(*change));
    }
  }
  drained.more = true;
  return drained;
}

}  // namespace anubis::network
