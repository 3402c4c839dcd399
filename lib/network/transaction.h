// Requests to the kernel and their answers. What can go wrong on the way is dealt with here: interrupted calls,
// answers that were lost (ENOBUFS), dumps that changed underway (NLM_F_DUMP_INTR) or did not fit (MSG_TRUNC). Each is
// tried again a bounded number of times on a fresh socket; what stays unanswered is an error, never a success.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lib/base/result.h"
#include "lib/network/channel.h"
#include "lib/network/message.h"

namespace anubis::network {

class Transactor {
 public:
  using Open = std::function<base::Result<std::unique_ptr<Channel>>()>;
  using Visit = std::function<void(const ReceivedMessage&)>;

  static base::Result<Transactor> create(Open open);

  // Sends the messages (each with NLM_F_ACK) in as few calls as possible and returns an answer for each, in order. A
  // message whose answer was lost is sent again, so it must be one that may be applied twice.
  [[nodiscard]] std::vector<Answer> execute(std::span<const Message> messages);

  // Sends a request without NLM_F_ACK that has one reply; visits that.
  [[nodiscard]] Answer get(const Message& request, const Visit& visit);

  // Sends a request with NLM_F_DUMP. begin() comes first, and again whenever the dump has to be taken anew: forget what
  // was visited. error EBUSY: it changed too fast.
  [[nodiscard]] Answer dump(const Message& request, const std::function<void()>& begin, const Visit& visit);

  [[nodiscard]] std::uint32_t port() const { return channel_ ? channel_->port() : 0; }

 private:
  explicit Transactor(Open open);
  [[nodiscard]] int ensure_open();
  [[nodiscard]] int send(ByteView bytes);
  [[nodiscard]] tl::expected<std::vector<ReceivedMessage>, int> receive();
  // Answers for messages[pending[i]]; leaves those pending that got none. An errno when the socket is not to be used
  // on.
  [[nodiscard]] int execute_once(std::span<const Message> messages, std::vector<std::size_t>& pending,
                                 std::vector<Answer>& answers);
  [[nodiscard]] Answer dump_once(const Message& request, const Visit& visit, bool& again);

  Open open_;
  std::unique_ptr<Channel> channel_;  // null: to be opened
  std::uint32_t sequence_ = 0;
  Bytes buffer_;
};

}  // namespace anubis::network
