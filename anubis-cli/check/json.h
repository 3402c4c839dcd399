// What a check found, for scripts: fields are added, never renamed or removed, while "schema" is 1. Pure.
#pragma once

#include <optional>
#include <string>

#include "anubis-cli/check/text.h"
#include "anubis-cli/failure.h"

namespace anubis::cli {

[[nodiscard]] std::string check_json(const Report& report, const std::optional<Failure>& failure);

}  // namespace anubis::cli
