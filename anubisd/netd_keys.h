// The gatekeeper's message keys, from where the private key is.
#pragma once

#include "anubisd/netd/remote_netd.h"
#include "lib/gate/key_agreement.h"

namespace anubis::daemon {

class NetdKeys final : public gate::KeyAgreement {
 public:
  // netd must outlive it.
  explicit NetdKeys(netd::RemoteNetd& netd) : netd_(netd) {}

  base::Result<crypto::MessageKeys> derive(model::PeerIndex peer, model::Speaker speaker,
                                           crypto::Suite suite) override {
    return netd_.derive_message_keys(peer, speaker, suite);
  }

 private:
  netd::RemoteNetd& netd_;
};

}  // namespace anubis::daemon
