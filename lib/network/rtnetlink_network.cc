#include "lib/network/rtnetlink_network.h"

#include <algorithm>
#include <cerrno>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "lib/base/random.h"
#include "lib/network/describe.h"
#include "lib/network/link_message.h"
#include "lib/network/rule_message.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr std::size_t kLongestAlias = IFALIASZ - 1;
constexpr std::uint32_t kMinimumMtu6 = 1280;  // RFC 8200, section 5
// Links of ours get numbers that the kernel, which counts from 1, does not come to.
constexpr std::uint32_t kFirstOwnIndex = 1'000'000;
constexpr std::uint32_t kOwnIndices = 1'000'000'000;
constexpr int kIndexTries = 4;

// Names that are too long are cut by nobody: the kernel refuses them with ERANGE, which says little.
Status check_name(std::string_view name) {
  if (!name.empty() && name.size() < IFNAMSIZ) return {};
  return fail(ErrorCode::kInvalid, "\"" + std::string(name) + "\" cannot name an interface: it takes 1 to " +
                                       std::to_string(IFNAMSIZ - 1) + " characters");
}

Status check_alias(std::string_view alias) {
  if (alias.size() <= kLongestAlias) return {};
  return fail(ErrorCode::kInvalid,
              "an interface's alias takes at most " + std::to_string(kLongestAlias) + " characters");
}

}  // namespace

Result<std::unique_ptr<RtnetlinkNetwork>> RtnetlinkNetwork::create() {
  return create([] { return open_route_channel(); });
}

Result<std::unique_ptr<RtnetlinkNetwork>> RtnetlinkNetwork::create(Transactor::Open open) {
  auto transactor = Transactor::create(std::move(open));
  if (!transactor) return fail(transactor.error());
  return std::unique_ptr<RtnetlinkNetwork>(new RtnetlinkNetwork(std::move(*transactor)));
}

Answer RtnetlinkNetwork::execute(const Message& message) { return transactor_.execute(std::span(&message, 1)).front(); }

Result<std::optional<Link>> RtnetlinkNetwork::read_link(const Message& query, std::string_view what) {
  std::optional<Link> found;
  const Answer answer = transactor_.get(query, [&](const ReceivedMessage& message) { found = parse_link(message); });
  if (answer.error == ENODEV) return std::optional<Link>{};
  if (answer.error != 0) return fail(refusal(answer, "look at " + std::string(what)));
  return found;
}

Result<std::optional<Link>> RtnetlinkNetwork::link(std::string_view name) {
  if (auto valid = check_name(name); !valid) return fail(valid.error());
  return read_link(link_query(name), name);
}

Result<std::optional<Link>> RtnetlinkNetwork::link_at(std::uint32_t ifindex) {
  return read_link(link_query(ifindex), link_name(ifindex));
}

Result<Link> RtnetlinkNetwork::create_wireguard_link(std::string_view name, std::string_view alias) {
  if (auto valid = check_name(name); !valid) return fail(valid.error());
  if (auto valid = check_alias(alias); !valid) return fail(valid.error());
  const std::string what = "create the WireGuard interface " + std::string(name);
  auto existing = link(name);
  if (!existing) return fail(existing.error());
  if (*existing) return fail(refusal({EEXIST, {}}, what));

  base::SystemRandom random;
  Result<Link> created = fail(ErrorCode::kBusy, "cannot " + what + ": the numbers chosen for it are all taken");
  for (int tries = 0; tries < kIndexTries; ++tries) {
    const auto index = static_cast<std::uint32_t>(kFirstOwnIndex + random.below(kOwnIndices));
    const auto answers = transactor_.execute(wireguard_link_creation(name, index, alias));
    if (answers[0].error == EBUSY) continue;
    created = settle_creation(answers, index, what);
    // Whatever was made: nobody would know it as ours. Nothing else has that number.
    if (!created) (void)execute(link_deletion(index));
    break;
  }
  return created;
}

Result<Link> RtnetlinkNetwork::settle_creation(std::span<const Answer> answers, std::uint32_t ifindex,
                                               const std::string& what) {
  if (answers[0].error != 0 && answers[0].error != EEXIST) {
    base::Error error = refusal(answers[0], what);
    if (answers[0].error == EOPNOTSUPP) error.message += "; this kernel has no WireGuard";
    return fail(std::move(error));
  }
  // "There already" is also said when an answer was lost and the message sent again.
  auto made = link_at(ifindex);
  if (!made) return fail(made.error());
  if (!*made && answers[0].error != 0) return fail(refusal(answers[0], what));
  if (!*made) return fail(ErrorCode::kNotFound, "cannot " + what + ": it went away at once");
  if (answers[1].error != 0) return fail(refusal(answers[1], "mark " + (*made)->name + " as ours"));
  return std::move(**made);
}

