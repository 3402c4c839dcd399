// Keeps a flood out of the log: what repeats itself, or comes too often under one name, is counted instead of written.
// The first of each kind in a minute always gets through, and the count is told, so nothing is lost entirely. Time is
// passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/clock.h"

namespace anubis::base::log {

class Limit {
 public:
  static constexpr Duration kWindow = std::chrono::minutes(1);
  static constexpr std::uint64_t kSameText = 30;    // of one name and text, within a window
  static constexpr std::uint64_t kSameName = 3000;  // of one name
  // Texts that are told apart within a window; of more than that only the names are.
  static constexpr std::size_t kMaxTexts = 4096;

  struct Decision {
    bool write = true;
    std::vector<std::string> suppressed;  // what was not written in windows that have ended: a sentence each
  };
  [[nodiscard]] Decision admit(std::string_view name, std::string_view text, Time now);

 private:
  struct Window {
    Time began{};
    std::uint64_t count = 0;
    std::uint64_t suppressed = 0;
    std::string sample;  // of what is suppressed
  };
  using Windows = std::unordered_map<std::string, Window>;

  static bool count(Window& window, std::uint64_t most, std::string_view sample, Time now);
  static void end(Windows& windows, Time now, std::vector<std::string>& told);

  Windows texts_;  // by name and text
  Windows names_;  // of which the program has some dozens
  Time sweep_at_{};
};

}  // namespace anubis::base::log
