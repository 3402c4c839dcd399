// F43: every netlink call of anubis-netd is made to fail with each errno, and to be interrupted. What it does then ends
// well, after another try if need be, or fails with a reason; the same again succeeds, and taken away, nothing is left.
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/wireguard/kernel_device.h"
#include "tests/support/preshared_key.h"
#include "tests/unit/faults/host.h"

namespace anubis::faults {
namespace {

using base::Status;

// Interrupted, full, not now, not permitted, and what the kernel says of things that are there or are not.
constexpr std::array kErrors = {EINTR, EAGAIN, ENOBUFS, ENOMEM, EBUSY, EPERM, ENODEV, EEXIST, ENOENT, EINVAL};

struct Scenario {
  // What a failure leaves: something, which the same again puts right; what was there before; or something that is
  // taken away, as the daemon does when it cannot start.
  const char* name;
  std::function<void(Host&)> prepare;
  std::function<Status(Host&)> run;
  enum class After { kAnything, kUndone, kGivenUp } after_failure = After::kAnything;
  std::function<Status(Host&)> again = {};  // what does the same; none: run
};

// For the names that ctest shows.
void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

Status install(Host& host, bool recreate = false) {
  const auto presence = host.netd().install({.peer = host.jacinth(),
                                             .recreate = recreate,
                                             .endpoint = netd::endpoint("198.51.100.1:4296"),
                                             .preshared_key = test::preshared_key(1)});
  return presence ? Status{} : base::fail(presence.error());
}

// What a test does itself goes well.
void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

void start(Host& host) {
  must(host.start());
  must(host.bring_up());
}
void start_with_session(Host& host) {
  start(host);
  must(install(host));
}
Status start_anew(Host& host) {
  if (auto status = host.start(); !status) return status;
  return host.bring_up();
}

// Everything of ours that others can take or change.
void ruin(Host& host) {
  auto& network = host.network();
  must(network.remove_rule(network.rules(network::kRouteProtocol)->back()));
  const auto routes = network.routes({.protocol = network::kRouteProtocol, .table = {}}).value();
  must(network::all_in_place(network.remove_routes(routes)));
  must(network.remove_address(host.ifindex("wg0"), host.config().production.addresses.front()));
  must(network.set_link(host.ifindex("wg0"), {.mtu = 1300, .up = false, .alias = {}}));
  must(network.set_link(host.ifindex("anubis0"), {.mtu = {}, .up = false, .alias = {}}));
  for (const auto& [name, key] : {std::pair{"wg0", 2u}, {"anubis0", 3u}}) {
    const wireguard::PeerChange removal{.public_key = netd::public_key(key), .action = wireguard::PeerAction::kRemove};
    if (!host.device(name).apply(std::span(&removal, 1)).empty()) throw std::runtime_error("a peer cannot be removed");
  }
  const crypto::PrivateKey other(netd::secret(77));
  must(host.device("wg0").configure({.private_key = &other, .listen_port = 5555}));
}

const std::vector<Scenario>& scenarios() {
  using After = Scenario::After;
  static const std::vector<Scenario> all = {
      {"start from nothing", [](Host&) {}, start_anew, After::kGivenUp},
      {"start with what a killed process left",
       [](Host& host) {
         start_with_session(host);
         network::Route orphan;
         orphan.prefix = netd::prefix("10.99.0.0/16");
         orphan.table = 214;
         orphan.ifindex = host.ifindex("wg0");
         must(network::all_in_place(host.network().add_routes(std::span(&orphan, 1))));
         must(
             host.network().add_address(host.ifindex("wg0"), {netd::ip("10.98.0.1"), 32}, network::PrefixRoute::kNone));
         must(host.network().add_rule({.priority = 21499, .table = 214}));
         host.kill();
       },
       start_anew, After::kGivenUp},
      {"start on an interface of somebody else's", [](Host& host) { host.add_foreign_interface("wg0"); },
       [](Host& host) {
         auto status = start_anew(host);
         return status ? install(host) : status;
       },
       After::kGivenUp},
      {"install", start, [](Host& host) { return install(host); }, After::kUndone},
      {"install again, re-created", start_with_session, [](Host& host) { return install(host, true); }, After::kUndone},
      {"install in the main table",
       [](Host& host) {
         host.config().production.table = network::kMainTable;
         host.config().production.throw_ranges.clear();
         start(host);
       },
       [](Host& host) { return install(host); }, After::kUndone},
      {"remove", start_with_session, [](Host& host) { return host.netd().remove(host.jacinth()); }},
      {"put right what others changed",
       [](Host& host) {
         start_with_session(host);
         ruin(host);
       },
       [](Host& host) { return host.bring_up(); }},
      {"make anew what others deleted",
       [](Host& host) {
         start_with_session(host);
         for (const char* name : {"wg0", "anubis0"}) must(host.network().delete_link(host.ifindex(name)));
       },
       [](Host& host) { return host.bring_up(); }},
      {"make anew what others renamed",
       [](Host& host) {
         start_with_session(host);
         must(host.network().set_link(host.ifindex("wg0"), {.mtu = {}, .up = false, .alias = {}}));
         if (std::system("ip link set wg0 name wg7") != 0) throw std::runtime_error("a link cannot be renamed");
       },
       [](Host& host) { return host.bring_up(); }},
      // As the daemon does: hears of it or is told that it may have missed something, and looks.
      {"hear of what others changed",
       [](Host& host) {
         start_with_session(host);
         for (int i = 0; i < 100 && !host.netd().interfaces_to_heal().empty(); ++i) {
         }
         const auto routes = host.network().routes({.protocol = network::kRouteProtocol, .table = 214}).value();
         must(network::all_in_place(host.network().remove_routes(routes)));
       },
       [](Host& host) -> Status {
         pollfd events{.fd = host.netd().event_fd(), .events = POLLIN, .revents = 0};
         for (int i = 0; i < 10 && poll(&events, 1, 0) == 1; ++i) {
           if (!host.netd().interfaces_to_heal().empty()) return host.bring_up();
         }
         return base::fail(base::ErrorCode::kIo, "nothing can be heard any more, as the log says");
       },
       After::kAnything, [](Host& host) { return host.bring_up(); }},
      {"tear down", start_with_session, [](Host& host) { return host.netd().tear_down(); }},
      {"tear down on an interface of somebody else's",
       [](Host& host) {
         host.add_foreign_interface("wg0");
         start_with_session(host);
       },
       [](Host& host) { return host.netd().tear_down(); }},
  };
  return all;
}

enum class Outcome {
  kAtOnce,    // success, with no more calls than without the fault
  kRetried,   // success, with more calls
  kFailed,    // told; the same again succeeded
  kBelieved,  // taken for the truth; the next start has put it right
  kWrong,
};
constexpr std::size_t kOutcomes = 5;

// The kernel says that there is something, or nothing: no caller can know better. What it is then wrong about is put
// right at the next look.
bool is_statement(const Fault& fault) {
  static const std::set<std::pair<std::string, int>> kStatements = {
      {"link get", ENODEV},      {"link delete", ENODEV},   {"address dump", ENODEV}, {"address delete", ENODEV},
      {"route dump", ENOENT},    {"route delete", ENODEV},  {"rule delete", ENOENT},  {"rule add", EEXIST},
      {"wireguard get", ENODEV}, {"wireguard set", ENODEV}, {"device apply", ENODEV}, {"device apply", ENOENT}};
  return fault.way == Way::kAnswer && kStatements.contains({fault.site, fault.error});
}

bool has_ours(const std::string& state) {
  return state.find("protocol 214") != std::string::npos || state.find("anubis") != std::string::npos;
}

// One process, one network namespace.
class Worker {
 public:
  Worker() : host_(plan_) {}

