// A gatekeeper, and the other ends of the wire in the hands of the test: any number of peers, all with the same keys
// but for their number, sealing in any suite.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/random.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/wire/message.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {

constexpr auto kXChaCha = crypto::Suite::kXChaCha20Poly1305;
constexpr crypto::Suite kAes256Gcm{2};

// Message keys without an X25519, the same for all peers, and how often they were asked for.
class CheapKeys final : public KeyAgreement {
 public:
  base::Result<crypto::MessageKeys> derive(PeerIndex peer, model::Speaker speaker, crypto::Suite suite) override;

  unsigned derived = 0;
};

class PeersEndTest : public ::testing::Test {
 protected:
  // All of them are authorised, and have an endpoint.
  void start(Settings settings, std::size_t peers = 1);

  [[nodiscard]] PeerIndex index_of(std::size_t peer) const;

  // What that peer sends.
  wire::Datagram request(const wire::Request& request, crypto::Suite suite = kXChaCha, std::size_t peer = 0);
  wire::Datagram reply_to(const wire::Datagram& asked, const wire::Reply& reply, std::size_t peer = 0);
  // Handed to the gatekeeper as coming from that peer's side address.
  void deliver(const wire::Datagram& datagram, std::size_t peer = 0);

  // All actions of one kind since the last call of this; the others are forgotten.
  template <class Kind>
  std::vector<Kind> take() {
    std::vector<Kind> found;
    for (Action& action : gate->take_actions()) {
      if (auto* one = std::get_if<Kind>(&action)) found.push_back(std::move(*one));
    }
    return found;
  }
  // The only datagram sent since the last look; empty when there was not exactly one.
  wire::Datagram sent();
  static wire::Reply reply_in(const wire::Datagram& datagram);
  static wire::Request request_in(const wire::Datagram& datagram);
  // Asks, and opens the only reply.
  wire::Reply answer_to(const wire::Request& asked, crypto::Suite suite = kXChaCha, std::size_t peer = 0);

  [[nodiscard]] std::uint64_t dropped(wire::Drop reason) const {
    return gate->counters().dropped[static_cast<std::size_t>(reason)];
  }

  model::InMemoryDirectory directory;
  base::SystemRandom random;
  CheapKeys agreement;
  crypto::ProductionPublicKey own_public_key;
  std::unique_ptr<Gatekeeper> gate;
  base::Time now{std::chrono::seconds(100)};
};

}  // namespace anubis::gate
