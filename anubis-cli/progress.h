// Commands that concern many peers: the daemon tells of each.
#pragma once

#include <chrono>
#include <cstdint>

#include <control.pb.h>
#include <tl/expected.hpp>

#include "anubis-cli/commands.h"
#include "anubis-cli/failure.h"

namespace anubis::cli {

struct ManyDone {
  control::Done done;
  std::uint32_t total = 0;  // peers
};

// As exchange(); meanwhile a terminal shows how far it is, and each peer that failed is complained of.
[[nodiscard]] tl::expected<ManyDone, Failure> exchange_with_progress(const Context& context,
                                                                     const control::Command& command,
                                                                     std::chrono::milliseconds timeout);

}  // namespace anubis::cli