Status RtnetlinkNetwork::delete_link(std::uint32_t ifindex) {
  const std::string what = "delete " + link_name(ifindex);
  const Answer answer = execute(link_deletion(ifindex));
  if (answer.error == 0 || answer.error == ENODEV) return {};
  return fail(refusal(answer, what));
}

Status RtnetlinkNetwork::set_link(std::uint32_t ifindex, const LinkSettings& settings) {
  if (settings.alias) {
    if (auto valid = check_alias(*settings.alias); !valid) return valid;
  }
  const Answer answer = execute(link_change(ifindex, settings));
  if (answer.error == 0) return {};
  std::string what = "change " + link_name(ifindex);
  if (settings.mtu) what += " to MTU " + std::to_string(*settings.mtu);
  if (settings.up) what += *settings.up ? " to up" : " to down";
  return fail(refusal(answer, what));
}

Result<std::vector<Address>> RtnetlinkNetwork::addresses(std::uint32_t ifindex) {
  std::vector<Address> found;
  const Answer answer = transactor_.dump(
      address_dump(ifindex), [&] { found.clear(); },
      [&](const ReceivedMessage& message) {
        const auto parsed = parse_address(message);
        if (parsed && parsed->ifindex == ifindex) found.push_back(parsed->address);
      });
  if (answer.error == ENODEV) return std::vector<Address>{};
  if (answer.error != 0) return fail(refusal(answer, "list the addresses of " + link_name(ifindex)));
  return found;
}

Status RtnetlinkNetwork::add_address(std::uint32_t ifindex, const model::InterfaceAddress& address,
                                     PrefixRoute prefix_route) {
  const Answer answer = execute(address_addition(ifindex, address, prefix_route));
  if (answer.error == 0) return {};
  if (answer.error == EEXIST) {
    const auto present = addresses(ifindex);
    if (!present) return fail(present.error());
    if (std::ranges::find(*present, address, &Address::address) != present->end()) return {};
  }
  return fail(refusal_on(ifindex, answer, "add address " + address.to_string() + " to " + link_name(ifindex),
                         address.address.family()));
}

base::Error RtnetlinkNetwork::refusal_on(std::uint32_t ifindex, const Answer& answer, const std::string& what,
                                         model::Family family) {
  base::Error error = refusal(answer, what, family);
  if (family == model::Family::kV4 || (answer.error != EINVAL && answer.error != ENODEV)) return error;
  const auto on = link_at(ifindex);
  if (on && *on && (*on)->mtu < kMinimumMtu6) {
    error.code = ErrorCode::kUnsupported;
    error.message += "; IPv6 needs an MTU of " + std::to_string(kMinimumMtu6) + " at least, and " + (*on)->name +
                     " has " + std::to_string((*on)->mtu);
  }
  return error;
}

Status RtnetlinkNetwork::remove_address(std::uint32_t ifindex, const model::InterfaceAddress& address) {
  const Answer answer = execute(address_removal(ifindex, address));
  const bool gone = answer.error == EADDRNOTAVAIL || answer.error == ENODEV || answer.error == ENXIO;
  const bool impossible = address.address.family() == model::Family::kV6 && means_no_such_family(answer);
  if (answer.error == 0 || gone || impossible) return {};
  return fail(refusal(answer, "remove address " + address.to_string() + " from " + link_name(ifindex)));
}

Status RtnetlinkNetwork::add_rule(const Rule& rule) {
  const Answer answer = execute(rule_addition(rule));
  // A rule that does the same is there: the kernel compares all but the protocol.
  if (answer.error == 0 || answer.error == EEXIST) return {};
  return fail(refusal(answer, "add " + describe(rule), rule.family));
}

Status RtnetlinkNetwork::remove_rule(const Rule& rule) {
  // The kernel removes the first rule that has all that is named, whatever else it has: make sure that ours is there.
  const auto present = rules(rule.protocol);
  if (!present) return fail(present.error());
  if (std::ranges::find(*present, rule) == present->end()) return {};
  const Answer answer = execute(rule_removal(rule));
  if (answer.error == 0 || answer.error == ENOENT) return {};
  return fail(refusal(answer, "remove " + describe(rule), rule.family));
}

Result<std::vector<Rule>> RtnetlinkNetwork::rules(std::uint8_t protocol) {
  std::vector<Rule> found;
  for (const model::Family family : {model::Family::kV4, model::Family::kV6}) {
    std::vector<Rule> of_family;
    const Answer answer = transactor_.dump(
        rule_dump(family), [&] { of_family.clear(); },
        [&](const ReceivedMessage& message) {
          auto rule = parse_rule(message);
          if (rule && rule->protocol == protocol && rule->family == family) of_family.push_back(std::move(*rule));
        });
    if (answer.error != 0 && !(family == model::Family::kV6 && means_no_such_family(answer)))
      return fail(refusal(answer, "list the routing rules"));
    std::ranges::move(of_family, std::back_inserter(found));
  }
  return found;
}

}  // namespace anubis::network
