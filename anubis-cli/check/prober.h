// Sends marked echo requests to one address and hears what becomes of them. Needs what `ping` needs: a ping socket,
// which net.ipv4.ping_group_range opens to groups, or CAP_NET_RAW.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "anubis-cli/check/packet.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/model/ip.h"

namespace anubis::cli {

struct Heard {
  std::uint16_t sequence = 0;  // of the probe that it is about
  bool is_answer = false;      // else somebody on the way told why there is none
  bool hops_exceeded = false;
  bool is_refused = false;  // it cannot be reached, or nobody may
  model::IpAddress from;
  std::optional<std::uint32_t> mtu;  // that the probe was too large for
  base::Time at;
};

class Prober {
 public:
  // kPermission: neither kind of socket is allowed. kUnreachable: there is no route.
  static base::Result<Prober> create(const model::IpAddress& destination, const Marker& marker);

  // The sequence number of the probe. kInvalid: larger than the interface takes. kPermission: a firewall of
  // this host does not let it out.
  base::Result<std::uint16_t> send(std::size_t payload);
  // For the probes that follow; none: the system's.
  base::Status set_hop_limit(std::optional<std::uint8_t> hops);

  // What stands in front of a probe's payload.
  [[nodiscard]] std::size_t header_size() const { return headers_of(destination_.family()); }
  // Readable when something was heard.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::vector<Heard> hear();

 private:
  Prober(base::Fd fd, bool is_raw, const model::IpAddress& destination, const Marker& marker);
  void hear_answers(std::vector<Heard>& heard);
  void hear_errors(std::vector<Heard>& heard);
  [[nodiscard]] std::optional<Echo> own_echo(ByteView bytes) const;

  base::Fd fd_;
  bool is_raw_;
  model::IpAddress destination_;
  Marker marker_;
  std::uint16_t id_;
  std::uint16_t last_sequence_ = 0;
};

}  // namespace anubis::cli
