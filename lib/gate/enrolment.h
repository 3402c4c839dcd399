// The initiator's half of an enrolment (docs/protocol.md, section 13): what a host that was invited says to whoever
// invited it. Pure: datagrams go in and come out, and whoever owns the socket repeats them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/crypto/invitation.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {

class Enrolment {
 public:
  // The one-time production key of the invitation, and who invited. RANDOM must outlive it.
  static base::Result<Enrolment> create(crypto::ProductionPrivateKey one_time_key, crypto::ProductionPublicKey server,
                                        const wire::Enrolment& enrolment, base::Random& random);

  // To be sent, and repeated as it is until something else than kNothing comes of what is received.
  [[nodiscard]] const wire::Datagram& request() const { return request_; }

  enum class Progress {
    kNothing,   // it is no answer to the request
    kAskAgain,  // there is another request to be sent
    kEnrolled,
    kRefused,  // reason() says why
  };
  [[nodiscard]] Progress receive(std::span<const std::uint8_t> datagram);
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  Enrolment(crypto::ProductionPrivateKey one_time_key, crypto::ProductionPublicKey server,
            const wire::Enrolment& enrolment, base::Random& random)
      : one_time_key_(std::move(one_time_key)),
        one_time_public_(one_time_key_.public_key()),
        server_(server),
        enrolment_(enrolment),
        random_(&random) {}

  [[nodiscard]] base::Status make_request();
  [[nodiscard]] Progress ask_again();

  crypto::ProductionPrivateKey one_time_key_;
  crypto::ProductionPublicKey one_time_public_;
  crypto::ProductionPublicKey server_;
  wire::Enrolment enrolment_;
  base::Random* random_;
  crypto::Suite suite_ = crypto::Suite::kXChaCha20Poly1305;
  std::optional<wire::Token> token_;
  unsigned requests_ = 0;
  wire::Header header_;
  wire::Datagram request_;
  std::string reason_;
};

}  // namespace anubis::gate
