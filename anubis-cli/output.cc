#include "anubis-cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "anubis-cli/text.h"
#include "lib/base/result.h"

namespace anubis::cli {

// Failures stick to the stream: flush_output() tells them.
void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_line(std::string_view text) {
  print(text);
  std::fputc('\n', stdout);
}

bool print_secret(std::string_view text) {
  if (std::fflush(stdout) != 0) return false;
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void complain(std::string_view message) {
  std::fflush(stdout);  // where both go to one place, in the order in which they were said
  const std::string line = "anubis: " + printable_lines(message) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int report(const Failure& failure) {
  complain(failure.message);
  return failure.status;
}

bool flush_output() {
  const bool was_well = std::ferror(stdout) == 0;
  if (std::fflush(stdout) == 0 && was_well) return true;
  complain(base::system_error(errno, "cannot write to standard output").message);
  return false;
}

Colour colour_of_output(ColourChoice choice) {
  switch (choice) {
    case ColourChoice::kAlways:
      return Colour::kOn;
    case ColourChoice::kNever:
      return Colour::kOff;
    case ColourChoice::kAuto:
      break;
  }
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return Colour::kOff;  // as no-color.org has it
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return Colour::kOff;
  return isatty(STDOUT_FILENO) == 1 ? Colour::kOn : Colour::kOff;
}

}  // namespace anubis::cli
