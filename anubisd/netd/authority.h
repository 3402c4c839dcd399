// What anubis-netd knows itself, so that it need not believe anubisd: who is authorised, with which keys and where.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anubisd/netd/netd.h"
#include "anubisd/netd/public_config.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/crypto/sealing.h"
#include "lib/model/directory.h"

namespace anubis::netd {

class Authority {
 public:
  // Reads the configuration and its key files, and logs its warnings.
  static base::Result<std::unique_ptr<Authority>> load(std::filesystem::path file);
  // With what was read from the file before.
  static base::Result<std::unique_ptr<Authority>> create(std::filesystem::path file, config::Config config);

  // Without its peers, which are in the directory. Of a reload it takes over [roaming] alone.
  [[nodiscard]] const config::Config& config() const { return config_; }
  [[nodiscard]] const model::PeerDirectory& directory() const { return directory_; }
  [[nodiscard]] PublicConfig public_config() const;

  // kNotFound: nobody with that index is authorised, or it has no companion.
  base::Result<crypto::MessageKeys> derive_message_keys(PeerIndex peer, model::Speaker speaker,
                                                        crypto::Suite suite) const;
  // kNotFound, too; kPermission: the peer's tunnel on that interface may not lead there. It may lead to the address
  // that the configuration gives, or, where that gives a name or nothing, to any that a peer can have; and to the port
  // that the configuration gives, or one of endpoint_ports, or, of a roamer, to any.
  base::Status check_endpoint(PeerIndex peer, Interface which, const model::Endpoint& endpoint) const;

  // Whether this server may have what is the client's, or, with none, whether the client may have it itself:
  // kNotFound, kPermission as Netd::carry().
  base::Status check_carriage(PeerIndex client, std::optional<PeerIndex> server) const;

  // As PeerSource::enrol(). Everything is checked here, by what this process has read itself.
  base::Status enrol(PeerIndex invitation, const Newcomer& newcomer);

  // In the background; kBusy: one is under way, or was not taken yet.
  base::Status begin_reload();
  // Readable when it can be taken.
  [[nodiscard]] int loaded_fd() const;
  struct Reload {
    std::vector<std::string> restart_needed;  // as in Reloaded
    base::Status applied;
  };
  // Puts the new set into the directory, then calls apply. kBusy: nothing to be taken. A file with errors changes
  // nothing, and neither it nor the interfaces hear of it.
  base::Result<Reload> take_reload(const std::function<base::Status(const model::DirectoryChanges&)>& apply);

 private:
  struct Loading;
  [[nodiscard]] bool is_known(const crypto::PublicKey& key) const;
  Authority(std::filesystem::path file, config::Config config, std::shared_ptr<Loading> loading);

  const std::filesystem::path file_;
  config::Config config_;
  model::InMemoryDirectory directory_;
  // Who has joined and is not in the configuration that was read last, by the invitation's name.
  std::map<std::string, Newcomer> joined_;
  std::shared_ptr<Loading> loading_;  // shared with the thread that reads
};

// Which sections differ and need a restart.
[[nodiscard]] std::vector<std::string> restart_needed(const config::Config& running, const config::Config& fresh);

}  // namespace anubis::netd
