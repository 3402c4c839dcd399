#include "firewall/nft_firewall.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <nftables/libnftables.h>

#include "firewall/attributes.h"
#include "firewall/foreign_message.h"
#include "firewall/message.h"

namespace anubis::firewall {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;
using model::Family;
using model::IpPrefix;

constexpr std::array kProductionSets{std::pair{kProductionV4, Family::kV4}, std::pair{kProductionV6, Family::kV6}};

bool is_ours(const Message& message) {
  return message.family == NFPROTO_INET && table_of(message.attributes) == kTable;
}

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

// What libnftables complains of, in one line: "Error: Could not process rule: Operation not supported\n…"
std::string first_line(std::string_view said) {
  constexpr std::string_view kError = "Error: ";
  std::string line(said.substr(0, said.find('\n')));
  if (const auto at = line.find(kError); at != std::string::npos) line.erase(0, at + kError.size());
  return line.empty() ? "nftables does not say why" : line;
}

std::string shape_of(const Chain& chain) {
  std::string shape = chain.name;
  for (const Rule& rule : chain.rules) shape.append("\n").append(rule.comment);
  return shape;
}

// What is to be seen of a ruleset when it is read back: its chains, and in each all rules in their order.
std::vector<std::string> shape_of(const std::vector<Chain>& chains) {
  std::vector<std::string> shape;
  shape.reserve(chains.size());
  for (const Chain& chain : chains) shape.push_back(shape_of(chain));
  std::ranges::sort(shape);
  return shape;
}

// The prefixes that make up a range, the longest-reaching first.
void append_prefixes(Range range, std::vector<IpPrefix>& prefixes) {
  while (true) {
    std::uint8_t length = 0;
    while (IpPrefix(range.first, length).address() != range.first || range_of({range.first, length}).last > range.last)
      ++length;
    prefixes.emplace_back(range.first, length);
    const auto last = range_of(prefixes.back()).last;
    if (last == range.last) return;
    range.first = next(last);
  }
}

}  // namespace

void NftFirewall::Free::operator()(nft_ctx* context) const { nft_ctx_free(context); }

NftFirewall::NftFirewall() = default;
NftFirewall::~NftFirewall() = default;

// libnftables ends the process where it cannot open its socket: ours comes first.
Status NftFirewall::open() {
  if (!netlink_) {
    auto netlink = Netlink::open(Netlink::Events::kNo);
    if (!netlink) return fail(netlink.error());
    netlink_ = std::move(*netlink);
  }
  if (!events_) {
    auto events = Netlink::open(Netlink::Events::kYes);
    if (!events) return fail(events.error());
    events_ = std::move(*events);
  }
  if (!context_) {
    context_.reset(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context_ || nft_ctx_buffer_output(context_.get()) != 0 || nft_ctx_buffer_error(context_.get()) != 0)
      return fail(ErrorCode::kIo, "cannot set up libnftables");
  }
  return {};
}

Result<std::string> NftFirewall::run(const std::string& text) {
  const int outcome = nft_run_cmd_from_buffer(context_.get(), text.c_str());
  std::string output = nft_ctx_get_output_buffer(context_.get());
  const std::string error = first_line(nft_ctx_get_error_buffer(context_.get()));
  if (outcome == 0) return output;
  return fail(ErrorCode::kIo, "nftables refuses: " + error);
}

Status NftFirewall::apply(const Policy& policy) {
  if (auto status = open(); !status) return status;
  Ruleset ruleset = ruleset_of(policy);
  const auto in_place = text_in_place(ruleset);
  if (!in_place) return fail(in_place.error());
  if (in_place->empty() || !run(*in_place)) {
    if (auto status = replace(ruleset); !status) return status;
  }
  // What libnftables just told the kernel cannot be told from what others did before: so it is read after this.
  (void)events_->drain([](const Message&) {});
  auto reading = read();
  if (!reading) return fail(reading.error());
  policy_ = policy;
  ruleset_ = std::move(ruleset);
  const auto sets = sets_stand();
  if (!sets) return fail(sets.error());
  if (shape_of(reading->chains) != shape_of(ruleset_.chains) || !*sets) {
    policy_.reset();
    return fail(ErrorCode::kInternal,
                "nftables took the rules, but has others: does another program change the table inet anubis?");
  }
  as_read_ = std::move(reading->bytes);
  return {};
}

