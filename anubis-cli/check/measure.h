// Sends the probes of one row and takes down what becomes of them, the capture included. Takes seconds; what it waits
// for is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "anubis-cli/check/capture.h"
#include "anubis-cli/check/prober.h"
#include "anubis-cli/check/row.h"
#include "lib/base/clock.h"

namespace anubis::cli {

struct MeasureOptions {
  std::uint32_t probes = 10;
  base::Duration patience{};  // for an answer
};

// CAPTURE may be null. MTU: of the interface that the way leads to; 0: it is not looked for. DOING is told what is done
// now.
[[nodiscard]] Probing measure(Prober& prober, Capture* capture, std::uint32_t mtu, const MeasureOptions& options,
                              const std::function<void(const char*)>& doing);

}  // namespace anubis::cli
