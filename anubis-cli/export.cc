#include "lib/interop/export.h"

#include <algorithm>

#include "anubis-cli/change.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "lib/config/wg_quick.h"
#include "lib/config/write.h"

namespace anubis::cli {

int export_peer(const Context&, const ExportOptions& options) {
  const auto config = load_configuration(options.config);
  if (!config) return report(config.error());
  const auto peer = std::ranges::find(config->peers, options.name, &model::Peer::name);
  if (peer == config->peers.end()) {
    return report({control::NO_SUCH_PEER,
                   "the configuration has no peer " + options.name + "; those that there are: anubis peers"});
  }
  const auto text = config::format_wg_quick(interop::export_tunnel(*config, *peer));
  if (options.output.empty()) {
    complain("what follows holds this host's private key");
    if (!print_secret(text.view())) return report({control::FAILED, "cannot write to standard output"});
  } else {
    if (auto written = config::create_file(options.output, text.view(), config::kSecretMode); !written) {
      return report(failure_of(written.error()));
    }
    print_line("made " + options.output + ", with this host's private key: keep it to yourself");
  }
  if (!peer->is_plain) {
    complain(peer->name + " runs Anubis: while it has this host down, such a tunnel gets no answer");
  }
  return control::DONE;
}

}  // namespace anubis::cli
