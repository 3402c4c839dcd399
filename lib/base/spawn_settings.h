// What posix_spawn is to do on the way to a new process: its own part is freed again, whatever becomes of the start.
#pragma once

#include <spawn.h>

namespace anubis::base {

class SpawnSettings {
 public:
  SpawnSettings();
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings();

  // A session of its own (what a terminal sends us does not reach it), no signal mask, no signal ignored. 0 or an
  // errno.
  [[nodiscard]] int detach();

  [[nodiscard]] posix_spawn_file_actions_t* actions() { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace anubis::base
