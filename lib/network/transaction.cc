#include "lib/network/transaction.h"

#include <algorithm>
#include <cerrno>
#include <numeric>

#include <linux/netlink.h>

#include "lib/base/steps.h"

namespace anubis::network {
namespace {

// Dumps come in datagrams of up to 32 KiB; twice that leaves room for kernels to come.
constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::size_t kLargestBuffer = 1024 * 1024;
constexpr int kAttempts = 5;
// The kernel answers before send() returns. An answer that takes this long was lost.
constexpr std::chrono::milliseconds kAnswerTimeout{500};
// Interruptions by signals in a row for one call; more is not chance.
constexpr int kInterruptions = 100;
// Answers wait in the socket's receive buffer until we read them: few enough for the smallest one.
constexpr std::size_t kMessagesPerSend = 64;

Bytes numbered(const Message& message, std::uint32_t sequence) {
  Bytes bytes = message.bytes();
  std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  return bytes;
}

}  // namespace

Transactor::Transactor(Open open) : open_(std::move(open)), buffer_(kBuffer) {}

base::Result<Transactor> Transactor::create(Open open) {
  auto channel = open();
  if (!channel) return base::fail(channel.error());
  Transactor transactor(std::move(open));
  transactor.channel_ = std::move(*channel);
  return transactor;
}

int Transactor::ensure_open() {
  if (channel_) return 0;
  auto channel = open_();
  if (!channel) return EMFILE;  // the one reason that comes and goes
  channel_ = std::move(*channel);
  return 0;
}

int Transactor::send(ByteView bytes) {
  int error = EINTR;
  for (int i = 0; i < kInterruptions && error == EINTR; ++i) error = channel_->send(bytes);
  return error;
}

tl::expected<std::vector<ReceivedMessage>, int> Transactor::receive() {
  for (int i = 0; i < kInterruptions; ++i) {
    const auto received = channel_->receive(buffer_, kAnswerTimeout);
    if (!received) {
      if (received.error() == EINTR || received.error() == EAGAIN) continue;
      return tl::make_unexpected(received.error());
    }
    if (received->truncated) {
      if (buffer_.size() < kLargestBuffer) buffer_.resize(buffer_.size() * 2);
      return tl::make_unexpected(EMSGSIZE);
    }
    if (received->sender != 0) continue;  // any process may send to our port; only the kernel is believed
    return split(ByteView(buffer_).first(received->size));
  }
  return tl::make_unexpected(EINTR);
}

int Transactor::execute_once(std::span<const Message> messages, std::vector<std::size_t>& pending,
                             std::vector<Answer>& answers) {
  std::vector<std::size_t> unanswered;
  int error = ensure_open();
  std::size_t done = 0;
  while (error == 0 && done < pending.size()) {
    const std::size_t count = std::min(kMessagesPerSend, pending.size() - done);
    const std::uint32_t first = sequence_ + 1;
    Bytes batch;
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes bytes = numbered(messages[pending[done + i]], ++sequence_);
      batch.insert(batch.end(), bytes.begin(), bytes.end());  // each is a multiple of four long
    }
    error = send(batch);
    std::vector<bool> answered(count);
    std::size_t missing = count;
    while (error == 0 && missing > 0) {
      const auto received = receive();
      if (!received) {
        error = received.error();
        break;
      }
      for (const ReceivedMessage& message : *received) {
        const std::uint32_t which = message.sequence - first;  // stale answers wrap to large numbers
        if (message.type != NLMSG_ERROR || which >= count || answered[which]) continue;
        answers[pending[done + which]] = parse_answer(message);
        answered[which] = true;
        --missing;
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      if (!answered[i]) unanswered.push_back(pending[done + i]);
    done += count;
    base::step("network.changed");
  }
  unanswered.insert(unanswered.end(), pending.begin() + static_cast<std::ptrdiff_t>(done), pending.end());
  pending = std::move(unanswered);
  return error;
}

std::vector<Answer> Transactor::execute(std::span<const Message> messages) {
  std::vector<Answer> answers(messages.size());
  std::vector<std::size_t> pending(messages.size());
  std::iota(pending.begin(), pending.end(), std::size_t{0});
  int error = 0;
  for (int attempt = 0; attempt < kAttempts && !pending.empty(); ++attempt) {
    error = execute_once(messages, pending, answers);
    if (error != 0) channel_.reset();  // whatever is still on its way to the old socket must not be taken for an answer
  }
  if (error == ENOBUFS) error = ETIMEDOUT;  // nothing is full for the caller: it may try again
  for (const std::size_t index : pending) answers[index] = {error, "the kernel's answer was lost"};
  return answers;
}

Answer Transactor::get(const Message& request, const Visit& visit) {
  Answer answer{ETIMEDOUT, "the kernel's answer was lost"};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    answer.error = ensure_open();
    if (answer.error == 0) answer.error = send(numbered(request, ++sequence_));
    while (answer.error == 0) {
      const auto received = receive();
      if (!received) {
        answer.error = received.error();
        break;
      }
      for (const ReceivedMessage& message : *received) {
        if (message.sequence != sequence_) continue;
        if (message.type == NLMSG_ERROR) {
          answer = parse_answer(message);
          // An acknowledgement, which was not asked for, is not the reply that was.
          return answer.error != 0 ? answer : Answer{EBADMSG, "the kernel acknowledged a question"};
        }
        visit(message);
        return {};
      }
    }
    channel_.reset();
  }
  return answer;
}

Answer Transactor::dump_once(const Message& request, const Visit& visit, bool& again) {
  again = true;
  if (const int error = ensure_open(); error != 0) return {error, {}};
  if (const int error = send(numbered(request, ++sequence_)); error != 0) return {error, {}};
  bool interrupted = false;
  while (true) {
    const auto received = receive();
    if (!received) return {received.error(), "a dump was cut off"};
    for (const ReceivedMessage& message : *received) {
      if (message.sequence != sequence_) continue;
      interrupted = interrupted || (message.flags & NLM_F_DUMP_INTR) != 0;
      if (message.type == NLMSG_ERROR) {
        again = false;
        return parse_answer(message);
      }
      if (message.type == NLMSG_DONE) {
        // A dump that fails underway says so here.
        const auto status = header_of<int>(message.payload);
        if (status && *status != 0) {
          again = false;
          return {errno_of(*status), {}};
        }
        again = interrupted;
        return interrupted ? Answer{EBUSY, "it changes faster than it can be read"} : Answer{};
      }
      visit(message);
    }
  }
}

Answer Transactor::dump(const Message& request, const std::function<void()>& begin, const Visit& visit) {
  Answer answer;
  bool again = true;
  for (int attempt = 0; attempt < kAttempts && again; ++attempt) {
    begin();
    answer = dump_once(request, visit, again);
    if (again) channel_.reset();
  }
  return answer;
}

}  // namespace anubis::network
