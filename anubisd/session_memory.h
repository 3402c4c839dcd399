// Remembers sessions that are up for the next daemon, in a file: who began them and when their leases end is not in the
// kernel. Never fatal: a daemon that cannot remember is worse off only after a restart.
#pragma once

#include <filesystem>
#include <string>

#include "anubisd/session_store.h"
#include "anubisd/timer.h"
#include "lib/gate/action.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class SessionMemory {
 public:
  // directory must outlive it. The file's folder must exist when load() is called.
  SessionMemory(Loop& loop, const model::PeerDirectory& directory, std::filesystem::path file);

  // What the daemon before has left, of this boot. Before it nothing is written.
  [[nodiscard]] RememberedSessions load(base::Time now);
  // Takes note, and writes a moment later: many changes at a time cost one writing.
  void remember(const gate::RememberSession& session);
  // Writes now what was not written yet.
  void flush();

 private:
  void write();

  const model::PeerDirectory& directory_;
  const std::filesystem::path file_;
  std::string boot_id_;
  // By index, as the directory may have dropped a peer by the time that its session is forgotten.
  struct Entry {
    crypto::ProductionPublicKey key;
    gate::Remembered facts;
  };
  std::unordered_map<model::PeerIndex, Entry> sessions_;
  base::Duration delay_;  // from a change to its writing
  bool failing_ = false;
  Timer timer_;
};

}  // namespace anubis::daemon
