#include <algorithm>

#include <fmt/format.h>

#include "anubis-cli/check/row.h"

namespace anubis::cli {
namespace {

struct Judgement {
  Verdict verdict = Verdict::kGood;
  std::string reason;
};

std::uint64_t all_of(const SeenOn& seen) { return seen.sent + seen.received; }

// "on eth0 (10 sent, 9 received) and on br0 (10 sent)", but for the production interface; empty: nowhere.
std::string places_in_clear(const Captured& captured, const std::string& production_interface) {
  std::string text;
  for (const auto& [interface, seen] : captured.marker) {
    if (interface == production_interface || all_of(seen) == 0) continue;
    text +=
        fmt::format("{}on {} ({} sent, {} received)", text.empty() ? "" : " and ", interface, seen.sent, seen.received);
  }
  return text;
}

std::string advice(const Row& row) {
  return row.not_up.empty() ? "" : fmt::format("; {0} is not up: anubis up {0}", row.not_up);
}

// Of probes that went where they should.
Judgement judge_answers(const Row& row, const Premises& premises) {
  const Probing& probing = row.probing;
  if (!probing.not_sent.empty()) {
    return {Verdict::kUnanswered, "nothing left this host: " + probing.not_sent + advice(row)};
  }
  if (probing.answered == 0) {
    std::string reason = fmt::format("none of {} probes was answered", probing.sent);
    if (!row.through.empty()) reason += ", though they went to " + row.through;
    if (probing.refused_by)
      reason += fmt::format("; {} says that it cannot be reached", probing.refused_by->to_string());
    return {Verdict::kUnanswered, reason};
  }
  if (probing.loss_percent() > premises.most_loss_percent) {
    return {Verdict::kLossy, fmt::format("{} of {} probes were lost", probing.sent - probing.answered, probing.sent)};
  }
  return {};
}

// Whether the capture shows what it claims to show. Nothing seen elsewhere means nothing where packets were missed, or
// where it does not even see those that must be there.
Judgement judge_capture(const Row& row, const Premises& premises) {
  const Captured& captured = *row.captured;
  const auto control = captured.marker.find(premises.production_interface);
  if (control == captured.marker.end() || control->second.sent == 0) {
    return {Verdict::kIncomplete, fmt::format("the capture did not see the probes on {}, where they must be: it proves "
                                              "nothing",
                                              premises.production_interface)};
  }
  if (captured.missed > 0) {
    return {Verdict::kIncomplete, fmt::format("the capture missed {} packets, which may have held anything: try again "
                                              "when less is going on",
                                              captured.missed)};
  }
  return {};
}

Judgement judge_tunnel(const Row& row, const Premises& premises) {
  if (row.captured) {
    const std::string places = places_in_clear(*row.captured, premises.production_interface);
    if (!places.empty()) return {Verdict::kInClear, "it was readable " + places + advice(row)};
  }
  if (row.way && !is_in_tunnel(row, premises) && row.probing.not_sent.empty()) {
    return {Verdict::kWrongWay, fmt::format("its route leads to {}, not into {}{}", row.way->interface,
                                            premises.production_interface, advice(row))};
  }
  Judgement answers = judge_answers(row, premises);
  if (answers.verdict == Verdict::kUnanswered || !row.captured) return answers;
  Judgement capture = judge_capture(row, premises);
  if (capture.verdict != Verdict::kGood) return capture;
  return answers;
}

Judgement judge_direct(const Row& row, const Premises& premises) {
  if (is_in_tunnel(row, premises)) {
    return {Verdict::kWrongWay, fmt::format("its route leads into {}, though it should be reached directly",
                                            premises.production_interface)};
  }
  return judge_answers(row, premises);
}

}  // namespace

bool is_in_tunnel(const Row& row, const Premises& premises) {
  return row.way && row.way->interface == premises.production_interface;
}

bool is_at_home(const Row& row, const Premises& premises) {
  return row.target.direct_length && row.way && !is_in_tunnel(row, premises) && row.way->prefix &&
         row.way->prefix->length() >= *row.target.direct_length;
}

void judge(Row& row, const Premises& premises) {
  if (is_at_home(row, premises)) row.target.expected = Expected::kDirect;
  Judgement judgement =
      row.target.expected == Expected::kThroughTunnel ? judge_tunnel(row, premises) : judge_direct(row, premises);
  row.verdict = judgement.verdict;
  row.reason = std::move(judgement.reason);
}

control::ExitStatus exit_status(const std::vector<Row>& rows) {
  const auto is = [](Verdict verdict) { return [verdict](const Row& row) { return row.verdict == verdict; }; };
  if (std::ranges::all_of(rows, is(Verdict::kGood))) return control::DONE;
  if (std::ranges::all_of(rows, is(Verdict::kUnanswered))) return control::UNREACHABLE;
  return control::FAILED;
}

const char* word_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kLossy:
      return "loss";
    case Verdict::kIncomplete:
      return "incomplete";
    case Verdict::kUnanswered:
      return "no answer";
    case Verdict::kWrongWay:
      return "wrong way";
    case Verdict::kInClear:
      return "in clear";
  }
  return "";
}

}  // namespace anubis::cli
