#include "lib/base/log_limit.h"

#include <fmt/format.h>

namespace anubis::base::log {
namespace {

constexpr std::size_t kMaxSample = 100;  // bytes; enough to recognise it

}  // namespace

Limit::Decision Limit::admit(std::string_view name, std::string_view text, Time now) {
  Decision decision;
  if (now >= sweep_at_) {
    end(texts_, now, decision.suppressed);
    end(names_, now, decision.suppressed);
    sweep_at_ = now + kWindow / 4;
  }
  std::string both = fmt::format("{}: {}", name, text);
  const auto known = texts_.find(both);
  if (known != texts_.end()) {
    decision.write = count(known->second, kSameText, both, now);
  } else if (texts_.size() < kMaxTexts) {
    decision.write = count(texts_[both], kSameText, both, now);
  }
  decision.write = decision.write && count(names_[std::string(name)], kSameName, name, now);
  return decision;
}

bool Limit::count(Window& window, std::uint64_t most, std::string_view sample, Time now) {
  if (window.count == 0) window.began = now;
  if (++window.count <= most) return true;
  if (++window.suppressed == 1) window.sample = sample.substr(0, kMaxSample);
  return false;
}

void Limit::end(Windows& windows, Time now, std::vector<std::string>& told) {
  std::erase_if(windows, [&](const Windows::value_type& entry) {
    const Window& window = entry.second;
    if (now - window.began < kWindow) return false;
    if (window.suppressed != 0) {
      told.push_back(fmt::format("{} more messages like \"{}\" were not written", window.suppressed, window.sample));
    }
    return true;
  });
}

}  // namespace anubis::base::log
