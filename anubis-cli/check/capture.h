// Watches all interfaces but loopback for a marker, and for the bearer packets of one peer. Needs CAP_NET_RAW.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "anubis-cli/check/packet.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/model/endpoint.h"

namespace anubis::cli {

struct SeenOn {
  std::uint64_t sent = 0;  // packets that left by the interface, and
  std::uint64_t received = 0;
};

struct Captured {
  std::map<std::string, SeenOn> marker;  // by interface: packets in which it was readable
  std::map<std::string, SeenOn> bearer;  // bearer packets to and from the peer's endpoint
  std::uint64_t missed = 0;              // packets that came faster than they were looked at: they may hold anything
};

class Capture {
 public:
  // Sees everything from its return on. kPermission: not without CAP_NET_RAW.
  static base::Result<Capture> open(const Marker& marker, const std::optional<model::Endpoint>& peer);

  // Readable when packets were seen.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Looks at what was seen; false when there is still more, which came meanwhile.
  bool drain();
  // What was found, once all is drained.
  [[nodiscard]] Captured finish();

 private:
  Capture(base::Fd fd, const Marker& marker, const std::optional<model::Endpoint>& peer)
      : fd_(std::move(fd)), marker_(marker), peer_(peer) {}
  [[nodiscard]] const std::string& name_of(int ifindex);

  base::Fd fd_;
  Marker marker_;
  std::optional<model::Endpoint> peer_;
  std::map<int, std::string> names_;
  Captured captured_;
};

}  // namespace anubis::cli
