// Changes to this host's configuration: files that are written with care, checked as anubisd would, and put into force.
#pragma once

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "anubis-cli/commands.h"
#include "anubis-cli/failure.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/base/secret_text.h"
#include "lib/config/config.h"
#include "lib/config/transaction.h"

namespace anubis::cli {

// The exit status that an error of a library stands for: 7 without permission, else 1.
[[nodiscard]] Failure failure_of(const base::Error& error);
Outcome<void> outcome_of(const base::Status& status);

// FAILURE, and behind it that nothing was changed, or what was that could not be undone.
[[nodiscard]] Failure undo(config::Transaction& files, Failure failure);

// The configuration as it stands. When it is not there, the sentence says how it is made.
Outcome<config::Config> load_configuration(const std::filesystem::path& file);

// CONFIG's conf.d/NAME.toml.
[[nodiscard]] std::filesystem::path conf_d_file(const std::filesystem::path& config, std::string_view name);

// The text of a file of conf.d that holds the [[peer]] NAME and no other table, so that a line behind it is the peer's,
// and another text can take its place.
Outcome<std::string> read_entry(const std::string& name, const std::filesystem::path& file);

// Tells which files of preshared keys were named in FILE as it was BEFORE, and AFTER are not. They are the user's to
// delete: others may name them, too.
void tell_of_key_files(const std::filesystem::path& file, std::string_view before, std::string_view after);

// Where CONFIG's daemon listens: as --socket says, else as the configuration does.
[[nodiscard]] std::string socket_of(const Context& context, const config::Config& config);

enum class Force {
  kByNow,         // the daemon has read it
  kOnceItStarts,  // no daemon is running
};

// Has the daemon, if it runs, read its configuration again. What can be read from INTERRUPT ends the waiting.
Outcome<Force> put_into_force(const Context& context, const config::Config& config, int interrupt = -1);

// While it lives the signals that would end us wait, so that no change is left half made.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Can be read from once one has come.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  sigset_t before_{};
  base::Fd fd_;
};

// Files that are made or changed together, and put into force. What was not kept is undone when it goes, whatever the
// reason, a signal included: the files are as they were, and so is what the daemon has read.
class Change {
 public:
  Change(const Context& context, std::filesystem::path config) : context_(context), config_(std::move(config)) {}
  ~Change();
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  [[nodiscard]] config::Transaction& files() { return files_; }
  // conf.d/NAME.toml, which must not exist.
  Outcome<void> create_entry(std::string_view name, std::string_view text);

  // Checks the configuration as anubisd would, and has it read it. A signal ends the waiting.
  Outcome<Force> put_into_force();

  void keep();
  [[nodiscard]] Failure undo(Failure failure);

 private:
  const Context& context_;
  std::filesystem::path config_;
  HeldSignals signals_;
  config::Transaction files_;
  std::optional<config::Config> in_force_;  // as far as the daemon may know; none once it is kept
};

// What stands in FILE, or on standard input when that is "-"; at most MOST bytes and a few.
Outcome<base::SecretText> read_secret_text(const std::string& file, std::size_t most);
Outcome<std::string> read_text(const std::string& file, std::size_t most);

// Asks at the terminal, even when standard input is something else. USAGE when there is no terminal to ask at: --yes
// answers beforehand.
Outcome<bool> confirm(std::string_view question);

}  // namespace anubis::cli
