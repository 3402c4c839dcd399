#include "lib/interop/import.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/host_files.h"
#include "anubis-cli/output.h"
#include "lib/base/random.h"
#include "lib/config/transaction.h"
#include "lib/config/values.h"
#include "lib/config/wg_quick.h"

namespace anubis::cli {
namespace {

Outcome<std::string> interface_of(const ImportOptions& options) {
  constexpr std::string_view kWhatToDo = "say which interface it is to be, as in --interface wg0";
  const std::filesystem::path file(options.file);
  const std::filesystem::path extension = file.extension();
  const bool is_told = !options.interface.empty();
  if (!is_told && !extension.empty() && extension != ".conf") {
    return tl::unexpected(
        Failure{control::FAILED, fmt::format("{} is not called INTERFACE.conf; {}", options.file, kWhatToDo)});
  }
  const auto name = config::parse_interface(is_told ? options.interface : file.stem().string());
  if (name) return *name;
  return tl::unexpected(Failure{
      control::FAILED, is_told ? name.error().message : fmt::format("{}; {}", name.error().message, kWhatToDo)});
}

enum class Keys : std::uint8_t { kOfTheFile, kDummies };

// The configuration last: as long as it is not there, nobody reads the rest.
base::Status write_all(const interop::Import& import, Keys keys, const std::filesystem::path& configuration,
                       config::Transaction& made) {
  const auto folder = configuration.parent_path();
  if (auto status = made.make_folder(folder / "conf.d"); !status) return status;
  base::SystemRandom random;
  for (const auto& each : import.keys) {
    const auto dummy = crypto::generate_private_key(random);
    const auto key = keys == Keys::kDummies ? dummy.view() : each.key.view();
    if (auto status = made.create_key_file(folder / each.file, key); !status) return status;
  }
  const auto side_key = crypto::generate_private_key(random);
  if (auto status = made.create_key_file(folder / import.side_key_file, side_key.view()); !status) return status;
  for (const auto& peer : import.peers) {
    if (auto status = made.create_file(conf_d_file(configuration, peer.name), peer.entry); !status) return status;
  }
  if (auto status = made.create_file(configuration, import.configuration); !status) return status;
  const auto loaded = config::load(configuration);
  return loaded ? base::Status() : base::fail(loaded.error());
}

// Writes it all into a folder of its own, without the keys, and reads it as anubisd would: what is wrong with it shows
// before anything is made, and in a dry run, too.
base::Status try_out(const interop::Import& import, const ImportOptions& options) {
  std::error_code error;
  std::string folder = (std::filesystem::temp_directory_path(error) / "anubis-import.XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr)  // for us alone
    return base::fail_errno(error ? error.value() : errno, "cannot make a folder for temporary files");
  base::Status status;
  {
    config::Transaction made;
    status = write_all(import, Keys::kDummies, std::filesystem::path(folder) / "anubis.toml", made);
  }
  std::filesystem::remove(folder, error);
  if (status) return status;
  std::string& message = status.error().message;
  const std::string real = std::filesystem::path(options.config).parent_path().string();
  for (auto at = message.find(folder); at != std::string::npos; at = message.find(folder, at + real.size()))
    message.replace(at, folder.size(), real);
  return base::fail(std::move(status.error()).within("no configuration can be made of " + options.file));
}

void print_all(const interop::Import& import, const std::filesystem::path& configuration) {
  const auto folder = configuration.parent_path();
  const auto print_file = [](const std::filesystem::path& file, const std::string& text) {
    print_line(fmt::format("#### {}\n{}", file.string(), text));
  };
  print_file(configuration, import.configuration);
  for (const auto& peer : import.peers) print_file(conf_d_file(configuration, peer.name), peer.entry);
  for (const auto& key : import.keys)
    print_line(fmt::format("#### {}: a key, not shown", (folder / key.file).string()));
  print_line(fmt::format("#### {}: a key, to be drawn", (folder / import.side_key_file).string()));
}

std::string peers_made(const interop::Import& import) {
  constexpr std::size_t kMostNamed = 8;
  std::string names;
  for (std::size_t i = 0; i < import.peers.size() && i < kMostNamed; ++i)
    names.append(names.empty() ? "" : ", ").append(import.peers[i].name);
  if (import.peers.size() > kMostNamed) names += ", …";
  if (names.empty()) return "no peers";
  return fmt::format("{} peer{} ({})", import.peers.size(), import.peers.size() == 1 ? "" : "s", names);
}

void tell_what_is_next(const interop::Import& import, const std::string& interface) {
  const bool is_up = if_nametoindex(interface.c_str()) != 0;
  if (is_up && import.is_as_it_stands) {
    print_line(fmt::format("{} stays up as it is: anubisd takes it over with its peers, and nothing is interrupted",
                           interface));
  }
  print_line(
      fmt::format("next: sudo systemctl disable wg-quick@{} (not stop, which would take {} down), then sudo "
                  "systemctl enable --now anubisd",
                  interface, interface));
  if (import.peers.empty()) return;
  const std::string& name = import.peers.front().name;
  if (!is_up) print_line(fmt::format("next: anubis up {} --persist, and so with each that is to be up always", name));
  print_line(fmt::format(
      "no Anubis runs on these peers as far as is known (plain = true), so up and down are done at this end "
      "alone; once it runs on {}: sudo anubis card there, sudo anubis trust --name {} here",
      name, name));
}

}  // namespace

int import_file(const Context&, const ImportOptions& options) {
  crypto::initialise();
  const std::filesystem::path configuration = options.config;
  const auto interface = interface_of(options);
  if (!interface) return report(interface.error());
  const auto text = read_secret_text(options.file, config::kMaxWgQuickSize);
  if (!text) return report(text.error());
  const auto import = interop::import_wg_quick(
      text->view(), {.file = options.file, .interface = *interface, .host = name_of_this_host()});
  if (!import) return report(failure_of(import.error()));
  const HeldSignals held;
  if (auto status = try_out(*import, options); !status) return report(failure_of(status.error()));
  const bool is_there = config::is_taken(configuration);
  if (options.dry_run) {
    print_all(*import, configuration);
    for (const auto& note : import->notes) complain("mind: " + note);
    if (is_there) complain(fmt::format("mind: {} exists already: it would stay as it is", configuration.string()));
    return control::DONE;
  }
  if (is_there) {
    return report(
        {control::FAILED, fmt::format("{} exists already and stays as it is; nothing was changed\na host has one "
                                      "production interface: leave {} to wg-quick, or make its peers this one's, who "
                                      "need this host's public key (anubis card), with a file each in {}\nto see what "
                                      "{} would become: anubis import --dry-run {}",
                                      configuration.string(), *interface,
                                      (configuration.parent_path() / "conf.d").string(), options.file, options.file)});
  }
  config::Transaction made;
  if (auto status = write_all(*import, Keys::kOfTheFile, configuration, made); !status)
    return report(undo(made, failure_of(status.error())));
  made.keep();
  print_line(fmt::format("made {} and the keys beside it from {}", configuration.string(), options.file));
  print_line(fmt::format("made {} in {}", peers_made(*import), (configuration.parent_path() / "conf.d").string()));
  for (const auto& note : import->notes) complain("mind: " + note);
  tell_what_is_next(*import, *interface);
  return control::DONE;
}

}  // namespace anubis::cli
