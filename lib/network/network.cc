#include "lib/network/network.h"

namespace anubis::network {

base::Status all_in_place(std::span<const Failure> failures) {
  if (failures.empty()) return {};
  base::Error error = failures.front().error;
  if (failures.size() > 1) error.message += " (and " + std::to_string(failures.size() - 1) + " more failed)";
  return base::fail(std::move(error));
}

}  // namespace anubis::network