  // Without a fault: what is reached, and what it looks like then.
  void rehearse(const Scenario& scenario);
  [[nodiscard]] const std::map<std::string, std::size_t>& reached() const { return reached_; }
  [[nodiscard]] const std::string& done() const { return done_; }

  struct Result {
    Outcome outcome{};
    std::string what;        // is wrong
    bool is_reached = true;  // the site of the fault
  };
  Result inject(const Scenario& scenario, const Fault& fault);

 private:
  std::string end(const Scenario& scenario, bool restart);

  Plan plan_;
  Host host_;
  std::map<std::string, std::size_t> reached_;
  std::size_t calls_ = 0;
  std::string done_;  // the host's state after the scenario
  std::string gone_;  // and after all was taken away
};

void Worker::rehearse(const Scenario& scenario) {
  host_.purge();
  scenario.prepare(host_);
  plan_.disarm();
  must(scenario.run(host_));
  reached_ = plan_.passed();
  calls_ = plan_.total();
  plan_.disarm();
  done_ = host_.state();
  must(host_.netd().tear_down());
  gone_ = host_.state();
  if (has_ours(gone_)) throw std::runtime_error("something is left without any fault:\n" + gone_);
}

Worker::Result Worker::inject(const Scenario& scenario, const Fault& fault) {
  const auto wrong = [](std::string what) { return Result{.outcome = Outcome::kWrong, .what = std::move(what)}; };
  host_.purge();
  scenario.prepare(host_);
  const std::string before = host_.state();
  plan_.arm(fault);
  const auto status = scenario.run(host_);
  const std::size_t calls = plan_.total();
  const bool has_struck = plan_.has_struck();
  plan_.disarm();
  if (!has_struck) return {.outcome = Outcome::kWrong, .what = "the site was not reached", .is_reached = false};

  std::string after = host_.state();
  Outcome outcome = calls > calls_ ? Outcome::kRetried : Outcome::kAtOnce;
  if (!status) {
    outcome = Outcome::kFailed;
    if (status.error().message.empty()) return wrong("it fails without a word");
    switch (scenario.after_failure) {
      case Scenario::After::kAnything:
        break;
      case Scenario::After::kUndone:
        if (after != before && !fault.for_good && !is_statement(fault))
          return wrong("it failed (" + status.error().message + ") and left something:\n" + after);
        break;
      case Scenario::After::kGivenUp:
        // Or tried again: half of them.
        if (!host_.runs() || fault.error % 2 == 0) break;
        if (const auto torn = host_.netd().tear_down(); !torn)
          return wrong("it failed and cannot be given up: " + torn.error().message);
        after = host_.state();
        if (after != gone_ && (after != before || has_ours(after)))
          return wrong("it failed (" + status.error().message + "), and given up, left something:\n" + after);
        return {outcome, {}};
    }
  } else if (after != done_) {
    if (!is_statement(fault)) return wrong("it is said to be done, and is not:\n" + after);
    outcome = Outcome::kBelieved;
  }
  auto what = end(scenario, /*restart=*/outcome == Outcome::kBelieved);
  return what.empty() ? Result{outcome, {}} : wrong(std::move(what));
}

// The same again without a fault, and all away.
std::string Worker::end(const Scenario& scenario, bool restart) {
  if (restart) {
    if (const auto status = start_anew(host_); !status) return "the next start fails: " + status.error().message;
  }
  if (const auto again = (scenario.again ? scenario.again : scenario.run)(host_); !again)
    return "the same again fails: " + again.error().message;
  auto after = host_.state();
  if (after != done_) return "the same again does not put it right:\n" + after;
  if (const auto torn = host_.netd().tear_down(); !torn) return "it cannot be taken away: " + torn.error().message;
  after = host_.state();
  return after == gone_ ? std::string() : "something is left:\n" + after;
}

// Each site in each way with each error, and each of its calls in each way. With ANUBIS_FAULTS=all, each call with each
// error.
std::vector<Fault> faults_of(const std::map<std::string, std::size_t>& reached) {
  const char* const wanted = std::getenv("ANUBIS_FAULTS");
  const bool all = wanted != nullptr && std::string(wanted) == "all";
  std::vector<Fault> faults;
  for (const auto& [site, calls] : reached) {
    const auto add = [&](Way way, std::span<const int> errors, bool for_good = false) {
      const std::size_t count = all ? calls * errors.size() : std::max(calls, errors.size());
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t error = all ? i / calls : i;
        faults.push_back({site, i % calls + 1, way, errors[error % errors.size()], for_good});
      }
    };
    constexpr std::array kNone = {0};
    constexpr std::array kLasting = {ENOMEM, EPERM};
    if (site.ends_with("socket")) {
      add(Way::kOpen, kErrors);
      continue;
    }
    add(Way::kReceive, kErrors);
    if (site.starts_with("device")) {
      add(Way::kAnswer, kErrors);
      add(Way::kAnswer, kLasting, /*for_good=*/true);
      continue;
    }
    add(Way::kCut, kNone);
    if (site == "notification") continue;  // nobody asks for those
    for (const Way way : {Way::kSend, Way::kAnswer}) add(way, kErrors);
    add(Way::kAnswer, kLasting, /*for_good=*/true);
    if (site.ends_with("dump") || site == "wireguard get") add(Way::kInterrupt, kNone);
  }
  // The tun links that stand for wireguard-go's have no process that is ended when they cannot even be found.
  if (!*wireguard::kernel_has_wireguard()) {
    std::erase_if(faults, [](const Fault& fault) {
      return fault.site == "link get" && fault.way == Way::kAnswer && (fault.for_good || fault.error == ENODEV);
    });
  }
  return faults;
}

// --- many of them at a time, as the kernel mostly waits for its own processors when a link goes

constexpr std::size_t kWorkers = 12;

struct Tally {
  std::size_t calls = 0;  // without faults
  std::array<std::size_t, kOutcomes> outcomes{};
};
using Tallies = std::map<std::string, Tally>;

// Writes "calls SITE|COUNT", "OUTCOME SITE|" or, with the outcome kWrong, "4 SITE|what" with its lines joined by '$'.
void work(const Scenario& scenario, std::size_t number, FILE* out) {
  const auto say = [&](std::string what, const std::string& site, std::string text) {
    std::ranges::replace(text, '\n', '$');
    fmt::print(out, "{} {}|{}\n", what, site, text);
  };
  try {
    Worker worker;
    worker.rehearse(scenario);
    if (number == 0) {
      for (const auto& [site, count] : worker.reached()) say("calls", site, std::to_string(count));
    }
    const auto faults = faults_of(worker.reached());
    for (std::size_t i = number; i < faults.size(); i += kWorkers) {
      const Fault& fault = faults[i];
      auto result = worker.inject(scenario, fault);
      // The kernel may hand over in one reading what came in two at the rehearsal.
      const bool may_be_missed = fault.site == "notification";
      for (int tries = 1; may_be_missed && !result.is_reached && tries < 4; ++tries) {
        result = worker.inject(scenario, fault);
      }
      if (may_be_missed && !result.is_reached) continue;
      std::string text;
      if (result.outcome == Outcome::kWrong) {
        text =
            fmt::format("number {}{}, {} {}: {}\ninstead of\n{}", fault.occurrence, fault.for_good ? " and later" : "",
                        name_of(fault.way), name_of_error(fault.error), result.what, worker.done());
      }
      say(std::to_string(static_cast<int>(result.outcome)), fault.site, text);
    }
  } catch (const std::exception& error) {
    say("4", "the test itself", error.what());
  }
}

class FaultInjection : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, for network namespaces of its own";
  }
};

