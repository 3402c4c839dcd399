#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "lib/config/write.h"

namespace anubis::cli {
namespace {

base::Status put(const std::string& file, const std::string& text) {
  auto status = config::replace_file(file, text);
  if (!status && status.error().code == base::ErrorCode::kNotFound) status = config::create_file(file, text);
  return status;
}

}  // namespace

int metrics(const Context& context, const MetricsOptions& options) {
  control::Command command;
  command.mutable_metrics();
  std::string text;
  const auto done = exchange(context.socket_path, command, kPatience, [&text](const control::Response& response) {
    if (response.has_metrics()) text += response.metrics().text();
  });
  if (!done) return report(done.error());
  if (options.output.empty()) {
    print(text);
    return control::DONE;
  }
  if (const auto status = put(options.output, text); !status) {
    complain(status.error().message);
    return status.error().code == base::ErrorCode::kPermission ? control::NOT_PERMITTED : control::FAILED;
  }
  return control::DONE;
}

}  // namespace anubis::cli
