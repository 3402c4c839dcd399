// The firewall of this host, as far as it is ours. Calls block, for a fraction of a millisecond (apply(), list():
// some). One thread.
#pragma once

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

  // Becomes readable when somebody changes tables; -1 where there is nothing to hear it from. The same from the first
  // call that succeeded on.
  [[nodiscard]] virtual int event_fd() const = 0;
  // Never blocks.
  [[nodiscard]] virtual Noticed take_events() = 0;
};

}  // namespace anubis::firewall
