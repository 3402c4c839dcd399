// The address of the page with which a phone's browser brings the phone up and down, with the page's key in the
// fragment, which browsers send nobody (docs/protocol.md). PURE.
#pragma once

#include "lib/base/secret_text.h"
#include "lib/config/config.h"
#include "lib/crypto/keys.h"

namespace anubis::interop {

// http://[SIDE ADDRESS]:PORT/#1.PRIVATE.SERVER: of the server's configuration, with the page's private key and the
// server's production public key in base64url.
[[nodiscard]] base::SecretText companion_link(const config::Config& server, const crypto::PrivateKey& page);

}  // namespace anubis::interop
