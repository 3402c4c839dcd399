// Firewall by nf_tables of the kernel: the ruleset goes there through libnftables, which knows nftables' language;
// elements of the production sets go by netlink, as libnftables reads all elements of a set before it changes one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "firewall/firewall.h"
#include "firewall/foreign.h"
#include "firewall/netlink.h"
#include "firewall/ruleset.h"

struct nft_ctx;

namespace anubis::firewall {

class NftFirewall final : public Firewall {
 public:
  // Of the network namespace of the calling thread. Opens nothing before it has to.
  NftFirewall();
  ~NftFirewall() override;
  NftFirewall(NftFirewall&&) = delete;

  base::Status apply(const Policy& policy) override;
  base::Status set_production(std::span<const model::IpPrefix> prefixes) override;
  base::Result<Standing> look() override;
  base::Status remove() override;
  base::Result<std::vector<model::IpPrefix>> left_behind() override;
  base::Result<std::string> list() override;
  base::Result<std::vector<ClosedPort>> closed_ports(std::span<const std::uint16_t> ports) override;
  [[nodiscard]] int event_fd() const override { return events_ ? events_->fd() : -1; }
  Noticed take_events() override;

 private:
  // Our table without its elements: chains and rules as the kernel dumps them.
  struct Reading {
    bool is_there = false;
    Bytes bytes;
    std::vector<Chain> chains;  // with the comments of their rules, and without their text
  };

  base::Status open();
  base::Result<std::string> run(const std::string& text);
  base::Result<Reading> read();
  base::Result<std::vector<std::string>> set_names();
  // How the table that stands becomes this one with its sets kept; empty: it has others, or it is not there.
  base::Result<std::string> text_in_place(const Ruleset& ruleset);
  // With a chain of hook input.
  base::Result<std::vector<ForeignTable>> read_others();
  base::Status read_rules(ForeignTable& table);
  base::Status read_sets(ForeignTable& table);
  base::Result<std::vector<Range>> elements(const std::string& set);
  // Whether the sets that we fill hold what they should.
  base::Result<bool> sets_stand();
  base::Status replace(Ruleset& ruleset);
  // What packets taught the rules that stand there now.
  void take_along(Ruleset& ruleset);
  Set& production(model::Family family);

  struct Free {
    void operator()(nft_ctx* context) const;
  };
  std::unique_ptr<nft_ctx, Free> context_;
  std::optional<Netlink> netlink_;
  std::optional<Netlink> events_;
  std::optional<Policy> policy_;  // as applied, but for its production
  Ruleset ruleset_;               // as it is to stand now
  Bytes as_read_;                 // after apply()
};

}  // namespace anubis::firewall
