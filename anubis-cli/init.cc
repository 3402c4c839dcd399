#include <span>
#include <string>

#include <unistd.h>

#include "anubis-cli/change.h"
#include "anubis-cli/host_files.h"
#include "anubis-cli/output.h"
#include "lib/config/name.h"
#include "lib/identity/template.h"

namespace anubis::cli {

int init(const Context&, const InitOptions& options) {
  crypto::initialise();
  const std::string name = options.name.empty() ? name_of_this_host() : options.name;
  const std::filesystem::path config = options.config;
  const HostFiles files = host_files(config, name);
  // All or nothing: before anything is made it is known that nothing stands in the way.
  for (const auto& file : {config, files.key, files.side_key}) {
    if (!is_taken(file)) continue;
    if (access(config.parent_path().c_str(), W_OK) != 0) break;  // which the first file to be made tells better
    return report({control::FAILED, file.string() + " exists already and stays as it is; nothing was changed\n" +
                                        (file == config ? "this host's card: anubis card"
                                                        : "it is the key of this host's that is to be called " + name +
                                                              "; choose another name with --name, or move it away")});
  }
  const HeldSignals held;
  if (auto made = make_keys(files); !made) return report(made.error());
  const std::string text = identity::host_toml({.name = name,
                                                .key_file = files.key.string(),
                                                .side_key_file = files.side_key.string(),
                                                .addresses = options.addresses,
                                                .endpoint = options.endpoint});
  if (auto made = make_configuration(config, text); !made) {
    remove_keys(files);
    return report(made.error());
  }
  print_line("made " + files.key.string() + " and " + files.side_key.string() + ", this host's two private keys");
  print_line("made " + config.string() + ", in which this host is called " + name);
  if (options.addresses.empty()) {
    print_line("next: give it an address in the tunnel: addresses = [...] in " + config.string());
  }
  print_line("next: sudo systemctl enable --now anubisd");
  print_line(
      "next: sudo anubis card, and on the other host sudo anubis trust with what that prints; then the same from there "
      "to here");
  return control::DONE;
}

}  // namespace anubis::cli
