#include "lib/qr/terminal.h"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "tests/unit/qr/matrix.h"

namespace anubis::qr {
namespace {

// A terminal with colours of its own, 'x', which shows each character as two modules, one above the other.
class Terminal {
 public:
  testing::Matrix show(std::string_view text) {
    while (!text.empty()) take(text);
    return std::move(shown_);
  }

 private:
  void take(std::string_view& text) {
    const auto is = [&](std::string_view sequence) {
      if (!text.starts_with(sequence)) return false;
      text.remove_prefix(sequence.size());
      return true;
    };
    if (is("\x1b[38;5;16m")) {
      foreground_ = '#';
    } else if (is("\x1b[38;5;231m")) {
      foreground_ = '.';
    } else if (is("\x1b[48;5;16m")) {
      background_ = '#';
    } else if (is("\x1b[48;5;231m")) {
      background_ = '.';
    } else if (is("\x1b[0m")) {
      foreground_ = background_ = 'x';
    } else if (is("\n")) {
      shown_.push_back(std::exchange(upper_, {}));
      shown_.push_back(std::exchange(lower_, {}));
    } else if (is("\u2580")) {
      put(foreground_, background_);
    } else if (is(" ")) {
      put(background_, background_);
    } else {
      put('?', '?');
      text.remove_prefix(1);
    }
  }
  void put(char upper, char lower) {
    upper_.push_back(upper);
    lower_.push_back(lower);
  }

  char foreground_ = 'x';
  char background_ = 'x';
  std::string upper_;
  std::string lower_;
  testing::Matrix shown_;
};

TEST(Terminal, ShowsTheModulesInBlackAndWhiteWhateverItsOwnColoursAre) {
  for (const std::string& text : {std::string("anubis"), std::string(300, 'q'), std::string(kMaxBytes, 'q')}) {
    const auto code = Code::create(text);
    ASSERT_TRUE(code);
    auto wanted = testing::matrix_of(*code);
    if (wanted.size() % 2 != 0) wanted.emplace_back(code->full_size(), '.');  // the lower half of the last line
    const auto shown = Terminal().show(to_terminal(*code).view());
    EXPECT_EQ(shown, wanted);
    EXPECT_EQ(terminal_size(*code).columns, shown.front().size());
    EXPECT_EQ(terminal_size(*code).rows * 2, shown.size());
  }
}

TEST(Terminal, GivesEachLineItsOwnColoursBack) {
  const auto text = to_terminal(*Code::create("anubis"));
  for (auto end = text.view().find('\n'); end != std::string_view::npos; end = text.view().find('\n', end + 1)) {
    EXPECT_TRUE(text.view().substr(0, end).ends_with("\x1b[0m"));
  }
}

}  // namespace
}  // namespace anubis::qr
