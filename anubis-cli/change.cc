#include "anubis-cli/change.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"
#include "lib/base/fd.h"
#include "lib/base/wiped_bytes.h"
#include "lib/config/edit.h"
#include "lib/crypto/keys.h"

namespace anubis::cli {
namespace {

constexpr std::size_t kMostOfEntry = 64 << 10;

}  // namespace

Failure failure_of(const base::Error& error) {
  return {error.code == base::ErrorCode::kPermission ? control::NOT_PERMITTED : control::FAILED, error.message};
}

Outcome<void> outcome_of(const base::Status& status) {
  if (!status) return tl::unexpected(failure_of(status.error()));
  return {};
}

Failure undo(config::Transaction& files, Failure failure) {
  const auto undone = files.undo();
  failure.message += undone ? "\nnothing was changed" : "\n" + undone.error().message;
  return failure;
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
  if (!config::is_taken(file)) return misplaced();
  auto text = read_text(file.string(), kMostOfEntry);
  if (!text) return text;
  if (text->size() > kMostOfEntry || config::count_tables_of(*text, name) != 1) return misplaced();
  return text;
}

void tell_of_key_files(const std::filesystem::path& file, std::string_view before, std::string_view after) {
  const auto folder = file.parent_path().parent_path();  // from where the configuration counts
  const auto still = config::key_files_of(after);
  for (const auto& each : config::key_files_of(before)) {
    if (std::ranges::find(still, each) != still.end()) continue;
    complain("its preshared key is still in " + (folder / each).string() + ": delete it, if it is of no other use");
  }
}

Outcome<Force> put_into_force(const Context& context, const config::Config& config, int interrupt) {
  control::Command command;
  command.mutable_reload();
  const auto done =
      exchange(socket_of(context, config), command, kReloadPatience, [](const control::Response&) {}, interrupt);
  if (done) return Force::kByNow;
  if (done.error().status == control::NOT_RUNNING) return Force::kOnceItStarts;
  return tl::unexpected(done.error());
}

HeldSignals::HeldSignals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&held, signal);  // one that is ignored would be kept all the same
  }
  sigprocmask(SIG_BLOCK, &held, &before_);  // cannot fail: neither the set nor the verb is wrong
  fd_ = base::Fd(signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));  // never read: they end us in the end
}

HeldSignals::~HeldSignals() {
  std::fflush(stdout);  // what was done is told before a signal that came ends us
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Change::~Change() { (void)undo({}); }

Outcome<void> Change::create_entry(std::string_view name, std::string_view text) {
  const auto file = conf_d_file(config_, name);
  if (auto folder = files_.make_folder(file.parent_path()); !folder) return outcome_of(folder);
  return outcome_of(files_.create_file(file, text));
}

Outcome<Force> Change::put_into_force() {
  auto loaded = config::load(config_);
  if (!loaded) return tl::unexpected(failure_of(loaded.error()));
  in_force_ = std::move(*loaded);
  return cli::put_into_force(context_, *in_force_, signals_.fd());
}

void Change::keep() {
  files_.keep();
  in_force_.reset();
}

Failure Change::undo(Failure failure) {
  failure = cli::undo(files_, std::move(failure));
  // The daemon may have read it before whatever failed. If it refuses again there is nothing more to be said.
  if (in_force_) (void)cli::put_into_force(context_, *in_force_, signals_.fd());
  in_force_.reset();
  return failure;
}

Outcome<base::SecretText> read_secret_text(const std::string& file, std::size_t most) {
  base::Fd opened;
  int fd = STDIN_FILENO;
  if (file != "-") {
    opened = base::Fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened) return tl::unexpected(failure_of(base::system_error(errno, "cannot open " + file)));
    fd = opened.get();
  } else if (isatty(fd) != 0) {
    complain("reading from the terminal; end with Ctrl-D");
  }
  base::SecretText text;
  base::WipedBytes chunk(4096);
  while (text.view().size() <= most) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(failure_of(base::system_error(errno, "cannot read " + file)));
    if (got == 0) break;
    text.append({reinterpret_cast<const char*>(chunk.data()), static_cast<std::size_t>(got)});
  }
  return text;
}

Outcome<std::string> read_text(const std::string& file, std::size_t most) {
  const auto text = read_secret_text(file, most);
  if (!text) return tl::unexpected(text.error());
  return std::string(text->view());
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
