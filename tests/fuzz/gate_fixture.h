// One gatekeeper, xena's, whose peer jacinth is the fuzzer: it has jacinth's key, so that what it says opens.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "lib/base/random.h"
#include "lib/crypto/side_address.h"
#include "lib/crypto/suites.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/wire/message.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

// The same for ever: tokens and request ids are known to whoever writes a corpus.
class ConstantRandom final : public base::Random {
 public:
  static constexpr std::uint8_t kByte = 'B';
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, kByte); }
};

// What does not change from input to input.
struct Parties {
  Parties() {
    crypto::initialise();
    const auto introduce = [](const char* name, const crypto::ProductionPrivateKey& key, std::uint8_t side) {
      model::Peer peer{.name = name};
      peer.public_key = key.public_key();
      peer.side_public_key.bytes.fill(side);
      peer.side_address = model::IpAddress::v6(crypto::derive_side_address(peer.side_public_key));
      peer.endpoint = model::HostPort{"192.0.2.1", 4296};
      return peer;
    };
    model::Peer jacinth_peer = introduce("jacinth", jacinth_key, 2);
    jacinth_peer.companion_key = crypto::CompanionPublicKey(companion);
    model::Peer surya = introduce("surya", surya_key, 3);
    surya.endpoint.reset();  // a roamer
    directory.replace({jacinth_peer, surya});
    xenas = crypto::derive_message_keys(crypto::Suite::kXChaCha20Poly1305, xena_key, xena_key.public_key(),
                                        jacinth_key.public_key(), nullptr)
                .value();
    jacinths = crypto::derive_message_keys(crypto::Suite::kXChaCha20Poly1305, jacinth_key, jacinth_key.public_key(),
                                           xena_key.public_key(), nullptr)
                   .value();
    jacinth = directory.find(jacinth_key.public_key()).value();
  }

  static base::Secret<crypto::kKeySize> secret_of(std::uint8_t fill) {
    base::Secret<crypto::kKeySize> secret;
    std::ranges::fill(secret.writable(), fill);
    return secret;
  }
  [[nodiscard]] const model::IpAddress& jacinths_address() const { return directory.get(jacinth)->side_address; }

  crypto::ProductionPrivateKey xena_key{secret_of(1)};
  crypto::ProductionPrivateKey jacinth_key{secret_of(2)};
  crypto::ProductionPrivateKey surya_key{secret_of(3)};
  crypto::ProductionPublicKey xena_public{xena_key.public_key()};
  crypto::ProductionPublicKey jacinth_public{jacinth_key.public_key()};
  crypto::ProductionPublicKey companion{crypto::ProductionPrivateKey(secret_of(4)).public_key()};  // jacinth's page
  model::InMemoryDirectory directory;
  model::PeerIndex jacinth{};
  crypto::MessageKeys xenas;     // of xena with jacinth
  crypto::MessageKeys jacinths;  // of jacinth with xena
};

// Xena's keys with jacinth without the X25519 that they cost, the same for every suite.
class KnownKeys final : public gate::KeyAgreement {
 public:
  explicit KnownKeys(const crypto::MessageKeys& keys) : keys_(keys) {}
  base::Result<crypto::MessageKeys> derive(model::PeerIndex, model::Speaker, crypto::Suite) override {
    return crypto::MessageKeys{keys_.sending.duplicate(), keys_.receiving.duplicate()};
  }

 private:
  const crypto::MessageKeys& keys_;
};

// A gatekeeper with an executor that does what the input says.
class Gate {
 public:
  explicit Gate(const Parties& parties)
      : parties_(parties),
        keys_(parties.xenas),
        gatekeeper({.suites = crypto::available_suites()}, parties.directory, keys_, parties.xena_public, random_) {}

  // From jacinth's side address. plaintext: what the seal holds, framing and padding included.
  wire::Datagram seal(const wire::Header& header, Bytes plaintext) const {
    wire::Datagram datagram(wire::kHeaderSize + plaintext.size() + crypto::kTagSize);
    wire::encode_header(header, std::span(datagram).first<wire::kHeaderSize>());
    crypto::seal(header.suite, parties_.jacinths.sending, header.nonce, std::span(datagram).first(wire::kHeaderSize),
                 plaintext, std::span(datagram).subspan(wire::kHeaderSize));
    return datagram;
  }
  // By the way that its header's sender takes.
  void receive(Bytes datagram) {
    const auto header = wire::decode_header(datagram);
    if (header && header->sender == parties_.companion) {
      gatekeeper.receive_from_companion(datagram, parties_.jacinths_address(), now);
    } else {
      gatekeeper.receive(datagram, parties_.jacinths_address(), 4298, now);
    }
  }

  // Carries out all that the gatekeeper wants: `outcome` says how it goes. What it sends is collected.
  void execute(std::uint8_t outcome);
  // As time goes by.
  void pass(base::Duration duration, std::uint8_t outcome);

  [[nodiscard]] std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const auto count : gatekeeper.counters().dropped) sum += count;
    return sum;
  }

 private:
  const Parties& parties_;
  KnownKeys keys_;
  ConstantRandom random_;

 public:
  gate::Gatekeeper gatekeeper;
  base::Time now{std::chrono::hours(1)};
  std::vector<wire::Datagram> sent;
  std::vector<gate::FinishCommand> finished;
};

}  // namespace anubis::fuzz