Status NftFirewall::replace(Ruleset& ruleset) {
  take_along(ruleset);
  auto done = run(to_text(ruleset));
  for (LearntSet& set : ruleset.learnt) set.elements.clear();
  // What another version learnt may not fit.
  if (!done && !ruleset.learnt.empty()) done = run(to_text(ruleset));
  return done ? Status() : fail(done.error());
}

Result<std::vector<std::string>> NftFirewall::set_names() {
  std::vector<std::string> names;
  auto status = netlink_->dump(
      NFT_MSG_GETSET, NFPROTO_INET, narrowed_to_table(kTable), [&] { names.clear(); },
      [&](const Message& message) {
        auto name = is_ours(message) ? parse_set(message.attributes).name : std::string();
        if (!name.empty() && !name.starts_with("__")) names.push_back(std::move(name));  // those belong to a rule
      });
  if (!status) return fail(status.error());
  std::ranges::sort(names);
  return names;
}

Result<std::string> NftFirewall::text_in_place(const Ruleset& ruleset) {
  const auto reading = read();
  if (!reading) return fail(reading.error());
  const bool is_dormant = reading->is_there && reading->bytes.front() != 0;
  if (!reading->is_there || is_dormant || shape_of(reading->chains) != shape_of(ruleset.chains)) return std::string();
  std::vector<std::string> wanted;
  wanted.reserve(ruleset.sets.size() + ruleset.sources.size() + ruleset.learnt.size());
  for (const Set& set : ruleset.sets) wanted.push_back(set.name);
  for (const SourceSet& set : ruleset.sources) wanted.push_back(set.name);
  for (const LearntSet& set : ruleset.learnt) wanted.push_back(set.name);
  std::ranges::sort(wanted);
  const auto names = set_names();
  if (!names) return fail(names.error());
  if (*names != wanted) return std::string();
  std::vector<std::vector<Range>> standing;
  standing.reserve(ruleset.sets.size());
  for (const Set& set : ruleset.sets) {
    auto ranges = elements(set.name);
    if (!ranges) return fail(ranges.error());
    standing.push_back(std::move(*ranges));
  }
  return to_text_in_place(ruleset, standing);
}

void NftFirewall::take_along(Ruleset& ruleset) {
  nft_ctx_output_set_flags(context_.get(), 0);
  for (LearntSet& set : ruleset.learnt) {
    // Most often because there is none.
    if (const auto listed = run(fmt::format("list {} inet {} {}\n", set.kind, kTable, set.name)))
      set.elements = elements_in(*listed);
  }
}

Set& NftFirewall::production(Family family) {
  return *std::ranges::find(ruleset_.sets, family == Family::kV4 ? kProductionV4 : kProductionV6, &Set::name);
}

Status NftFirewall::set_production(std::span<const IpPrefix> prefixes) {
  if (!policy_) return fail(ErrorCode::kInternal, "no ruleset was applied");
  std::vector<Bytes> messages;
  std::array<std::vector<Range>, kProductionSets.size()> wanted;
  for (std::size_t i = 0; i < kProductionSets.size(); ++i) {
    const auto& [name, family] = kProductionSets[i];
    wanted[i] = merge(prefixes, family);
    const auto& present = production(family).ranges;
    std::vector<Range> gone;
    std::ranges::set_difference(present, wanted[i], std::back_inserter(gone));
    std::ranges::move(change_elements(name, gone, Change::kDelete), std::back_inserter(messages));
    std::vector<Range> fresh;
    std::ranges::set_difference(wanted[i], present, std::back_inserter(fresh));
    std::ranges::move(change_elements(name, fresh, Change::kAdd), std::back_inserter(messages));
  }
  if (!netlink_->transact(messages, "cannot change the firewall's sets")) {
    // Others have changed them: all of it again.
    Policy policy = *policy_;
    policy.production.assign(prefixes.begin(), prefixes.end());
    return apply(policy);
  }
  for (std::size_t i = 0; i < kProductionSets.size(); ++i) {
    production(kProductionSets[i].second).ranges = std::move(wanted[i]);
  }
  return {};
}

