// One address that was looked at: what was found, and what that means. The judgement is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/check/capture.h"
#include "anubis-cli/check/target.h"
#include "control.pb.h"
#include "lib/base/clock.h"
#include "lib/model/ip.h"
#include "lib/network/way.h"

namespace anubis::cli {

// From the best to the worst.
enum class Verdict {
  kGood,
  kLossy,
  kIncomplete,  // answers come, but the capture proves nothing
  kUnanswered,
  kWrongWay,  // by its route
  kInClear,   // what should have gone through the tunnel was readable outside of it
};

struct RoundTrips {
  base::Duration least{};
  base::Duration average{};
  base::Duration most{};
};

struct Probing {
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  std::string not_sent;                        // why they could not be sent; empty: they were
  std::optional<model::IpAddress> refused_by;  // who told that it cannot be reached
  std::optional<model::IpAddress> first_hop;
  std::optional<RoundTrips> round_trips;  // when something was answered
  std::optional<std::uint32_t> path_mtu;  // the same

  [[nodiscard]] double loss_percent() const { return sent == 0 ? 100.0 : 100.0 * (sent - answered) / sent; }
};

struct Row {
  Target target;
  std::optional<network::Way> way;
  std::string through;  // the peer that gets it, when the way leads into the tunnel
  std::string not_up;   // the peer that would get it if it were up, where none does
  std::string first_hop_name;
  Probing probing;
  std::optional<Captured> captured;  // none: nobody watched
  Verdict verdict = Verdict::kGood;
  std::string reason;  // of any verdict but kGood: a part of a sentence
};

struct Premises {
  std::string production_interface;
  double most_loss_percent = 0;
};

[[nodiscard]] bool is_in_tunnel(const Row& row, const Premises& premises);

// Whether this host stands on the link of the direct range that the address lies in.
[[nodiscard]] bool is_at_home(const Row& row, const Premises& premises);

// Sets the row's verdict and reason, and what is to be expected of one that is at home.
void judge(Row& row, const Premises& premises);

// Of all rows; never of none.
[[nodiscard]] control::ExitStatus exit_status(const std::vector<Row>& rows);
// "ok", "loss", "incomplete", "no answer", "wrong way", "in clear": for JSON and people alike.
[[nodiscard]] const char* word_for(Verdict verdict);

}  // namespace anubis::cli
