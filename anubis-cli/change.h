// Changes to this host's configuration: files that are written with care, checked as anubisd would, and put into force.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "anubis-cli/commands.h"
#include "anubis-cli/failure.h"
#include "lib/base/result.h"
#include "lib/config/config.h"

namespace anubis::cli {

// The exit status that an error of a library stands for: 7 without permission, else 1.
[[nodiscard]] Failure failure_of(const base::Error& error);

// The configuration as it stands. When it is not there, the sentence says how it is made.
Outcome<config::Config> load_configuration(const std::filesystem::path& file);

// CONFIG's conf.d/NAME.toml.
[[nodiscard]] std::filesystem::path conf_d_file(const std::filesystem::path& config, std::string_view name);

// How many tables the text of a file of conf.d has, where all of them are the [[peer]] and the [[invitation]] NAME, as
// our commands write them; else 0.
[[nodiscard]] std::size_t tables_of(std::string_view text, std::string_view name);

// The text of a file of conf.d that holds the [[peer]] NAME and no other table, so that a line behind it is the peer's,
// and another text can take its place.
Outcome<std::string> read_entry(const std::string& name, const std::filesystem::path& file);

// Where CONFIG's daemon listens: as --socket says, else as the configuration does.
[[nodiscard]] std::string socket_of(const Context& context, const config::Config& config);

enum class Force {
  kByNow,         // the daemon has read it
  kOnceItStarts,  // no daemon is running
};

// Has the daemon, if it runs, read its configuration again.
Outcome<Force> put_into_force(const Context& context, const config::Config& config);

// Makes FILE, which must not exist; puts it into force. Whatever fails, the file is gone again, and the daemon has what
// it had before.
Outcome<Force> add_file(const Context& context, const std::filesystem::path& config, const std::filesystem::path& file,
                        std::string_view text);

// Puts AFTER in the place of BEFORE in FILE; puts it into force. Whatever fails, FILE has BEFORE again, and the daemon
// what it had before.
Outcome<Force> change_file(const Context& context, const std::filesystem::path& config,
                           const std::filesystem::path& file, std::string_view before, std::string_view after);

// What stands in FILE, or on standard input when that is "-"; at most MOST bytes and one.
Outcome<std::string> read_text(const std::string& file, std::size_t most);

// Asks at the terminal, even when standard input is something else. USAGE when there is no terminal to ask at: --yes
// answers beforehand.
Outcome<bool> confirm(std::string_view question);

}  // namespace anubis::cli
