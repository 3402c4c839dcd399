// What others did to what is ours, and was put right: told to anubisd, which has the words for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "anubisd/netd/netd.h"

namespace anubis::netd {

// Keeps what happened until somebody takes it. Told only once it is put right: until then it is an error of
// bring_up(), and told as that.
class DriftQueue {
 public:
  // What happened again before the last time was taken counts once.
  void tell(const Drift& drift);
  [[nodiscard]] std::vector<Drift> take();

 private:
  std::vector<Drift> waiting_;
  std::uint32_t dropped_ = 0;
};

}  // namespace anubis::netd
