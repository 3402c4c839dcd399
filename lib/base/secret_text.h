// Text with secrets in it: move-only, and its memory is wiped when it goes and when it grows.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include <string.h>

namespace anubis::base {

class SecretText {
 public:
  SecretText() = default;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  SecretText(SecretText&&) noexcept = default;  // a vector's text is on the heap: moving leaves nothing behind
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
    }
    return *this;
  }
  ~SecretText() { wipe(); }

  void append(std::string_view more) {
    if (more.size() > text_.capacity() - text_.size()) grow(text_.size() + more.size());
    text_.insert(text_.end(), more.begin(), more.end());
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  void grow(std::size_t least) {
    std::vector<char> larger;
    larger.reserve(std::max(least, 2 * text_.capacity()));
    larger.assign(text_.begin(), text_.end());
    wipe();
    text_ = std::move(larger);
  }
  void wipe() noexcept {
    if (!text_.empty()) explicit_bzero(text_.data(), text_.size());
  }

  std::vector<char> text_;
};

}  // namespace anubis::base
