// The firewall of this host, as far as it is ours. Calls block, for a fraction of a millisecond (apply(), list():
// some). One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "firewall/policy.h"
#include "lib/base/result.h"
#include "lib/model/ip.h"

namespace anubis::firewall {

enum class Standing {
  kAsApplied,
  kChanged,  // by others
  kGone,     // there is no table of ours
};

// Since the last time.
struct Noticed {
  bool ours = false;    // somebody else changed our table
  bool others = false;  // somebody changed another one
};

// A port of ours that another table surely closes to everybody, for packets of one family or both.
struct ClosedPort {
  std::uint16_t port = 0;
  std::string table;  // "inet firewalld"
  std::string chain;
  bool v4 = false;
  bool v6 = false;
  std::string advice;  // what to type

  bool operator==(const ClosedPort&) const = default;
};

class Firewall {
 public:
  virtual ~Firewall() = default;

  // Puts this in the place of whatever our table was, in one transaction, and reads it back. A failure leaves what was
  // there before. kUnsupported: this kernel has no nftables.
  virtual base::Status apply(const Policy& policy) = 0;
  // Changes what apply() was told of Policy::production, at a cost that does not grow with what stays.
  virtual base::Status set_production(std::span<const model::IpPrefix> prefixes) = 0;
  // Whether all of it still stands.
  [[nodiscard]] virtual base::Result<Standing> look() = 0;
  // Takes our table away; none is fine.
  virtual base::Status remove() = 0;
  // What Policy::production an earlier process left; none where there is no table of ours.
  [[nodiscard]] virtual base::Result<std::vector<model::IpPrefix>> left_behind() = 0;
  // Our table, in nftables' own words; empty: there is none.
  [[nodiscard]] virtual base::Result<std::string> list() = 0;

  // Which of these UDP ports other tables close. What they do to a packet cannot always be told: those that they may
  // close are not named.
  [[nodiscard]] virtual base::Result<std::vector<ClosedPort>> closed_ports(std::span<const std::uint16_t> ports) = 0;

  // Becomes readable when somebody changes tables; -1 where there is nothing to hear it from. The same from the first
  // call that succeeded on.
  [[nodiscard]] virtual int event_fd() const = 0;
  // Never blocks.
  [[nodiscard]] virtual Noticed take_events() = 0;
};

}  // namespace anubis::firewall
