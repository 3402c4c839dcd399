// The daemon's one thread: an Asio loop, and the descriptors that wait on it. Asio's headers stay in .cc files, and so
// does its trap: a completion that Asio has queued already is not stopped by its cancel(). Here it is: no callback
// comes once cancel() was called or the object is gone.
#pragma once

#include <functional>
#include <memory>

namespace asio {
class io_context;
}

namespace anubis::daemon {

using Callback = std::function<void()>;

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Until stop(), which may come first.
  void run();
  void stop();
  // After stop(), before the next run().
  void restart();
  // May be called from any thread.
  void post(Callback task);

  // For the files that include Asio.
  [[nodiscard]] asio::io_context& context() { return *context_; }

 private:
  std::unique_ptr<asio::io_context> context_;
};

// Waits for a descriptor, which must be non-blocking, stays its owner's and outlives the watch.
class Watch {
 public:
  Watch(Loop& loop, int fd);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  // Once each; the callback may ask again. Asking again before it came replaces the callback.
  void when_readable(Callback callback);
  void when_writable(Callback callback);
  void cancel();

 private:
  struct State;
  enum class Event : unsigned char { kReadable, kWritable };
  static void wait(const std::shared_ptr<State>& state, Event event, Callback callback);

  std::shared_ptr<State> state_;
};

}  // namespace anubis::daemon
