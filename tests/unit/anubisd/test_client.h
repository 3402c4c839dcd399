// A client of the control socket with nothing of the code that is tested but the generated messages. Never blocks.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <control.pb.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/fd.h"

namespace anubis::daemon {

inline std::string frame(const std::string& body) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(body.size() >> shift & 0xff));
  return out + body;
}

class TestClient {
 public:
  explicit TestClient(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << "connect: " << strerror(errno);
    }
  }
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void send(const control::Command& command) const { send(frame(command.SerializeAsString())); }

  // Takes what has come; true once the daemon has closed.
  bool closed() {
    char buffer[65536];
    ssize_t size = 0;
    while ((size = recv(fd_.get(), buffer, sizeof buffer, 0)) > 0) in_.append(buffer, static_cast<std::size_t>(size));
    return size == 0 || errno != EAGAIN;
  }
  [[nodiscard]] std::vector<control::Response> responses() const {
    std::vector<control::Response> all;
    for (std::string_view rest = in_; rest.size() >= 4;) {
      std::size_t size = 0;
      for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
      if (rest.size() < 4 + size) break;
      control::Response response;
      EXPECT_TRUE(response.ParseFromArray(rest.data() + 4, static_cast<int>(size)));
      all.push_back(std::move(response));
      rest.remove_prefix(4 + size);
    }
    return all;
  }

 private:
  base::Fd fd_;
  std::string in_;
};

}  // namespace anubis::daemon
