// Several files are changed as one: all of them, or none.
#include "lib/config/transaction.h"

#include <string>

#include <gmock/gmock.h>

#include "tests/unit/config/folder.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class TransactionTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("changed.toml", "before");
    folder_.write("removed.toml", "stood here");
  }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  void do_all(Transaction& transaction) const {
    const base::Secret<crypto::kKeySize> key;
    ASSERT_TRUE(transaction.make_folder(path("etc/conf.d")));
    ASSERT_TRUE(transaction.create_file(path("etc/conf.d/peer.toml"), "[[peer]]"));
    ASSERT_TRUE(transaction.create_key_file(path("etc/host.key"), key.view()));
    ASSERT_TRUE(transaction.replace_file(path("changed.toml"), "before", "after"));
    ASSERT_TRUE(transaction.remove_file(path("removed.toml"), "stood here"));
  }
  void expect_as_before() const {
    EXPECT_FALSE(is_taken(path("etc")));
    EXPECT_EQ(contents(path("changed.toml")), "before");
    EXPECT_EQ(contents(path("removed.toml")), "stood here");
  }

  Folder folder_;
};

TEST_F(TransactionTest, WhatWasKeptStays) {
  {
    Transaction transaction;
    do_all(transaction);
    transaction.keep();
  }
  EXPECT_EQ(contents(path("etc/conf.d/peer.toml")), "[[peer]]");
  EXPECT_EQ(contents(path("etc/host.key")), std::string(43, 'A') + "=");
  EXPECT_EQ(std::filesystem::status(path("etc/host.key")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(contents(path("changed.toml")), "after");
  EXPECT_FALSE(is_taken(path("removed.toml")));
}

TEST_F(TransactionTest, WhatWasNotKeptIsUndone) {
  {
    Transaction transaction;
    do_all(transaction);
  }
  expect_as_before();
}

TEST_F(TransactionTest, WhatCannotBeUndoneIsToldAndTheRestIsUndone) {
  Transaction transaction;
  do_all(transaction);
  std::filesystem::remove(path("changed.toml"));
  const auto undone = transaction.undo();
  ASSERT_FALSE(undone);
  EXPECT_THAT(undone.error().message, HasSubstr(path("changed.toml").string()));
  EXPECT_FALSE(is_taken(path("etc")));
  EXPECT_EQ(contents(path("removed.toml")), "stood here");
  EXPECT_TRUE(transaction.undo()) << "a second time, there is nothing to do";
}

TEST_F(TransactionTest, AFolderWithWhatOthersPutThereStays) {
  {
    Transaction transaction;
    do_all(transaction);
    folder_.write("etc/notes", "mine");
  }
  EXPECT_EQ(contents(path("etc/notes")), "mine");
  EXPECT_FALSE(is_taken(path("etc/conf.d")));
}

TEST_F(TransactionTest, WhatStandsInTheWayIsNotTakenAway) {
  {
    Transaction transaction;
    const auto made = transaction.create_file(path("changed.toml"), "other");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kExists);
    const auto replaced = transaction.replace_file(path("changed.toml"), "what I read", "after");
    ASSERT_FALSE(replaced);
    EXPECT_EQ(folder_.strip(replaced.error().message), "changed.toml was changed meanwhile; try again");
    EXPECT_FALSE(transaction.make_folder(path("changed.toml/conf.d")));
    EXPECT_FALSE(transaction.remove_file(path("nowhere.toml"), ""));
  }
  expect_as_before();
  EXPECT_FALSE(is_taken(path("nowhere.toml")));
}

}  // namespace
}  // namespace anubis::config
