// Expected failures travel as values: a Result holds either what was asked for or an Error that says what was tried,
// what happened and what to do, in a sentence for the user.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace anubis::base {

enum class ErrorCode {
  kInvalid,      // the input is malformed or contradicts itself
  kNotFound,     // what was named does not exist
  kExists,       // something else stands where ours should
  kConflict,     // it would take something away from another peer
  kPermission,   // not permitted: credentials, capabilities, file modes
  kUnsupported,  // this system cannot do it
  kBusy,         // try again
  kTimeout,      // no answer in time
  kUnreachable,  // the network says no
  kRefused,      // the peer said no
  kFull,         // a limit of the system or of the device is reached
  kIo,           // a system call failed otherwise
  kInternal,     // our own mistake
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with the context of a caller in front: "CONTEXT: message".
  [[nodiscard]] Error within(std::string_view context) const {
    return {code, std::string(context).append(": ").append(message)};
  }
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result() = default;
};

using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return fail(Error{code, std::move(message)});
}

// The error of a failed system call: "what: strerror(errno_value)", with the code that errno_value stands for.
[[nodiscard]] Error system_error(int errno_value, std::string_view what);
[[nodiscard]] inline tl::unexpected<Error> fail_errno(int errno_value, std::string_view what) {
  return fail(system_error(errno_value, what));
}

}  // namespace anubis::base
