// Files are there complete or not at all, and nothing of ours replaces what a user wrote.
#include "lib/config/write.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/folder.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

mode_t mode_of(const std::filesystem::path& file) {
  struct stat status{};
  EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 07777;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// No file may grow beyond this: as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(Write, ANewFileHasItsContentsAndItsModeWhateverTheUmaskSays) {
  const Folder folder;
  const mode_t before = umask(0077);
  EXPECT_TRUE(create_file(folder / "peer.toml", "[[peer]]\n"));
  umask(0);
  EXPECT_TRUE(create_file(folder / "a.key", "secret", kSecretMode));
  umask(before);
  EXPECT_EQ(contents(folder / "peer.toml"), "[[peer]]\n");
  EXPECT_EQ(mode_of(folder / "peer.toml"), 0644u);
  EXPECT_EQ(mode_of(folder / "a.key"), 0600u);
  EXPECT_EQ(files_in(folder / ""), 2u);
}

TEST(Write, WhatStandsThereStaysAsItIs) {
  const Folder folder;
  folder.write("anubis.toml", "mine");
  const auto status = create_file(folder / "anubis.toml", "other");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kExists);
  EXPECT_EQ(folder.strip(status.error().message), "anubis.toml exists already and stays as it is");
  EXPECT_EQ(contents(folder / "anubis.toml"), "mine");
  EXPECT_EQ(files_in(folder / ""), 1u);
}

// A symbolic link, even one that leads nowhere, is something that stands there.
TEST(Write, NothingIsWrittenThroughASymbolicLink) {
  const Folder folder;
  std::filesystem::create_symlink(folder / "elsewhere", folder / "a.key");
  const auto status = create_file(folder / "a.key", "secret", kSecretMode);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kExists);
  EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST(Write, ADiskThatIsFullLeavesNothing) {
  const Folder folder;
  folder.write("old.toml", "old");
  const std::string large(100'000, 'x');
  base::Status created;
  base::Status replaced;
  {
    const FileSizeLimit limit(50'000);
    created = create_file(folder / "new.toml", large);
    replaced = replace_file(folder / "old.toml", large);
  }
  EXPECT_FALSE(created);
  ASSERT_FALSE(replaced);
  EXPECT_THAT(folder.strip(replaced.error().message), HasSubstr("cannot write old.toml: "));
  EXPECT_EQ(contents(folder / "old.toml"), "old");
  EXPECT_EQ(files_in(folder / ""), 1u);
}

TEST(Write, ReplacingIsForWhatIsThere) {
  const Folder folder;
  folder.write("xena.toml", "old");
  EXPECT_TRUE(replace_file(folder / "xena.toml", "new"));
  EXPECT_EQ(contents(folder / "xena.toml"), "new");
  const auto status = replace_file(folder / "petra.toml", "new");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_in(folder / ""), 1u);
}

TEST(Write, ReplacingKeepsPermissionsAndLinks) {
  const Folder folder;
  folder.write("xena.toml", "old");
  std::filesystem::permissions(folder / "xena.toml", std::filesystem::perms::owner_read);
  ASSERT_TRUE(replace_file(folder / "xena.toml", "new"));
  EXPECT_EQ(mode_of(folder / "xena.toml"), 0400u);
  std::filesystem::create_symlink("xena.toml", folder / "link.toml");
  const auto status = replace_file(folder / "link.toml", "newer");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("is a symbolic link"));
  EXPECT_EQ(contents(folder / "xena.toml"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.toml"));
}

// Whoever has the old file open goes on reading the old one.
TEST(Write, ReplacingDoesNotChangeTheOldFile) {
  const Folder folder;
  std::ifstream old(folder.write("xena.toml", "old"));
  ASSERT_TRUE(replace_file(folder / "xena.toml", "new"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(old), {}), "old");
}

TEST(Write, FoldersAreMadeAsFarAsTheyAreMissing) {
  const Folder folder;
  EXPECT_TRUE(make_folder(folder / "etc/anubis/conf.d"));
  EXPECT_TRUE(make_folder(folder / "etc/anubis/conf.d"));
  EXPECT_EQ(mode_of(folder / "etc/anubis/conf.d"), 0755u);
  folder.write("file", "");
  const auto status = make_folder(folder / "file");
  ASSERT_FALSE(status);
  EXPECT_EQ(folder.strip(status.error().message), "file is no folder; move it away");
}

TEST(Write, AFileInNoFolderIsToldAsSuch) {
  const Folder folder;
  const auto status = create_file(folder / "nowhere/a.toml", "");
  ASSERT_FALSE(status);
  EXPECT_EQ(folder.strip(status.error().message), "cannot create nowhere/a.toml: there is no such file or folder");
}

TEST(Write, WhatIsRemovedIsGone) {
  const Folder folder;
  folder.write("xena.toml", "old");
  EXPECT_TRUE(remove_file(folder / "xena.toml"));
  const auto again = remove_file(folder / "xena.toml");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace anubis::config
