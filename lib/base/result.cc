#include "lib/base/result.h"

#include <cerrno>
#include <cstring>

namespace anubis::base {
namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
    case EPERM:
    case EACCES:
      return ErrorCode::kPermission;
    case ENOENT:
    case ENODEV:
    case ESRCH:
      return ErrorCode::kNotFound;
    case EEXIST:
    case EADDRINUSE:
      return ErrorCode::kExists;
    case EOPNOTSUPP:
    case ENOSYS:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
      return ErrorCode::kUnsupported;
    case EAGAIN:
    case EBUSY:
    case EINTR:
      return ErrorCode::kBusy;
    case ETIMEDOUT:
      return ErrorCode::kTimeout;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
      return ErrorCode::kUnreachable;
    case ENOMEM:
    case ENOSPC:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
      return ErrorCode::kFull;
    case EINVAL:
    case ERANGE:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view what) {
  char buffer[128];
  // The GNU strerror_r: returns the text, which need not stand in the buffer.
  return {code_of(errno_value), std::string(what).append(": ").append(strerror_r(errno_value, buffer, sizeof buffer))};
}

}  // namespace anubis::base
