// Why a command could not do what was asked: the exit status of the program and the sentence for its user.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "control.pb.h"

namespace anubis::cli {

struct Failure {
  control::ExitStatus status = control::FAILED;
  std::string message;
};

template <class T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail(control::ExitStatus status, std::string message) {
  return tl::unexpected<Failure>(Failure{status, std::move(message)});
}

// What the daemon said when it did not say DONE. A status that this program does not know counts as FAILED, a missing
// sentence is replaced by a general one.
[[nodiscard]] Failure failure_of(const control::Done& done);

// Why connect() to the control socket failed, and what its user can do about it.
[[nodiscard]] Failure connect_failure(int errno_value, const std::string& socket_path);

}  // namespace anubis::cli
