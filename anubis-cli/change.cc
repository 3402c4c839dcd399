#include "anubis-cli/change.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"
#include "lib/base/fd.h"
#include "lib/config/write.h"
#include "lib/crypto/keys.h"

namespace anubis::cli {
namespace {

// A configuration of a million peers takes its time to be read.
constexpr std::chrono::milliseconds kReloadPatience{60'000};

constexpr std::size_t kMostOfEntry = 64 << 10;

}  // namespace

std::size_t tables_of(std::string_view text, std::string_view name) {
  const std::string named = fmt::format("name = \"{}\"", name);
  std::size_t tables = 0;
  std::size_t names = 0;
  for (std::size_t line = 0; line < text.size(); line = std::min(text.find('\n', line), text.size() - 1) + 1) {
    const std::string_view rest = text.substr(line);
    if (rest.starts_with('[')) {
      if (!rest.starts_with("[[peer]]") && !rest.starts_with("[[invitation]]")) return 0;
      ++tables;
    }
    if (rest.starts_with(named)) ++names;
  }
  return tables == names ? tables : 0;
}

Failure failure_of(const base::Error& error) {
  return {error.code == base::ErrorCode::kPermission ? control::NOT_PERMITTED : control::FAILED, error.message};
}

Outcome<config::Config> load_configuration(const std::filesystem::path& file) {
  crypto::initialise();
  // A user who may not read the keys would else be told of each file by itself.
  if (access(file.c_str(), F_OK) != 0 && errno == ENOENT) {
    return fail(control::FAILED, "there is no configuration " + file.string() + " yet; make one with: anubis init");
  }
  auto config = config::load(file);
  if (config) return std::move(*config);
  Failure failure = failure_of(config.error());
  if (geteuid() != 0) {
    failure.status = control::NOT_PERMITTED;
    failure.message += "\nthis command reads the keys; run it as root (sudo)";
  } else {
    failure.message += "\nnothing was changed";
  }
  return tl::unexpected(std::move(failure));
}

std::string socket_of(const Context& context, const config::Config& config) {
  return context.socket_path == kDefaultSocket ? config.control.socket.string() : context.socket_path;
}

std::filesystem::path conf_d_file(const std::filesystem::path& config, std::string_view name) {
  return config.parent_path() / "conf.d" / std::string(name).append(".toml");
}

Outcome<std::string> read_entry(const std::string& name, const std::filesystem::path& file) {
  const auto misplaced = [&] {
    return fail(
        control::FAILED,
        fmt::format("{} does not stand in {} by itself: put its [[peer]] there, then try again", name, file.string()));
  };
  if (!std::filesystem::exists(file)) return misplaced();
  auto text = read_text(file.string(), kMostOfEntry);
  if (!text) return text;
  if (text->size() > kMostOfEntry || tables_of(*text, name) != 1) return misplaced();
  if (!text->ends_with('\n')) text->push_back('\n');
  return text;
}

Outcome<Force> put_into_force(const Context& context, const config::Config& config) {
  control::Command command;
  command.mutable_reload();
  const auto done = exchange(socket_of(context, config), command, kReloadPatience, [](const control::Response&) {});
  if (done) return Force::kByNow;
  if (done.error().status == control::NOT_RUNNING) return Force::kOnceItStarts;
  return tl::unexpected(done.error());
}

namespace {

// Puts into force what was just written, or has undo() take it back. undo: () -> base::Status
template <class Undo>
Outcome<Force> put_into_force_or_undo(const Context& context, const std::filesystem::path& config, Undo undo) {
  const auto take_back = [&](Failure failure) -> Outcome<Force> {
    const base::Status undone = undo();
    failure.message += undone ? "\nnothing was changed" : "\n" + undone.error().message;
    return tl::unexpected(std::move(failure));
  };
  const auto loaded = config::load(config);
  if (!loaded) return take_back(failure_of(loaded.error()));
  auto force = put_into_force(context, *loaded);
  if (force) return force;
  auto taken_back = take_back(force.error());
  // It may have read the file before whatever failed. If it refuses again there is nothing more to be said.
  (void)put_into_force(context, *loaded);
  return taken_back;
}

}  // namespace

Outcome<Force> add_file(const Context& context, const std::filesystem::path& config, const std::filesystem::path& file,
                        std::string_view text) {
  if (auto made = config::make_folder(file.parent_path()); !made) return tl::unexpected(failure_of(made.error()));
  if (auto made = config::create_file(file, text); !made) return tl::unexpected(failure_of(made.error()));
  return put_into_force_or_undo(context, config, [&] { return config::remove_file(file); });
}

Outcome<Force> change_file(const Context& context, const std::filesystem::path& config,
                           const std::filesystem::path& file, std::string_view before, std::string_view after) {
  if (auto made = config::replace_file(file, after); !made) return tl::unexpected(failure_of(made.error()));
  return put_into_force_or_undo(context, config, [&] { return config::replace_file(file, before); });
}

Outcome<std::string> read_text(const std::string& file, std::size_t most) {
  base::Fd opened;
  int fd = STDIN_FILENO;
  if (file != "-") {
    opened = base::Fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened) return tl::unexpected(failure_of(base::system_error(errno, "cannot open " + file)));
    fd = opened.get();
  } else if (isatty(fd) != 0) {
    complain("reading from the terminal; end with Ctrl-D");
  }
  std::string text;
  while (text.size() <= most) {
    std::vector<char> chunk(4096);
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(failure_of(base::system_error(errno, "cannot read " + file)));
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

Outcome<bool> confirm(std::string_view question) {
  const base::Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) {
    return fail(control::USAGE, "there is no terminal to ask at; with --yes nothing is asked\nnothing was changed");
  }
  const std::string prompt = printable(question) + " [y/N] ";
  (void)!write(terminal.get(), prompt.data(), prompt.size());
  std::vector<char> line(64);
  const ssize_t got = read(terminal.get(), line.data(), line.size());
  return got > 0 && (line[0] == 'y' || line[0] == 'Y');
}

}  // namespace anubis::cli
