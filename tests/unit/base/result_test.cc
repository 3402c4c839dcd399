#include "lib/base/result.h"

#include <cerrno>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace anubis::base {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const auto halve = [](int number) -> Result<int> {
    if (number % 2 != 0) return fail(ErrorCode::kInvalid, "odd");
    return number / 2;
  };
  EXPECT_EQ(halve(8), 4);
  const auto failed = halve(7);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(failed.error().message, "odd");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  EXPECT_EQ(**make(), 7);
}

TEST(Error, ContextStandsInFront) {
  const Error error = Error{ErrorCode::kBusy, "busy"}.within("wg0").within("jacinth");
  EXPECT_EQ(error.code, ErrorCode::kBusy);
  EXPECT_EQ(error.message, "jacinth: wg0: busy");
}

TEST(SystemError, TellsWhatFailedAndWhy) {
  const Status failed = fail_errno(ENOENT, "cannot open /x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "cannot open /x: No such file or directory");
}

TEST(SystemError, EveryErrnoThatMattersHasItsCode) {
  const struct {
    int errno_value;
    ErrorCode code;
  } cases[] = {
      {EPERM, ErrorCode::kPermission},
      {EACCES, ErrorCode::kPermission},
      {ENOENT, ErrorCode::kNotFound},
      {ENODEV, ErrorCode::kNotFound},
      {ESRCH, ErrorCode::kNotFound},
      {EEXIST, ErrorCode::kExists},
      {EADDRINUSE, ErrorCode::kExists},
      {EOPNOTSUPP, ErrorCode::kUnsupported},
      {EAFNOSUPPORT, ErrorCode::kUnsupported},
      {EAGAIN, ErrorCode::kBusy},
      {EINTR, ErrorCode::kBusy},
      {ETIMEDOUT, ErrorCode::kTimeout},
      {ENETUNREACH, ErrorCode::kUnreachable},
      {EHOSTUNREACH, ErrorCode::kUnreachable},
      {ENOMEM, ErrorCode::kFull},
      {ENOBUFS, ErrorCode::kFull},
      {EINVAL, ErrorCode::kInvalid},
      {EIO, ErrorCode::kIo},
      {0x7fff, ErrorCode::kIo},
  };
  for (const auto& [errno_value, code] : cases) {
    const Error error = system_error(errno_value, "x");
    EXPECT_EQ(error.code, code) << errno_value << ": " << error.message;
  }
}

}  // namespace
}  // namespace anubis::base
