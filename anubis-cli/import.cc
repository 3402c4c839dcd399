#include "lib/interop/import.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/host_files.h"
#include "anubis-cli/output.h"
#include "lib/base/fd.h"
#include "lib/base/random.h"
#include "lib/base/secret_text.h"
#include "lib/base/wiped_bytes.h"
#include "lib/config/wg_quick.h"
#include "lib/config/write.h"
#include "lib/identity/template.h"

namespace anubis::cli {
namespace {

Outcome<base::SecretText> read_secret_text(const std::string& file) {
  const base::Fd opened(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!opened) return tl::unexpected(failure_of(base::system_error(errno, "cannot open " + file)));
  base::SecretText text;
  base::WipedBytes chunk(4096);
  while (text.view().size() <= config::kMaxWgQuickSize) {
    const ssize_t got = read(opened.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(failure_of(base::system_error(errno, "cannot read " + file)));
    if (got == 0) break;
    text.append({reinterpret_cast<const char*>(chunk.data()), static_cast<std::size_t>(got)});
  }
  return text;
}

std::string own_name() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);  // cannot fail: HOST_NAME_MAX is 64
  return identity::fit_name(host.data());
}

std::string interface_of(const ImportOptions& options) {
  if (!options.interface.empty()) return options.interface;
  return std::filesystem::path(options.file).stem().string();
}

// All that was made so far, to be taken away again should anything fail.
class Made {
 public:
  base::Status key(const std::filesystem::path& file, std::span<const std::uint8_t, crypto::kKeySize> key) {
    const auto text = crypto::format_secret(key);
    return note(file, config::create_file(file, text.view(), config::kSecretMode));
  }
  base::Status text(const std::filesystem::path& file, const std::string& text) {
    return note(file, config::create_file(file, text));
  }
  void take_back() {
    for (const auto& file : files_) (void)config::remove_file(file);
  }

 private:
  base::Status note(const std::filesystem::path& file, base::Status status) {
    if (status) files_.push_back(file);
    return status;
  }

  std::vector<std::filesystem::path> files_;
};

// The configuration last: as long as it is not there, nobody reads the rest.
base::Status write_all(const interop::Import& import, const std::filesystem::path& configuration, Made& made) {
  const auto folder = configuration.parent_path();
  if (auto status = config::make_folder(folder / "conf.d"); !status) return status;
  for (const auto& each : import.keys) {
    if (auto status = made.key(folder / each.file, each.key.view()); !status) return status;
  }
  base::SystemRandom random;
  const auto side_key = crypto::generate_private_key(random);
  if (auto status = made.key(folder / import.side_key_file, side_key.view()); !status) return status;
  for (const auto& peer : import.peers) {
    if (auto status = made.text(conf_d_file(configuration, peer.name), peer.entry); !status) return status;
  }
  if (auto status = made.text(configuration, import.configuration); !status) return status;
  const auto loaded = config::load(configuration);
  return loaded ? base::Status() : base::fail(loaded.error());
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
  if (is_up) {
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
  const std::string interface = interface_of(options);
  const auto text = read_secret_text(options.file);
  if (!text) return report(text.error());
  const auto import =
      interop::import_wg_quick(text->view(), {.file = options.file, .interface = interface, .host = own_name()});
  if (!import) return report(failure_of(import.error()));
  if (options.dry_run) {
    print_all(*import, configuration);
    for (const auto& note : import->notes) complain("mind: " + note);
    return control::DONE;
  }
  if (std::filesystem::symlink_status(configuration).type() != std::filesystem::file_type::not_found) {
    return report(
        {control::FAILED, fmt::format("{} exists already and stays as it is; nothing was changed\nto see what {} "
                                      "would become: anubis import --dry-run {}",
                                      configuration.string(), options.file, options.file)});
  }
  Made made;
  if (auto status = write_all(*import, configuration, made); !status) {
    made.take_back();
    auto failure = failure_of(status.error());
    failure.message += "\nnothing was changed";
    return report(failure);
  }
  print_line(fmt::format("made {} and the keys beside it from {}", configuration.string(), options.file));
  print_line(fmt::format("made {} in {}", peers_made(*import), (configuration.parent_path() / "conf.d").string()));
  for (const auto& note : import->notes) complain("mind: " + note);
  tell_what_is_next(*import, interface);
  return control::DONE;
}

}  // namespace anubis::cli
