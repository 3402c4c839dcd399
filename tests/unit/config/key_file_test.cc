#include "lib/config/key_file.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;

class KeyFile : public testing::Test {
 protected:
  KeyFile() { crypto::initialise(); }

  // The error without the folder's path; "" when there is none.
  std::string error_of(const std::filesystem::path& file) {
    const auto key = read_secret_file(file);
    return key ? "" : folder_.strip(key.error().message);
  }

  Folder folder_;
};

TEST_F(KeyFile, HoldsOneKeyWithOrWithoutANewline) {
  for (const std::string end : {"", "\n", "\r\n", " \n\n"}) {
    const auto key = read_secret_file(folder_.write("key", private_key(1) + end));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_TRUE(key->equals(*crypto::parse_secret(private_key(1))));
  }
}

TEST_F(KeyFile, WithAnythingElseInItIsRefused) {
  constexpr const char* kNoKey =
      "key is not a key: a WireGuard key is 44 characters of base64, as `wg genkey` and `wg pubkey` print it";
  for (const std::string& text : {
           std::string("x"),
           private_key(1) + private_key(1),
           private_key(1) + "\n" + private_key(2) + "\n",
           " " + private_key(1),
           private_key(1).substr(0, 43),
           private_key(1) + std::string(1'000'000, '\n'),
           std::string("\0", 1),
           std::string(44, '='),
       }) {
    EXPECT_EQ(error_of(folder_.write("key", text)), kNoKey) << text.substr(0, 100);
  }
  EXPECT_EQ(error_of(folder_.write("key", "")), "key is empty; write a key to it, as `wg genkey` prints it");
  EXPECT_EQ(error_of(folder_.write("key", "\n")), "key is empty; write a key to it, as `wg genkey` prints it");
  EXPECT_EQ(error_of(folder_.write("key", std::string(43, 'A') + "=")),
            "key holds the key of zeros, which is no secret; write another to it");
}

TEST_F(KeyFile, F59_OpenToGroupOrOthersIsRefused) {
  for (const auto& [mode, text] : {std::pair(0640, "0640"),
                                   {0604, "0604"},
                                   {0620, "0620"},
                                   {0602, "0602"},
                                   {0610, "0610"},
                                   {0644, "0644"},
                                   {0777, "0777"},
                                   {04640, "4640"}}) {
    const auto file = folder_.write("key", private_key(1), std::filesystem::perms(mode));
    EXPECT_EQ(error_of(file), std::string("key is open to group or others (mode ") + text + "); run: chmod 600 key");
    EXPECT_EQ(read_secret_file(file).error().code, ErrorCode::kPermission);
  }
  EXPECT_EQ(error_of(folder_.write("key", private_key(1), std::filesystem::perms(0400))), "");
}

TEST_F(KeyFile, F59_ASymbolicLinkIsRefused) {
  folder_.write("key", private_key(1));
  std::filesystem::create_symlink("key", folder_ / "link");
  EXPECT_EQ(error_of(folder_ / "link"),
            "link is a symbolic link, or is reached by a loop of them; name the key's own file");
}

TEST_F(KeyFile, F59_AFifoIsRefusedWithoutWaitingForAWriter) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(error_of(folder_ / "fifo"), "fifo is not a regular file; keep the key in a file of its own");
}

TEST_F(KeyFile, F59_AFolderOrADeviceIsRefused) {
  std::filesystem::create_directory(folder_ / "folder");
  EXPECT_EQ(error_of(folder_ / "folder"), "folder is not a regular file; keep the key in a file of its own");
  EXPECT_EQ(error_of("/dev/zero"), "/dev/zero is not a regular file; keep the key in a file of its own");
}

TEST_F(KeyFile, F59_ThatBelongsToSomebodyElseIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  const auto file = folder_.write("key", private_key(1));
  ASSERT_EQ(chown(file.c_str(), 1234, 0), 0);
  EXPECT_EQ(error_of(file), "key belongs to user 1234, who could read and change the key; run: chown 0 key");
}

TEST_F(KeyFile, F60_TheFileThatIsCheckedIsTheOneThatIsRead) {
  // Somebody swaps the file for one that may not be used, as fast as he can. A check by name would sooner or later see
  // the one and read the other.
  const auto file = folder_.write("key", private_key(1));
  const auto other = folder_.write("other", private_key(2), std::filesystem::perms(0644));
  std::atomic<bool> is_over = false;
  std::thread swapper([&] {
    while (!is_over) renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  });
  const auto safe = crypto::parse_secret(private_key(1));
  int read = 0;
  int refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto key = read_secret_file(file);
    if (key) {
      ++read;
      EXPECT_TRUE(key->equals(*safe));
    } else {
      ++refused;
      EXPECT_EQ(key.error().code, ErrorCode::kPermission);
    }
  }
  is_over = true;
  swapper.join();
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(KeyFile, ThatDoesNotExistIsNamed) {
  EXPECT_EQ(error_of(folder_ / "nothing"), "cannot open the key file nothing: No such file or directory");
  EXPECT_EQ(read_secret_file(folder_ / "nothing").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace anubis::config
