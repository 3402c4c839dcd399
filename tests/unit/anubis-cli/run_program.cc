#include "tests/unit/anubis-cli/run_program.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/clock.h"

namespace anubis::cli {
namespace {

using base::BootClock;
using std::chrono::milliseconds;

constexpr auto kLongest = std::chrono::seconds(20);
constexpr auto kTerminalPatience = std::chrono::seconds(10);

[[noreturn]] void give_up(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// What exec needs, made before fork(): only system calls may follow it where threads run.
class Image {
 public:
  Image(Arguments arguments, std::vector<std::string> environment)
      : arguments_(std::move(arguments)),
        environment_(std::move(environment)),
        program_(open(ANUBIS_PROGRAM, O_RDONLY | O_CLOEXEC)) {
    if (!program_) give_up(ANUBIS_PROGRAM);
    arguments_.insert(arguments_.begin(), "anubis");
    argv_ = pointers(arguments_);
    envp_ = pointers(environment_);
  }
  // By descriptor: another user need not be able to reach the build directory.
  [[noreturn]] void exec() const {
    fexecve(program_.get(), argv_.data(), envp_.data());
    _exit(127);
  }

 private:
  Arguments arguments_;
  std::vector<std::string> environment_;
  base::Fd program_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
};

int shell_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

struct Pipe {
  base::Fd read_end;
  base::Fd write_end;
  Pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) give_up("pipe");
    read_end = base::Fd(fds[0]);
    write_end = base::Fd(fds[1]);
  }
};

// Appends what FD has to TEXT; closes it at its end.
void drain(base::Fd& fd, std::string& text) {
  char buffer[4096];
  const ssize_t size = read(fd.get(), buffer, sizeof buffer);
  if (size > 0) {
    text.append(buffer, static_cast<std::size_t>(size));
  } else {
    fd.reset();
  }
}

}  // namespace

Ended run_anubis(const Arguments& arguments, const Surroundings& surroundings) {
  const Image image(arguments, surroundings.environment);
  Pipe out;
  Pipe err;
  base::Fd file;
  if (surroundings.standard_output) file = base::Fd(open(surroundings.standard_output->c_str(), O_WRONLY | O_CLOEXEC));
  const int standard_output = file ? file.get() : out.write_end.get();
  const pid_t pid = fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    const int null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) < 0 || dup2(standard_output, 1) < 0 || dup2(err.write_end.get(), 2) < 0) _exit(126);
    if (const auto id = surroundings.user_id) {
      if (setgroups(0, nullptr) != 0 || setgid(*id) != 0 || setuid(*id) != 0) _exit(125);
    }
    image.exec();
  }
  out.write_end.reset();
  err.write_end.reset();
  if (surroundings.meanwhile) surroundings.meanwhile(pid);

  Ended ended;
  const auto until = BootClock::now() + kLongest;
  while (out.read_end || err.read_end) {
    const auto left = std::chrono::ceil<milliseconds>(until - BootClock::now());
    pollfd sources[] = {{.fd = out.read_end.get(), .events = POLLIN, .revents = 0},
                        {.fd = err.read_end.get(), .events = POLLIN, .revents = 0}};
    if (left.count() <= 0 || poll(sources, 2, static_cast<int>(left.count())) <= 0) {
      kill(pid, SIGKILL);
      break;
    }
    if (sources[0].revents != 0) drain(out.read_end, ended.out);
    if (sources[1].revents != 0) drain(err.read_end, ended.err);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) == pid) ended.exit_status = shell_status(status);
  return ended;
}

OnTerminal::OnTerminal(const Arguments& arguments, const std::vector<std::string>& environment) {
  const Image image(arguments, environment);
  const winsize size{.ws_row = 20, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  pid_ = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ < 0) give_up("forkpty");
  if (pid_ == 0) image.exec();
  terminal_ = base::Fd(terminal);
}

OnTerminal::~OnTerminal() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool OnTerminal::read_some(milliseconds timeout) {
  pollfd source{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
  if (timeout.count() <= 0 || poll(&source, 1, static_cast<int>(timeout.count())) <= 0) return false;
  char buffer[4096];
  const ssize_t size = read(terminal_.get(), buffer, sizeof buffer);
  if (size <= 0) return false;
  output_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

bool OnTerminal::shows(const std::string& text) {
  const auto until = BootClock::now() + kTerminalPatience;
  for (;;) {
    const auto found = output_.find(text, seen_);
    if (found != std::string::npos) {
      seen_ = found + text.size();
      return true;
    }
    if (!read_some(std::chrono::ceil<milliseconds>(until - BootClock::now()))) return false;
  }
}

void OnTerminal::type(const std::string& keys) {
  if (write(terminal_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) give_up("write");
}

void OnTerminal::resize(unsigned short columns, unsigned short rows) {
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (ioctl(terminal_.get(), TIOCSWINSZ, &size) != 0) give_up("TIOCSWINSZ");
}

bool OnTerminal::is_cooked() const {
  termios keys{};
  if (tcgetattr(terminal_.get(), &keys) != 0) give_up("tcgetattr");
  return (keys.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
}

int OnTerminal::end() {
  const auto until = BootClock::now() + kTerminalPatience;
  while (read_some(std::chrono::ceil<milliseconds>(until - BootClock::now()))) {
  }
  int status = 0;
  // Its terminal is closed, or the time is over.
  const bool in_time = BootClock::now() < until;
  if (!in_time) kill(pid_, SIGKILL);
  if (waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return in_time ? shell_status(status) : -1;
}

}  // namespace anubis::cli
