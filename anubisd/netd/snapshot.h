// The authorised set on its way from anubis-netd to anubisd: a sealed file in memory (proto/netd.proto), so that its
// size does not matter to the channel and nobody can change it while it is read.
#pragma once

#include <string>
#include <vector>

#include "anubisd/netd/netd.h"
#include "anubisd/netd/public_config.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/model/directory.h"

namespace anubis::netd {

// Peers without their secrets, in the order of the configuration: put into a directory in the same order at both ends,
// they have the same indices there.
struct Snapshot {
  PublicConfig config;
  Reloaded set;
};

// restart_needed and applied: as in Reloaded.
[[nodiscard]] base::Result<base::Fd> write_snapshot(const PublicConfig& config, const model::PeerDirectory& directory,
                                                    const std::vector<std::string>& restart_needed = {},
                                                    const base::Status& applied = {});
// Instead of a snapshot: why there is none. For texts of any length.
[[nodiscard]] base::Result<base::Fd> write_failure(const base::Error& error);

// The failure, if it holds one. kInternal: the other program is of another build, or the file is no snapshot.
[[nodiscard]] base::Result<Snapshot> read_snapshot(const base::Fd& file);

}  // namespace anubis::netd
