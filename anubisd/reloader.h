// Reads the configuration again while the daemon runs. Only the peers change; a file with errors changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "anubisd/loop.h"
#include "anubisd/netd/netd.h"
#include "lib/base/result.h"

namespace anubis::daemon {

class Reloader {
 public:
  // Takes the new peers over; the error, if any, is for whoever asked.
  using Apply = std::function<base::Result<std::string>(netd::Reloaded reloaded)>;
  using Answer = std::function<void(const base::Result<std::string>& message)>;

  // source must outlive it.
  Reloader(Loop& loop, netd::PeerSource& source, Apply apply)
      : source_(source), apply_(std::move(apply)), loaded_(loop, source.reload_fd()) {}

  // Who asks while a file is being read gets a reading of his own: the file may have changed since.
  void reload(Answer answer);

 private:
  void begin();
  void loaded();
  void finish(const base::Result<std::string>& message);

  netd::PeerSource& source_;
  Apply apply_;
  std::vector<Answer> waiting_;
  std::vector<Answer> next_;
  Watch loaded_;
};

}  // namespace anubis::daemon
