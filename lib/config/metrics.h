// What [metrics] says. Internal to lib/config.
#pragma once

#include "lib/config/section.h"
#include "lib/model/metrics.h"

namespace anubis::config {

[[nodiscard]] model::Metrics read_metrics(Section& section);

}  // namespace anubis::config
