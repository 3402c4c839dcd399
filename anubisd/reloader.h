// Reads the configuration again while the daemon runs. Only the peers change; a file with errors changes nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "anubisd/background.h"
#include "lib/config/config.h"

namespace anubis::daemon {

class Reloader {
 public:
  // Takes the new peers over; the error, if any, is for whoever asked.
  using Apply = std::function<base::Result<std::string>(std::vector<model::Peer> peers)>;
  using Answer = std::function<void(const base::Result<std::string>& message)>;

  // running must outlive it.
  Reloader(Loop& loop, std::filesystem::path file, const config::Config& running, Apply apply)
      : background_(loop, 1), file_(std::move(file)), running_(running), apply_(std::move(apply)) {}

  // Answers on the loop, never before this returns. Who asks while a file is being read gets a reading of his own: the
  // file may have changed since.
  void reload(Answer answer);

 private:
  void begin();
  void loaded(base::Result<config::Config> fresh);

  Background background_;
  std::filesystem::path file_;
  const config::Config& running_;
  Apply apply_;
  std::vector<Answer> waiting_;
  std::vector<Answer> next_;
};

// Which sections of the configuration differ and need a restart: "name", "[production]", "[side]", "[control]".
[[nodiscard]] std::vector<std::string> restart_needed(const config::Config& running, const config::Config& fresh);

}  // namespace anubis::daemon
