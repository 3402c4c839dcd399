// systemd's journal, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram an entry, made of
// fields that have names. libsystemd would do it, too, with a megabyte of libraries that these processes do without.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/fd.h"

namespace anubis::base {

struct JournalField {
  std::string_view name;  // capital letters, digits, underscores
  std::string_view value;
};

// The datagram. Values may hold anything, line feeds included; what is behind kMaxValue is cut.
[[nodiscard]] std::string journal_entry(std::span<const JournalField> fields);

class Journal {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";
  static constexpr std::size_t kMaxValue = 32 * 1024;  // a datagram may have 200 KiB at least; longer ones want a file

  // Whether that descriptor leads to the journal: systemd says in $JOURNAL_STREAM ("device:inode") what it made.
  [[nodiscard]] static bool is_behind(int fd, const char* journal_stream);

  // Nothing is connected: where the journal is started anew, the next entry finds it.
  explicit Journal(std::string socket_path);

  // Never waits. False: the journal takes nothing (at the moment: systemd lets 512 entries wait for it).
  [[nodiscard]] bool send(std::span<const JournalField> fields) const;

 private:
  std::string path_;
  Fd fd_;
};

}  // namespace anubis::base