Result<NftFirewall::Reading> NftFirewall::read() {
  Reading reading;
  const auto begin = [&] { reading = {}; };
  Status status = netlink_->dump(NFT_MSG_GETTABLE, NFPROTO_INET, {}, begin, [&](const Message& message) {
    if (!is_ours(message)) return;
    reading.is_there = true;
    const auto flags = Attributes(message.attributes).u32(NFTA_TABLE_FLAGS).value_or(0);  // dormant, say
    reading.bytes.push_back(static_cast<std::uint8_t>(flags));
  });
  if (!status || !reading.is_there) return status ? Result<Reading>(reading) : fail(status.error());

  const Reading table = reading;
  status = netlink_->dump(
      NFT_MSG_GETCHAIN, NFPROTO_INET, {}, [&] { reading = table; },
      [&](const Message& message) {
        if (!is_ours(message)) return;
        append(reading.bytes, message.attributes);
        reading.chains.push_back({.name = parse_chain(message.attributes).name});
      });
  if (!status) return fail(status.error());

  const Reading chains = reading;
  status = netlink_->dump(
      NFT_MSG_GETRULE, NFPROTO_INET, narrowed_to_table(kTable), [&] { reading = chains; },
      [&](const Message& message) {
        if (!is_ours(message)) return;
        append(reading.bytes, message.attributes);
        const RuleRecord rule = parse_rule(message.attributes);
        const auto chain = std::ranges::find(reading.chains, rule.chain, &Chain::name);
        if (chain != reading.chains.end()) chain->rules.push_back({.text = {}, .comment = rule.comment});
      });
  if (!status) return fail(status.error());
  return reading;
}

Result<std::vector<Range>> NftFirewall::elements(const std::string& set) {
  std::vector<Edge> edges;
  const auto status = netlink_->dump(
      NFT_MSG_GETSETELEM, NFPROTO_INET, narrowed_to_set(kTable, set), [&] { edges.clear(); },
      [&](const Message& message) { append_edges(message.attributes, edges); });
  if (!status) return fail(status.error());
  return ranges_of(std::move(edges));
}

Result<bool> NftFirewall::sets_stand() {
  for (const Set& set : ruleset_.sets) {
    const auto present = elements(set.name);
    if (!present) return present.error().code == ErrorCode::kNotFound ? Result<bool>(false) : fail(present.error());
    if (*present != set.ranges) return false;
  }
  return true;
}

Result<Standing> NftFirewall::look() {
  if (auto status = open(); !status) return fail(status.error());
  const auto reading = read();
  if (!reading) return fail(reading.error());
  if (!reading->is_there) return Standing::kGone;
  if (!policy_ || reading->bytes != as_read_) return Standing::kChanged;
  const auto sets = sets_stand();
  if (!sets) return fail(sets.error());
  return *sets ? Standing::kAsApplied : Standing::kChanged;
}

Status NftFirewall::remove() {
  if (auto status = open(); !status) return status;
  policy_.reset();
  const auto reading = read();
  if (!reading) return fail(reading.error());
  if (!reading->is_there) return {};
  auto done = run(fmt::format("table inet {0}\ndelete table inet {0}\n", kTable));
  (void)events_->drain([](const Message&) {});
  return done ? Status() : fail(done.error());
}

Result<std::vector<IpPrefix>> NftFirewall::left_behind() {
  if (auto status = open(); !status) return fail(status.error());
  std::vector<IpPrefix> prefixes;
  for (const auto& [name, family] : kProductionSets) {
    const auto ranges = elements(std::string(name));
    if (!ranges && ranges.error().code == ErrorCode::kNotFound) continue;
    if (!ranges) return fail(ranges.error());
    for (const Range& range : *ranges) append_prefixes(range, prefixes);
  }
  return prefixes;
}

Result<std::string> NftFirewall::list() {
  if (auto status = open(); !status) return fail(status.error());
  const auto reading = read();
  if (!reading) return fail(reading.error());
  if (!reading->is_there) return std::string();
  nft_ctx_output_set_flags(context_.get(), NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_PROTO);
  return run(fmt::format("list table inet {}\n", kTable));
}

Noticed NftFirewall::take_events() {
  Noticed noticed;
  if (!events_) return noticed;
  const bool complete = events_->drain([&](const Message& message) {
    if (message.type == NFT_MSG_NEWGEN || (netlink_ && message.port == netlink_->port())) return;
    (is_ours(message) ? noticed.ours : noticed.others) = true;
  });
  if (!complete) noticed = {.ours = true, .others = true};
  return noticed;
}

}  // namespace anubis::firewall
