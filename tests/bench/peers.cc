// bench_peers kernel|userspace INTERFACE RUNS
//
// Adding and removing one production peer with its two routes: by the daemon's own code, one at a time and 64 at once,
// and by running `wg set` and `ip route`, as a script would. Prints microseconds a peer, one line a run:
//   OURS-ADD OURS-REMOVE BATCH-ADD BATCH-REMOVE PROGRAMS-ADD PROGRAMS-REMOVE
// The interface stands already, is up and has no peers.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/random.h"
#include "lib/network/rtnetlink_network.h"
#include "lib/wireguard/kernel_device.h"
#include "lib/wireguard/userspace_device.h"

namespace {

using namespace anubis;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 64;

[[noreturn]] void die(const std::string& text) {
  fmt::print(stderr, "bench_peers: {}\n", text);
  std::exit(1);
}

template <class T>
T need(base::Result<T> result) {
  if (!result) die(result.error().message);
  return std::move(*result);
}

// A peer as the configuration has it, and what it takes to add and to remove it.
struct Subject {
  std::string key;
  std::array<std::string, 2> prefixes;
  wireguard::PeerChange set;
  wireguard::PeerChange remove;
  std::array<network::Route, 2> routes;
};

std::vector<Subject> make_subjects(std::uint32_t ifindex) {
  base::SystemRandom random;
  std::vector<Subject> subjects;
  for (std::size_t i = 0; i < kBatch; ++i) {
    // Any 32 bytes are a public key, but for a few points of small order.
    const crypto::PublicKey key{random.bytes<crypto::kKeySize>()};
    Subject subject{.key = key.to_base64(),
                    .prefixes = {fmt::format("10.45.{}.0/24", i), fmt::format("fd45:{:x}::/64", i)}};
    const std::vector prefixes{need(model::IpPrefix::parse(subject.prefixes[0])),
                               need(model::IpPrefix::parse(subject.prefixes[1]))};
    subject.set = {.public_key = key,
                   .endpoint = model::Endpoint{need(model::IpAddress::parse("192.0.2.1")), 4296},
                   .allowed_ips = prefixes,
                   .persistent_keepalive = std::uint16_t{25}};
    subject.remove = {.public_key = key, .action = wireguard::PeerAction::kRemove};
    for (std::size_t j = 0; j < 2; ++j) subject.routes[j] = {.prefix = prefixes[j], .ifindex = ifindex};
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

void run_program(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (const int error = posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ); error != 0) {
    die(fmt::format("cannot run {}: {}", argv[0], std::strerror(error)));
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    die(fmt::format("{} failed", fmt::join(words, " ")));
  }
}

class Bench {
 public:
  Bench(std::string_view backend, std::string interface) : interface_(std::move(interface)) {
    if (backend == "kernel") {
      device_ = need(wireguard::KernelDevice::create(interface_));
    } else {
      device_ = need(wireguard::UserspaceDevice::create(interface_));
    }
    network_ = need(network::RtnetlinkNetwork::create());
    const auto link = need(network_->link(interface_));
    if (!link) die(fmt::format("there is no {}", interface_));
    subjects_ = make_subjects(link->index);
  }

  void add(std::span<const Subject> subjects) {
    apply(subjects, &Subject::set);
    if (auto status = network::all_in_place(network_->add_routes(routes(subjects))); !status)
      die(status.error().message);
  }

  void remove(std::span<const Subject> subjects) {
    if (auto status = network::all_in_place(network_->remove_routes(routes(subjects))); !status) {
      die(status.error().message);
    }
    apply(subjects, &Subject::remove);
  }

  void add_by_programs(const Subject& subject) {
    run_program({"wg", "set", interface_, "peer", subject.key, "endpoint", "192.0.2.1:4296", "allowed-ips",
                 fmt::format("{}", fmt::join(subject.prefixes, ",")), "persistent-keepalive", "25"});
    for (const std::string& prefix : subject.prefixes) run_program({"ip", "route", "add", prefix, "dev", interface_});
  }

  void remove_by_programs(const Subject& subject) {
    for (const std::string& prefix : subject.prefixes) run_program({"ip", "route", "del", prefix, "dev", interface_});
    run_program({"wg", "set", interface_, "peer", subject.key, "remove"});
  }

  void run() {
    const std::span all(subjects_);
    const auto one = all.first(1);
    const double ours_add = microseconds([&] { add(one); });
    const double ours_remove = microseconds([&] { remove(one); });
    const double batch_add = microseconds([&] { add(all); }) / kBatch;
    const double batch_remove = microseconds([&] { remove(all); }) / kBatch;
    const double programs_add = microseconds([&] { add_by_programs(one.front()); });
    const double programs_remove = microseconds([&] { remove_by_programs(one.front()); });
    fmt::print("{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\n", ours_add, ours_remove, batch_add, batch_remove,
               programs_add, programs_remove);
  }

 private:
  template <class Work>
  static double microseconds(const Work& work) {
    const auto began = Clock::now();
    work();
    return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
  }

  void apply(std::span<const Subject> subjects, wireguard::PeerChange Subject::* change) {
    std::vector<wireguard::PeerChange> changes;
    for (const Subject& subject : subjects) changes.push_back(subject.*change);
    if (const auto failures = device_->apply(changes); !failures.empty()) die(failures.front().error.message);
  }

  static std::vector<network::Route> routes(std::span<const Subject> subjects) {
    std::vector<network::Route> all;
    for (const Subject& subject : subjects) all.insert(all.end(), subject.routes.begin(), subject.routes.end());
    return all;
  }

  std::string interface_;
  std::unique_ptr<wireguard::Device> device_;
  std::unique_ptr<network::Network> network_;
  std::vector<Subject> subjects_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) die("usage: bench_peers kernel|userspace INTERFACE RUNS");
  unsigned runs = 0;
  const std::string_view text = argv[3];
  if (std::from_chars(text.data(), text.data() + text.size(), runs).ec != std::errc{}) die("no such number of runs");
  crypto::initialise();
  Bench bench(argv[1], argv[2]);
  for (unsigned i = 0; i < runs; ++i) bench.run();
}