std::vector<std::string> outputs_of_workers(const Scenario& scenario) {
  std::vector<FILE*> files;
  std::vector<pid_t> workers;
  for (std::size_t number = 0; number < kWorkers; ++number) {
    FILE* const out = tmpfile();
    files.push_back(out);
    const pid_t pid = fork();
    if (pid == 0) {
      const base::Fd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
      (void)dup2(nowhere.get(), STDERR_FILENO);  // nobody wants to read thousands of failures
      if (unshare(CLONE_NEWNET) != 0) _exit(1);
      work(scenario, number, out);
      (void)fflush(out);
      _exit(0);
    }
    workers.push_back(pid);
  }
  for (const pid_t pid : workers) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0) << "a worker did not reach its end";
  }
  std::vector<std::string> lines;
  for (FILE* file : files) {
    rewind(file);
    char* line = nullptr;
    std::size_t size = 0;
    ssize_t length = 0;
    while ((length = getline(&line, &size, file)) > 0) lines.emplace_back(line, static_cast<std::size_t>(length - 1));
    free(line);
    (void)fclose(file);
  }
  return lines;
}

TEST_P(FaultInjection, F43EndsWellOrIsToldAndUndone) {
  Tallies tallies;
  std::size_t told = 0;
  for (const std::string& each : outputs_of_workers(GetParam())) {
    const auto space = each.find(' ');
    const auto bar = each.find('|');
    ASSERT_TRUE(space != std::string::npos && bar != std::string::npos) << each;
    const std::string what = each.substr(0, space);
    const std::string site = each.substr(space + 1, bar - space - 1);
    std::string text = each.substr(bar + 1);
    if (what == "calls") {
      tallies[site].calls = std::stoul(text);
      continue;
    }
    const auto outcome = static_cast<std::size_t>(std::stoul(what));
    ++tallies[site].outcomes.at(outcome);
    if (static_cast<Outcome>(outcome) != Outcome::kWrong || ++told > 5) continue;
    std::ranges::replace(text, '$', '\n');
    ADD_FAILURE() << site << " " << text;
  }

  Tally all;
  const auto print = [](const std::string& site, const Tally& tally) {
    std::size_t injections = 0;
    for (const std::size_t count : tally.outcomes) injections += count;
    fmt::print("{:16} {:>6} {:>11}", site, tally.calls, injections);
    for (const std::size_t count : tally.outcomes) fmt::print(" {:>9}", count);
    fmt::print("\n");
    return injections;
  };
  fmt::print("{:16} {:>6} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9}\n", GetParam().name, "calls", "injections", "at once",
             "retried", "failed", "believed", "wrong");
  for (const auto& [site, tally] : tallies) {
    EXPECT_GT(print(site, tally), 0u) << site << " was never made to fail";
    EXPECT_GT(tally.calls, 0u) << site << " was never reached";
    all.calls += tally.calls;
    for (std::size_t i = 0; i < kOutcomes; ++i) all.outcomes.at(i) += tally.outcomes.at(i);
  }
  (void)print(fmt::format("{} sites", tallies.size()), all);
  EXPECT_EQ(all.outcomes.back(), 0u);
}

