// Remembers sessions for the next daemon, in a file: who wished them, when their leases end, what was under way. Each
// change is in the file when remember() returns, so that no kill can make us forget what we did; a wish that shall
// outlive the machine's boot is on the disk. Never fatal: a daemon that cannot remember is worse off only after a
// restart.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "anubisd/session_store.h"
#include "anubisd/timer.h"
#include "lib/base/fd.h"
#include "lib/gate/action.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class SessionMemory {
 public:
  // directory must outlive it. The file's folder must exist when load() is called.
  SessionMemory(Loop& loop, const model::PeerDirectory& directory, std::filesystem::path file);

  // What the daemon before has left of the peers that are in the directory. Before it nothing is written.
  [[nodiscard]] RememberedSessions load(base::Time now);
  void remember(const gate::RememberSession& session);

 private:
  [[nodiscard]] RememberedSessions read(base::Time now);
  // The whole of it, without what is no longer true.
  void rewrite();
  void append(const std::string& line, bool to_disk);
  void note(const base::Status& written);

  const model::PeerDirectory& directory_;
  const std::filesystem::path file_;
  std::string boot_id_;
  base::Fd journal_;  // none: it is to be written as a whole
  std::size_t lines_ = 0;
  RememberedSessions sessions_;
  // The directory may have dropped a peer by the time that its session is forgotten.
  std::unordered_map<model::PeerIndex, crypto::ProductionPublicKey> keys_;
  bool failing_ = false;
  Timer retry_;
};

}  // namespace anubis::daemon
