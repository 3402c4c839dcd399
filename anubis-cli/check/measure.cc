#include "anubis-cli/check/measure.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_map>
#include <vector>

#include <poll.h>

#include "anubis-cli/check/path_mtu.h"

namespace anubis::cli {
namespace {

using namespace std::chrono_literals;
using base::BootClock;
using base::Duration;
using base::Time;

// Four markers: no packet of a size that people wonder about.
constexpr std::size_t kPayload = 64;
// Between probes: not to be taken for a flood, and not to wait for what is lost.
constexpr Duration kShortestGap = 50ms;
constexpr Duration kLongestGap = 200ms;
// Beyond it a probe of the largest size is taken for lost, and tried again so often.
constexpr Duration kShortestWait = 200ms;
constexpr int kTriesOfASize = 3;
// For what a probe leaves on the wires after it is answered.
constexpr Duration kAftermath = 100ms;

class Measurement {
 public:
  Measurement(Prober& prober, Capture* capture, const MeasureOptions& options)
      : prober_(prober), capture_(capture), options_(options) {}

  Probing run(std::uint32_t mtu, const std::function<void(const char*)>& doing) {
    doing("first hop");
    find_first_hop();
    doing("loss and latency");
    send_probes();
    if (probing_.answered > 0 && mtu > smallest_packet()) {
      doing("path MTU");
      probing_.path_mtu = find_path_mtu(smallest_packet(), mtu, [this](std::uint32_t size) { return try_size(size); });
    }
    wait_until(BootClock::now() + kAftermath, [] { return false; });
    return std::move(probing_);
  }

 private:
  [[nodiscard]] std::uint32_t smallest_packet() const {
    return static_cast<std::uint32_t>(prober_.header_size() + kPayload);
  }

  // Hears, and lets the capture look, until then or until DONE says so.
  template <class Done>
  void wait_until(Time end, Done done) {
    while (!done()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - BootClock::now());
      if (left <= 0ms) return;
      std::array<pollfd, 2> watched{
          pollfd{.fd = prober_.fd(), .events = POLLIN, .revents = 0},
          pollfd{.fd = capture_ != nullptr ? capture_->fd() : -1, .events = POLLIN, .revents = 0}};
      (void)poll(watched.data(), watched.size(), static_cast<int>(left.count()));
      for (const Heard& heard : prober_.hear()) heard_[heard.sequence].push_back(heard);
      if (capture_ != nullptr) capture_->drain();
    }
  }

  [[nodiscard]] bool is_settled(std::uint16_t sequence) const { return heard_.contains(sequence); }
  [[nodiscard]] const Heard* answer_to(std::uint16_t sequence) const {
    const auto found = heard_.find(sequence);
    if (found == heard_.end()) return nullptr;
    const auto answer = std::ranges::find_if(found->second, &Heard::is_answer);
    return answer != found->second.end() ? &*answer : nullptr;
  }

  // Whoever answers a probe that nobody may pass on: the destination itself, or the first router.
  void find_first_hop() {
    if (!prober_.set_hop_limit(1)) return;
    const auto sent = prober_.send(kPayload);
    if (sent) {
      wait_until(BootClock::now() + options_.patience, [&] { return is_settled(*sent); });
      for (const Heard& heard : heard_[*sent]) {
        if (heard.is_answer || heard.hops_exceeded) probing_.first_hop = heard.from;
      }
    }
    (void)prober_.set_hop_limit(std::nullopt);
  }

  void send_probes() {
    std::vector<std::pair<std::uint16_t, Time>> sent;
    for (std::uint32_t i = 0; i < options_.probes; ++i) {
      const Time now = BootClock::now();
      const auto sequence = prober_.send(kPayload);
      if (!sequence) {
        probing_.not_sent = sequence.error().message;
        break;
      }
      sent.emplace_back(*sequence, now);
      const auto is_answered = [&] { return answer_to(*sequence) != nullptr; };
      wait_until(now + kLongestGap, is_answered);
      wait_until(now + kShortestGap, [] { return false; });
    }
    if (sent.empty()) return;
    wait_until(sent.back().second + options_.patience,
               [&] { return std::ranges::all_of(sent, [&](const auto& each) { return is_settled(each.first); }); });
    probing_.not_sent.clear();  // some were
    take_down(sent);
  }

  void take_down(const std::vector<std::pair<std::uint16_t, Time>>& sent) {
    probing_.sent = static_cast<std::uint32_t>(sent.size());
    RoundTrips trips{.least = Duration::max()};
    Duration sum{};
    for (const auto& [sequence, at] : sent) {
      for (const Heard& heard : heard_[sequence]) {
        if (heard.is_refused) probing_.refused_by = heard.from;
      }
      const Heard* answer = answer_to(sequence);
      if (answer == nullptr) continue;
      ++probing_.answered;
      const Duration trip = answer->at - at;
      trips.least = std::min(trips.least, trip);
      trips.most = std::max(trips.most, trip);
      sum += trip;
    }
    if (probing_.answered == 0) return;
    trips.average = sum / probing_.answered;
    probing_.round_trips = trips;
  }

  SizeTried try_size(std::uint32_t size) {
    const Duration wait =
        std::clamp<Duration>(4 * probing_.round_trips->most, kShortestWait, std::max(options_.patience, kShortestWait));
    for (int tries = 0; tries < kTriesOfASize; ++tries) {
      const auto sent = prober_.send(size - prober_.header_size());
      if (!sent) return {};
      wait_until(BootClock::now() + wait, [&] { return is_settled(*sent); });
      if (answer_to(*sent) != nullptr) return {.answered = true, .told = {}};
      for (const Heard& heard : heard_[*sent]) {
        if (heard.mtu) return {.answered = false, .told = heard.mtu};
      }
    }
    return {};
  }

  Prober& prober_;
  Capture* capture_;
  const MeasureOptions& options_;
  std::unordered_map<std::uint16_t, std::vector<Heard>> heard_;  // by the probe that it is about
  Probing probing_;
};

}  // namespace

Probing measure(Prober& prober, Capture* capture, std::uint32_t mtu, const MeasureOptions& options,
                const std::function<void(const char*)>& doing) {
  return Measurement(prober, capture, options).run(mtu, doing);
}

}  // namespace anubis::cli
