// Reading configuration files. Internal to lib/config.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/report.h"

namespace anubis::config {

// The contents of a regular file of at most 64 MiB; warns when group or others may write to it.
base::Result<std::string> read_file(const std::filesystem::path& file, Report& report);

// The *.toml files of a folder, sorted by name, hidden ones left out. A folder that does not exist has none.
base::Result<std::vector<std::filesystem::path>> list_toml_files(const std::filesystem::path& folder, Report& report);

}  // namespace anubis::config