std::string test_name(const testing::TestParamInfo<Scenario>& scenario) {
  std::string name;
  for (const char* at = scenario.param.name; *at != 0; ++at) {
    if (std::isalnum(static_cast<unsigned char>(*at)) != 0) name += *at;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, FaultInjection, testing::ValuesIn(scenarios()), test_name);

// No call is left out: what the others reach are all the sites that there are.
TEST(FaultSites, AreAllReached) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, for a network namespace of its own";
  std::set<std::string> wanted = {"route socket", "link get",           "link set",  "link create",  "link delete",
                                  "address add",  "address delete",     "route add", "route delete", "route get",
                                  "rule add",     "rule delete",        "rule dump", "route dump",   "address dump",
                                  "notification", "notification socket"};
  if (*wireguard::kernel_has_wireguard()) {
    wanted.insert({"generic socket", "family get", "wireguard get", "wireguard set"});
  } else {
    wanted.insert({"device info", "device configure", "device dump", "device apply"});
  }
  const base::Fd outside(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0) << strerror(errno);
  std::set<std::string> reached;
  {
    Worker worker;
    for (const Scenario& scenario : scenarios()) {
      worker.rehearse(scenario);
      for (const auto& [site, calls] : worker.reached()) reached.insert(site);
    }
  }
  ASSERT_EQ(setns(outside.get(), CLONE_NEWNET), 0);
  EXPECT_EQ(reached, wanted);
}

}  // namespace
}  // namespace anubis::faults
