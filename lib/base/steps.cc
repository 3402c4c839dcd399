#include "lib/base/steps.h"

#ifdef ANUBIS_STEPS
#include <charconv>
#include <cstdlib>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/fd.h"
#endif

namespace anubis::base {

#ifdef ANUBIS_STEPS
namespace {

// Nothing but calls that the system call filters allow.
std::string read_wish(const char* file) {
  const Fd fd(open(file, O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t size = fd ? read(fd.get(), text.data(), text.size()) : 0;
  std::string wish(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  wish.erase(std::min(wish.find('\n'), wish.size()));
  return wish;
}

int count_of(std::string_view word) {
  int count = 1;
  (void)std::from_chars(word.data(), word.data() + word.size(), count);
  return count;
}

}  // namespace

void step(StepName passed) {
  const char* const file = std::getenv("ANUBIS_STEPS");
  if (file == nullptr) return;
  static std::string wish;  // the last one, and how often its step is still to be passed
  static int left = 0;
  const std::string now = read_wish(file);
  if (now == "tell") {
    const std::string line = "step " + std::string(passed.name()) + "\n";
    (void)!write(STDERR_FILENO, line.data(), line.size());
    return;
  }
  constexpr std::string_view kKill = "kill ";
  if (!now.starts_with(kKill)) {
    wish.clear();
    return;
  }
  const auto words = std::string_view(now).substr(kKill.size());
  const auto name = words.substr(0, words.find(' '));
  if (now != wish) {
    wish = now;
    left = name.size() < words.size() ? count_of(words.substr(name.size() + 1)) : 1;
  }
  if (name == passed.name() && --left == 0) (void)raise(SIGKILL);
}

std::string steps_in_version() {
  std::string text = "\nbuilt for tests, with the steps";
  for (const std::string_view name : kSteps) text.append(" ").append(name);
  return text;
}
#else
std::string steps_in_version() { return {}; }
#endif

}  // namespace anubis::base
