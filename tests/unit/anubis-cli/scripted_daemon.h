// A daemon that plays a script over a real Unix socket: for each connection it reads the command and answers with the
// bytes that it was given, whatever they are.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control.pb.h"
#include "lib/base/fd.h"

namespace anubis::cli {

// A directory of its own, removed with what is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A socket that listens at PATH with a queue of BACKLOG, and one that is connected to it.
[[nodiscard]] base::Fd listen_at(const std::string& path, int backlog);
[[nodiscard]] base::Fd connect_to(const std::string& path);

class ScriptedDaemon {
 public:
  enum class Then { kClose, kStayOpen };
  struct Scene {
    std::string bytes;
    Then then = Then::kClose;
  };

  // Listens at PATH. Plays a scene a connection, the last one again and again.
  ScriptedDaemon(const std::string& path, std::vector<Scene> scenes);
  ScriptedDaemon(const ScriptedDaemon&) = delete;
  ScriptedDaemon& operator=(const ScriptedDaemon&) = delete;
  // Closes all connections and removes the socket.
  ~ScriptedDaemon();

  // What the clients asked for so far.
  [[nodiscard]] std::vector<control::Command> commands() const;

 private:
  void run();
  void play(int fd, const Scene& scene);
  bool wait_readable(int fd) const;

  std::string path_;
  std::vector<Scene> scenes_;
  base::Fd listener_;
  base::Fd stop_;  // an eventfd: readable once all must end
  mutable std::mutex mutex_;
  std::vector<control::Command> commands_;  // guarded by mutex_
  std::thread thread_;
};

// RESPONSES as the daemon sends them, each in its frame.
[[nodiscard]] std::string framed(const std::vector<control::Response>& responses);

[[nodiscard]] control::Response host(const std::string& name, const std::string& degraded = "");
[[nodiscard]] control::Response peer(const std::string& name, const std::string& state, const std::string& reason = "");
[[nodiscard]] control::Response done();
[[nodiscard]] control::Response done(control::ExitStatus status, const std::string& message);

}  // namespace anubis::cli
