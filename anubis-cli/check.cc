#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <netinet/in.h>

#include "anubis-cli/check/capture.h"
#include "anubis-cli/check/json.h"
#include "anubis-cli/check/measure.h"
#include "anubis-cli/check/prober.h"
#include "anubis-cli/check/row.h"
#include "anubis-cli/check/target.h"
#include "anubis-cli/check/text.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/progress_line.h"
#include "anubis-cli/snapshot.h"
#include "lib/base/random.h"
#include "lib/model/endpoint.h"
#include "lib/network/way.h"

namespace anubis::cli {
namespace {

Failure failure_of(const base::Error& error) {
  const auto status = error.code == base::ErrorCode::kPermission ? control::NOT_PERMITTED : control::FAILED;
  return {status, error.message};
}

Outcome<Picture> ask_daemon(const std::string& socket_path) {
  Picture picture;
  control::Command command;
  command.mutable_hosts();
  const auto done = exchange(socket_path, command, kPatience, [&picture](const control::Response& response) {
    if (response.has_named_host()) picture.hosts.push_back(response.named_host());
  });
  if (!done) return tl::unexpected(done.error());
  auto snapshot = take_snapshot(socket_path, "", kPatience);
  if (snapshot.failure) return tl::unexpected(std::move(*snapshot.failure));
  if (snapshot.host) picture.host = std::move(*snapshot.host);
  picture.peers = std::move(snapshot.peers);
  return picture;
}

std::optional<model::Endpoint> endpoint_of(const control::PeerStatus& peer) {
  const auto parsed = model::HostPort::parse(peer.endpoint());
  const auto address = parsed ? parsed->literal() : std::nullopt;
  if (!address || !parsed->port) return std::nullopt;
  return model::Endpoint{*address, *parsed->port, 0};
}

class Checker {
 public:
  Checker(const Picture& picture, const CheckOptions& options, network::WayFinder& ways)
      : picture_(picture), options_(options), ways_(ways) {}

  Outcome<Row> check(const Target& target, const Premises& premises, const std::string& progress) {
    Row row{.target = target};
    const bool is_v4 = target.address.family() == model::Family::kV4;
    const auto protocol = is_v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
    std::optional<model::Endpoint> endpoint;
    const control::PeerStatus* const peer = peer_that_gets(picture_, target.address);
    if (const auto way = ways_.way_to(target.address, protocol)) row.way = *way;
    if (peer != nullptr && is_in_tunnel(row, premises)) {
      row.through = peer->name();
      endpoint = endpoint_of(*peer);
    } else if (peer == nullptr) {
      if (const auto* candidate = peer_that_would_get(picture_, target.address)) row.not_up = candidate->name();
    }
    const auto marker = random_.bytes<std::tuple_size_v<Marker>>();
    std::optional<Capture> capture;
    if (options_.capture) {
      auto opened = Capture::open(marker, endpoint);
      if (!opened) return tl::unexpected(failure_of(opened.error()));
      capture.emplace(std::move(*opened));
    }
    auto prober = Prober::create(target.address, marker);
    if (!prober && prober.error().code == base::ErrorCode::kPermission) {
      return tl::unexpected(failure_of(prober.error()));
    }
    if (prober) {
      const MeasureOptions measuring{.probes = options_.count, .patience = options_.timeout};
      const auto doing = [&](const char* what) {
        line_.show(progress + " " + target.address.to_string() + ": " + what);
      };
      row.probing = measure(*prober, capture ? &*capture : nullptr, row.way ? row.way->mtu : 0, measuring, doing);
      line_.clear();
    } else {
      row.probing.not_sent = prober.error().message;
    }
    if (capture) row.captured = capture->finish();
    if (row.probing.first_hop) row.first_hop_name = name_of(picture_, *row.probing.first_hop);
    judge(row, premises);
    return row;
  }

 private:
  const Picture& picture_;
  const CheckOptions& options_;
  network::WayFinder& ways_;
  base::SystemRandom random_;
  ProgressLine line_;
};

Outcome<void> check_all(const Context& context, const CheckOptions& options, Report& report) {
  const auto picture = ask_daemon(context.socket_path);
  if (!picture) return tl::unexpected(picture.error());
  report.host = picture->host.name();
  report.premises = {.production_interface = picture->host.production_interface(),
                     .most_loss_percent = options.most_loss_percent};
  const auto targets = targets_of(*picture, options.name, options.to);
  if (!targets) return tl::unexpected(targets.error());
  auto ways = network::WayFinder::create();
  if (!ways) return tl::unexpected(failure_of(ways.error()));
  Checker checker(*picture, options, *ways);
  for (std::size_t i = 0; i < targets->size(); ++i) {
    const std::string progress = "[" + std::to_string(i + 1) + "/" + std::to_string(targets->size()) + "]";
    auto row = checker.check((*targets)[i], report.premises, progress);
    if (!row) return tl::unexpected(std::move(row.error()));
    report.rows.push_back(std::move(*row));
  }
  return {};
}

}  // namespace

int check(const Context& context, const CheckOptions& options) {
  Report found{.host = {}, .name = options.name, .rows = {}, .premises = {}, .was_watched = options.capture};
  const auto done = check_all(context, options, found);
  std::optional<Failure> failure;
  if (!done) failure = done.error();
  if (options.json) print_line(check_json(found, failure));
  if (failure) return report(*failure);
  if (!options.json) {
    for (const auto& line : check_lines(found, context.colour)) print_line(line);
  }
  return exit_status(found.rows);
}

}  // namespace anubis::cli
