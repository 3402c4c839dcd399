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
  const std::filesystem::path configuration = options.config;
  const HostFiles files = host_files(configuration, name);
  // All or nothing: before anything is made it is known that nothing stands in the way.
  for (const auto& file : {configuration, files.key, files.side_key}) {
    if (!config::is_taken(file)) continue;
    if (access(configuration.parent_path().c_str(), W_OK) != 0) break;  // which the first file to be made tells better
    return report(
        {control::FAILED, file.string() + " exists already and stays as it is; nothing was changed\n" +
                              (file == configuration ? "this host's card: anubis card"
                                                     : "it is the key of this host's that is to be called " + name +
                                                           "; choose another name with --name, or move it away")});
  }
  const HeldSignals held;
  config::Transaction made;
  if (auto keys = make_missing_keys(files, made); !keys) return report(keys.error());
  const std::string text = identity::host_toml({.name = name,
                                                .key_file = files.key.string(),
                                                .side_key_file = files.side_key.string(),
                                                .addresses = options.addresses,
                                                .endpoint = options.endpoint});
  if (auto host = make_configuration(configuration, text, made); !host) return report(host.error());
  made.keep();
  print_line("made " + files.key.string() + " and " + files.side_key.string() + ", this host's two private keys");
  print_line("made " + configuration.string() + ", in which this host is called " + name);
  if (options.addresses.empty()) {
    print_line("next: give it an address in the tunnel: addresses = [...] in " + configuration.string());
  }
  print_line("next: sudo systemctl enable --now anubisd");
  print_line(
      "next: sudo anubis card, and on the other host sudo anubis trust with what that prints; then the same from there "
      "to here");
  return control::DONE;
}

}  // namespace anubis::cli
