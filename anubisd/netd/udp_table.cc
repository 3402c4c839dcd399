#include "anubisd/netd/udp_table.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/fd.h"

namespace anubis::netd {
namespace {

// "  12: 0100007F:10C8 00000000:0000 …": the local address and port stand second, in hexadecimal.
bool is_line_of(std::string_view line, std::uint16_t port) {
  const auto number = line.find(':');
  if (number == std::string_view::npos) return false;
  line.remove_prefix(number + 1);
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  line.remove_prefix(colon + 1);
  std::uint16_t found = 0;
  const auto [end, error] = std::from_chars(line.begin(), line.end(), found, 16);
  return error == std::errc() && end == line.begin() + 4 && found == port;
}

base::Result<std::string> read_table(const char* file) {
  const base::Fd fd(open(file, O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::string();  // no such protocol here
  if (!fd) return base::fail_errno(errno, file);
  std::string text;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, file);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool has_port(std::string_view table, std::uint16_t port) {
  while (!table.empty()) {
    const auto end = table.find('\n');
    if (is_line_of(table.substr(0, end), port)) return true;
    if (end == std::string_view::npos) return false;
    table.remove_prefix(end + 1);
  }
  return false;
}

base::Result<bool> is_udp_port_in_use(std::uint16_t port) {
  for (const char* file : {"/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"}) {
    const auto table = read_table(file);
    if (!table) return base::fail(table.error());
    if (has_port(*table, port)) return true;
  }
  return false;
}

}  // namespace anubis::netd
