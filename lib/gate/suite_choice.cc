// Which suite a peer is asked in, and what is made of its refusals: docs/protocol.md, section 3.4.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {

using base::Time;

// A host that does not have the suite of a message drops it in silence. So, until the peer has told what it has, by its
// own requests or by a refusal, it is asked in the suite that it has most likely: the one that every host must have,
// unless we do not allow it. That cannot weaken anything: the peer refuses what is not the strongest of the offer.
crypto::Suite Gatekeeper::suite_to_ask_in(const Session& with) const {
  return with.suite ? *with.suite : *std::ranges::min_element(settings_.suites);
}

// After a refusal for the suite's sake. None: the peer has been asked again; else why it was not, for people.
std::optional<std::string> Gatekeeper::ask_in_another_suite(PeerIndex peer, Session& with, const wire::Reply& reply,
                                                            Time now) {
  const auto common = crypto::best_common(settings_.suites, reply.suites);
  if (!common) {
    with.suite.reset();
    return fmt::format("this host allows {}, {} allows {}", crypto::names_of(settings_.suites),
                       directory_.get(peer)->name, crypto::names_of(reply.suites));
  }
  if (*common == with.exchange->suite) {
    return fmt::format("it refuses {}, though that is the strongest that both allow", crypto::name_of(*common));
  }
  if (++with.exchange->asked_again >= kMaxAskedAgain) return "it changes its mind faster than it can be asked";
  with.suite = common;
  // What was sealed in a weaker suite, and had no effect, is not to be used.
  if (with.exchange->preshared_key) with.exchange->preshared_key = fresh_key();
  ask(peer, with, with.exchange->operation, now);
  return std::nullopt;
}

// Nobody answers in the suite that we expected the peer to have: it may have lost it, with its hardware or by a change
// of its policy. What is still being asked goes on in the suite that it cannot have lost.
void Gatekeeper::forget_suite(PeerIndex peer, Session& with, Time now) {
  with.suite.reset();
  if (with.exchange && with.exchange->suite != suite_to_ask_in(with)) ask(peer, with, with.exchange->operation, now);
}

void Gatekeeper::fail_unanswered(PeerIndex peer, Session& with, Time now) {
  // Only who allows nothing else asks somebody in it whom he does not know to have it.
  std::string text;
  if (const auto suite = *std::ranges::min_element(settings_.suites); suite != crypto::Suite::kXChaCha20Poly1305) {
    text = fmt::format("this host allows only {}, which not every host has", crypto::names_of(settings_.suites));
  }
  with.suite.reset();
  fail_attempt(peer, with, Verdict::kNoAnswer, std::move(text), now);
}

}  // namespace anubis::gate
