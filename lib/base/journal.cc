#include "lib/base/journal.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace anubis::base {

std::string journal_entry(std::span<const JournalField> fields) {
  std::string entry;
  for (const auto& [name, whole] : fields) {
    const std::string_view value = whole.substr(0, Journal::kMaxValue);
    entry += name;
    if (value.find('\n') == std::string_view::npos) {
      entry += '=';
    } else {  // its size instead, in 8 bytes, the least significant first
      entry += '\n';
      for (unsigned shift = 0; shift < 64; shift += 8) {
        entry += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xff);
      }
    }
    entry.append(value).append("\n");
  }
  return entry;
}

bool Journal::is_behind(int fd, const char* journal_stream) {
  struct stat file{};
  if (journal_stream == nullptr || fstat(fd, &file) != 0) return false;
  return fmt::format("{}:{}", file.st_dev, file.st_ino) == journal_stream;
}

Journal::Journal(std::string socket_path)
    : path_(std::move(socket_path)), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

bool Journal::send(std::span<const JournalField> fields) const {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path_.size() >= sizeof address.sun_path) return false;
  std::ranges::copy(path_, std::begin(address.sun_path));
  const std::string entry = journal_entry(fields);
  const ssize_t sent = sendto(fd_.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return sent == static_cast<ssize_t>(entry.size());
}

}  // namespace anubis::base
