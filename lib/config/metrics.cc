#include "lib/config/metrics.h"

#include <limits>

#include <fmt/format.h>

namespace anubis::config {
namespace {

base::Result<model::Endpoint> parse_loopback_endpoint(std::string_view text) {
  const auto parsed = model::HostPort::parse(text);
  const auto address = parsed ? parsed->literal() : std::nullopt;
  if (!address || !parsed->port || !address->is_loopback()) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("\"{}\" is no address of the loopback interface with a port, such as "
                                  "\"127.0.0.1:9586\"; others may read what is told there, so put a proxy that knows "
                                  "them before it",
                                  text));
  }
  return model::Endpoint{.address = *address, .port = *parsed->port};
}

}  // namespace

model::Metrics read_metrics(Section& section) {
  model::Metrics metrics;
  if (const auto listen = section.parsed("listen", parse_loopback_endpoint)) metrics.listen = listen->value;
  if (const auto most = section.integer("max_peers", 0, std::numeric_limits<std::int32_t>::max())) {
    metrics.max_peers = static_cast<std::uint32_t>(most->value);
  }
  section.finish();
  return metrics;
}

}  // namespace anubis::config
