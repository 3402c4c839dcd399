#include "lib/base/journal.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/log.h"

namespace anubis::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

using Entry = std::multimap<std::string, std::string>;

// As https://systemd.io/JOURNAL_NATIVE_PROTOCOL has it, and written from that page.
Entry parsed(std::string_view datagram) {
  Entry entry;
  while (!datagram.empty()) {
    const std::size_t line = datagram.find('\n');
    if (line == std::string_view::npos) throw std::invalid_argument("a line without its end");
    const std::size_t equals = datagram.substr(0, line).find('=');
    if (equals != std::string_view::npos) {
      entry.emplace(datagram.substr(0, equals), datagram.substr(equals + 1, line - equals - 1));
      datagram.remove_prefix(line + 1);
      continue;
    }
    const std::string name(datagram.substr(0, line));
    datagram.remove_prefix(line + 1);
    std::uint64_t size = 0;
    if (datagram.size() < sizeof size) throw std::invalid_argument("a size is missing");
    for (int byte = 7; byte >= 0; --byte) size = size << 8 | static_cast<unsigned char>(datagram[byte]);
    datagram.remove_prefix(sizeof size);
    if (datagram.size() <= size || datagram[size] != '\n') throw std::invalid_argument("a size is wrong");
    entry.emplace(name, datagram.substr(0, size));
    datagram.remove_prefix(size + 1);
  }
  return entry;
}

TEST(JournalEntry, AFieldIsALineOrHasASize) {
  const std::vector<JournalField> fields{{"A", "x=y"}, {"B", "two\nlines"}, {"C", ""}};
  const std::string entry = journal_entry(fields);
  EXPECT_EQ(entry, std::string("A=x=y\nB\n\x09\0\0\0\0\0\0\0two\nlines\nC=\n", 29));
  EXPECT_THAT(parsed(entry), UnorderedElementsAre(Pair("A", "x=y"), Pair("B", "two\nlines"), Pair("C", "")));
}

TEST(JournalEntry, IsCutInsteadOfTooLong) {
  const std::string text(Journal::kMaxValue + 5, 'x');
  EXPECT_EQ(parsed(journal_entry({{{"MESSAGE", text}}})).find("MESSAGE")->second.size(), Journal::kMaxValue);
}

// Plays journald.
class JournalTest : public testing::Test {
 protected:
  JournalTest() : folder_("/tmp/anubis-journal.XXXXXX"), listener_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(path(), std::begin(address.sun_path));
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~JournalTest() override {
    unsetenv("JOURNAL_STREAM");
    log::use_journal("test");  // off
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string path() const { return folder_ + "/socket"; }

  // What was written to standard error; `stream` says what it is.
  std::string captured(const std::function<void()>& what) {
    testing::internal::CaptureStderr();
    struct stat file{};
    EXPECT_EQ(fstat(STDERR_FILENO, &file), 0);
    setenv("JOURNAL_STREAM", fmt::format("{}:{}", file.st_dev, file.st_ino + (elsewhere_ ? 1 : 0)).c_str(), 1);
    log::use_journal("anubisd", path().c_str());
    what();
    return testing::internal::GetCapturedStderr();
  }

  std::vector<Entry> entries() {
    std::vector<Entry> all;
    std::string datagram(256 * 1024, '\0');
    while (true) {
      const ssize_t size = recv(listener_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
      if (size < 0) return all;
      all.push_back(parsed(std::string_view(datagram).substr(0, static_cast<std::size_t>(size))));
    }
  }

  bool elsewhere_ = false;
  std::string folder_;
  Fd listener_;
};

TEST_F(JournalTest, AMessageHasItsNamePeerAndPriorityAsFields) {
  EXPECT_THAT(captured([] {
                log::info({"session.up", "jacinth"}, "{}", "jacinth");
                log::warning("config.warning", "unusual");
                log::error("daemon.left-behind", "line\nand line");
              }),
              IsEmpty());
  EXPECT_THAT(
      entries(),
      ElementsAre(
          UnorderedElementsAre(Pair("MESSAGE", "session.up: jacinth"), Pair("PRIORITY", "6"),
                               Pair("SYSLOG_IDENTIFIER", "anubisd"), Pair("ANUBIS_EVENT", "session.up"),
                               Pair("ANUBIS_PEER", "jacinth")),
          UnorderedElementsAre(Pair("MESSAGE", "config.warning: unusual"), Pair("PRIORITY", "4"),
                               Pair("SYSLOG_IDENTIFIER", "anubisd"), Pair("ANUBIS_EVENT", "config.warning")),
          UnorderedElementsAre(Pair("MESSAGE", "daemon.left-behind: line\n    and line"), Pair("PRIORITY", "3"),
                               Pair("SYSLOG_IDENTIFIER", "anubisd"), Pair("ANUBIS_EVENT", "daemon.left-behind"))));
}

// Whoever can have a text written cannot have a field written.
TEST_F(JournalTest, NoTextBecomesAField) {
  (void)captured([] { log::warning("session.failed", "{}", "x\nANUBIS_EVENT=session.up\nPRIORITY=0"); });
  const auto all = entries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].count("ANUBIS_EVENT"), 1u);
  EXPECT_EQ(all[0].find("PRIORITY")->second, "4");
}

TEST_F(JournalTest, FloodsAreCutOffThereToo) {
  std::size_t taken = 0;
  EXPECT_THAT(captured([&] {
                for (int i = 0; i < 100; ++i) {
                  log::warning("FLOOD-OF-THE-JOURNAL", "the same");
                  taken += entries().size();
                }
              }),
              IsEmpty());
  EXPECT_EQ(taken, 30u);
}

TEST_F(JournalTest, WhereStandardErrorGoesElsewhereTheJournalGetsNothing) {
  elsewhere_ = true;  // started by systemd, and then redirected
  EXPECT_THAT(captured([] { log::info("NAME", "text"); }), testing::HasSubstr("info NAME: text\n"));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalTest, WithoutAJournalThereIsStandardError) {
  listener_.reset();
  EXPECT_THAT(captured([] { log::info("NAME", "text"); }), testing::HasSubstr("info NAME: text\n"));
}

TEST_F(JournalTest, AFullOneIsNotWaitedFor) {
  const std::string said = captured([] {
    for (int i = 0; i < 2000; ++i) log::info("FULL", "{}", i);
  });
  const auto taken = entries().size();
  EXPECT_GT(taken, 0u);
  EXPECT_EQ(taken + static_cast<std::size_t>(std::ranges::count(said, '\n')), 2000u);
}

}  // namespace
}  // namespace anubis::base
