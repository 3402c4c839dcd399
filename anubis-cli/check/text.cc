#include "anubis-cli/check/text.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "anubis-cli/text.h"
#include "lib/network/describe.h"

namespace anubis::cli {
namespace {

constexpr const char* kNothing = "-";

Style style_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return Style::kGood;
    case Verdict::kLossy:
    case Verdict::kIncomplete:
      return Style::kBusy;
    case Verdict::kUnanswered:
    case Verdict::kWrongWay:
    case Verdict::kInClear:
      return Style::kBad;
  }
  return Style::kPlain;
}

double milliseconds(base::Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string round_trips_of(const Probing& probing) {
  if (!probing.round_trips) return kNothing;
  const RoundTrips& trips = *probing.round_trips;
  const int digits = trips.most < std::chrono::milliseconds(10)    ? 2
                     : trips.most < std::chrono::milliseconds(100) ? 1
                                                                   : 0;
  return fmt::format("{:.{}f}/{:.{}f}/{:.{}f}", milliseconds(trips.least), digits, milliseconds(trips.average), digits,
                     milliseconds(trips.most), digits);
}

std::string loss_of(const Probing& probing) {
  if (probing.sent == 0) return kNothing;
  const double loss = probing.loss_percent();
  return fmt::format("{:.{}f} %", loss, loss > 0 && loss < 10 ? 1 : 0);
}

std::vector<Cell> cells_of(const Row& row, const Premises& premises) {
  const Probing& probing = row.probing;
  return {{row.target.name.empty() ? kNothing : printable(row.target.name)},
          {row.target.address.to_string()},
          {path_of(row, premises)},
          {loss_of(probing)},
          {round_trips_of(probing)},
          {probing.path_mtu ? std::to_string(*probing.path_mtu) : kNothing},
          {word_for(row.verdict), style_of(row.verdict)}};
}

std::string first_hop_of(const Row& row) {
  if (!row.probing.first_hop) return "first hop silent";
  const std::string address = row.probing.first_hop->to_string();
  if (*row.probing.first_hop == row.target.address) return "one hop";
  return "first hop " + (row.first_hop_name.empty() ? address : printable(row.first_hop_name) + " (" + address + ")");
}

// "wg0, by 10.44.0.0/24 in table 214 (rule 21410), from 10.44.0.7"
std::string way_of(const Row& row) {
  if (!row.way) return "no route";
  const network::Way& way = *row.way;
  std::string text = printable(way.interface);
  if (way.gateway) text += " via " + way.gateway->to_string();
  if (way.prefix) text += ", by " + way.prefix->to_string();
  text += " in table " + network::table_name(way.table);
  if (way.rule_priority) text += fmt::format(" (rule {})", *way.rule_priority);
  if (way.source) text += ", from " + way.source->to_string();
  return text;
}

std::uint64_t count(const SeenOn& seen) { return seen.sent + seen.received; }

// "marker on wg0 (24) alone; 31 bearer packets on eth0"
std::string seen_of(const Row& row) {
  if (!row.captured) return {};
  const Captured& captured = *row.captured;
  std::string text = captured.marker.empty() ? "marker nowhere" : "marker on ";
  for (bool first = true; const auto& [interface, seen] : captured.marker) {
    text += fmt::format("{}{} ({})", first ? "" : ", ", printable(interface), count(seen));
    first = false;
  }
  for (const auto& [interface, seen] : captured.bearer) {
    text += fmt::format(", bearer packets on {} ({})", printable(interface), count(seen));
  }
  return text;
}

std::string who(const Row& row) {
  const std::string address = row.target.address.to_string();
  return row.target.name.empty() ? address : printable(row.target.name) + " " + address;
}

std::string good_sentence(const Report& report) {
  const std::size_t count = report.rows.size();
  const bool uses_tunnel =
      std::ranges::any_of(report.rows, [](const Row& row) { return row.target.expected == Expected::kThroughTunnel; });
  std::string text = count == 1 ? fmt::format("{} answers", who(report.rows.front()))
                                : fmt::format("{} answers at {} addresses", printable(report.name),
                                              count == 2 ? "both" : fmt::format("all {}", count));
  if (!uses_tunnel) return text + ", directly as it should.";
  text += ", as it should; ";
  return text + (report.was_watched ? "nothing meant for WireGuard could be read outside of it."
                                    : "whether it can be read on the wire was not looked at.");
}

}  // namespace

std::string path_of(const Row& row, const Premises& premises) {
  if (!row.way) return "nowhere";
  if (!is_in_tunnel(row, premises)) return "directly";
  return "through " + (row.through.empty() ? "nobody" : printable(row.through));
}

std::vector<std::string> check_sentences(const Report& report) {
  std::vector<std::string> lines;
  for (const Row& row : report.rows) {
    if (row.verdict != Verdict::kGood) {
      lines.push_back(fmt::format("{} ({}): {}.", who(row), word_for(row.verdict), printable(row.reason)));
    }
  }
  if (lines.empty()) {
    lines.push_back(good_sentence(report));
  } else if (report.rows.size() > 1) {
    const bool is_one = lines.size() == 1;
    lines.push_back(fmt::format("{} of {} addresses of {} {} not as {} should be.", lines.size(), report.rows.size(),
                                printable(report.name), is_one ? "is" : "are", is_one ? "it" : "they"));
  }
  return lines;
}

std::vector<std::string> check_lines(const Report& report, Colour colour) {
  std::vector<std::vector<Cell>> cells;
  cells.reserve(report.rows.size());
  for (const Row& row : report.rows) cells.push_back(cells_of(row, report.premises));
  auto lines = table_lines({{"NAME"},
                            {"ADDRESS"},
                            {"PATH"},
                            {"LOSS", Align::kRight},
                            {"MIN/AVG/MAX ms", Align::kRight},
                            {"MTU", Align::kRight},
                            {"VERDICT"}},
                           cells, colour);
  lines.emplace_back();
  for (const Row& row : report.rows) {
    lines.push_back(styled(row.target.address.to_string(), Style::kBold, colour) + ": " + way_of(row));
    std::string second = "  " + first_hop_of(row);
    if (const std::string seen = seen_of(row); !seen.empty()) second += "; " + seen;
    lines.push_back(second);
  }
  lines.emplace_back();
  for (auto& sentence : check_sentences(report)) lines.push_back(std::move(sentence));
  return lines;
}

}  // namespace anubis::cli
