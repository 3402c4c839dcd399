#include "lib/sandbox/enter.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/config/write.h"
#include "lib/sandbox/calls.h"
#include "lib/sandbox/capabilities.h"
#include "lib/sandbox/filter.h"
#include "tests/unit/config/folder.h"
#include "tests/unit/sandbox/child.h"

namespace anubis::sandbox {
namespace {

struct Case {
  const char* name;
  std::function<void()> act;
};

std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }

// Ends before GoogleTest's own calls, which a filter would not like.
template <class Act>
[[noreturn]] void in(base::Status (*enter)(), const Act& act) {
  require(enter());
  act();
  std::_Exit(0);
}

base::Status enter_as_we_are() { return enter_anubisd(std::nullopt); }

void skip_without_filter() {
  if (enforcement() != Enforcement::kKill) GTEST_SKIP() << "built without a filter that kills";
}
void skip_without_net_admin() {
  if (!has(Capability::kNetAdmin)) GTEST_SKIP() << "needs CAP_NET_ADMIN";
}

// What neither program may do, whatever it was made to believe.
std::vector<Case> forbidden_to_both() {
  return {
      {"exec", [] { execl("/bin/true", "true", nullptr); }},
#ifdef SYS_fork  // younger architectures have neither, and no unlink: they have clone and unlinkat
      {"fork", [] { (void)syscall(SYS_fork); }},
      {"vfork", [] { (void)syscall(SYS_vfork); }},
#endif
      {"clone_a_process", [] { (void)syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
      {"ptrace", [] { (void)ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"read_the_memory_of_others", [] { (void)syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"mount", [] { (void)mount("none", "/", "tmpfs", 0, nullptr); }},
      {"unshare", [] { (void)unshare(CLONE_NEWUSER); }},
      {"setns", [] { (void)setns(0, 0); }},
      {"chroot", [] { (void)!chroot("/"); }},
      {"load_a_module", [] { (void)syscall(SYS_finit_module, -1, "", 0); }},
      {"kexec", [] { (void)syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
      {"bpf", [] { (void)syscall(SYS_bpf, 0, nullptr, 0); }},
      {"io_uring", [] { (void)syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"perf", [] { (void)syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
      {"userfaultfd", [] { (void)syscall(SYS_userfaultfd, 0); }},
      {"keyring", [] { (void)syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
      {"become_root", [] { (void)syscall(SYS_setuid, 0); }},
      {"capset", [] { (void)syscall(SYS_capset, nullptr, nullptr); }},
      {"prctl", [] { (void)prctl(PR_SET_DUMPABLE, 1); }},
      {"kill_others", [] { (void)kill(getppid(), SIGTERM); }},
      {"signal_other_threads", [] { (void)syscall(SYS_tgkill, getppid(), getppid(), SIGTERM); }},
      {"raise_limits",
       [] {
         const rlimit most{};
         (void)setrlimit(RLIMIT_CORE, &most);
       }},
      {"set_the_clock", [] { (void)syscall(SYS_clock_settime, 0, nullptr); }},
      {"type_into_a_terminal", [] { (void)ioctl(0, TIOCSTI, "x"); }},
      {"change_modes", [] { (void)syscall(SYS_fchmodat, AT_FDCWD, "/", 0777); }},
      {"change_owners", [] { (void)syscall(SYS_fchownat, AT_FDCWD, "/", 0, 0, 0); }},
      {"make_devices", [] { (void)syscall(SYS_mknodat, AT_FDCWD, "/tmp/x", 0, 0); }},
      {"link_files", [] { (void)syscall(SYS_symlinkat, "/", AT_FDCWD, "/tmp/x"); }},
      {"packet_socket", [] { (void)socket(AF_PACKET, SOCK_RAW, 0); }},
      {"raw_socket", [] { (void)socket(AF_INET, SOCK_RAW, 1); }},
      {"raw_socket_of_ipv6", [] { (void)socket(AF_INET6, SOCK_RAW, 58); }},
      {"vsock", [] { (void)socket(AF_VSOCK, SOCK_STREAM, 0); }},
  };
}

std::vector<Case> forbidden_to_anubisd() {
  auto cases = forbidden_to_both();
  cases.push_back({"memfd", [] { (void)memfd_create("x", 0); }});
  cases.push_back({"pidfd", [] { (void)syscall(SYS_pidfd_open, getppid(), 0); }});
  return cases;
}

std::vector<Case> forbidden_to_netd() {
  auto cases = forbidden_to_both();
  cases.push_back({"datagrams", [] { (void)socket(AF_INET, SOCK_DGRAM, 0); }});
  cases.push_back({"datagrams_of_ipv6", [] { (void)socket(AF_INET6, SOCK_DGRAM, 0); }});
  cases.push_back({"tcp", [] { (void)socket(AF_INET6, SOCK_STREAM, 0); }});
  cases.push_back({"listen", [] { (void)listen(0, 1); }});
  cases.push_back({"write_files", [] { (void)open("/tmp/x", O_WRONLY | O_CREAT, 0600); }});
#ifdef SYS_unlink
  cases.push_back({"remove_files_of_a_folder", [] { (void)syscall(SYS_unlinkat, AT_FDCWD, "/tmp/x", 0); }});
#endif
  cases.push_back({"remove_files_below_a_folder", [] { (void)unlinkat(0, "x", 0); }});
  cases.push_back({"remove_folders", [] { (void)rmdir("/tmp/x"); }});
  cases.push_back({"netlink_of_audit", [] { (void)socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT); }});
  return cases;
}

class ForbiddenToAnubisd : public testing::TestWithParam<Case> {};
class ForbiddenToNetd : public testing::TestWithParam<Case> {};

TEST_P(ForbiddenToAnubisd, EndsTheProcess) {
  skip_without_filter();
  if (IsSkipped()) return;
  EXPECT_EXIT(in(enter_as_we_are, GetParam().act), testing::KilledBySignal(SIGSYS), "");
}

// Without the capability, which not everybody has whom the tests serve.
base::Status enter_netd_filter() {
  if (auto status = base::set_no_new_privileges(); !status) return status;
  return apply(netd_calls());
}

TEST_P(ForbiddenToNetd, EndsTheProcess) {
  skip_without_filter();
  if (IsSkipped()) return;
  EXPECT_EXIT(in(enter_netd_filter, GetParam().act), testing::KilledBySignal(SIGSYS), "");
}

constexpr auto kName = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Calls, ForbiddenToAnubisd, testing::ValuesIn(forbidden_to_anubisd()), kName);
INSTANTIATE_TEST_SUITE_P(Calls, ForbiddenToNetd, testing::ValuesIn(forbidden_to_netd()), kName);

void expect_shut_in(const char* capabilities) {
  for (const char* set : {"CapPrm", "CapEff"}) require(status_field(set) == capabilities, set);
  for (const char* set : {"CapInh", "CapAmb"}) require(status_field(set) == "0000000000000000", set);
  require(status_field("NoNewPrivs") == "1", "NoNewPrivs");
  require(enforcement() == Enforcement::kOff || status_field("Seccomp") == "2", "Seccomp");
}

TEST(Sandbox, AnubisdHasNoCapability) {
  EXPECT_EXIT(in(enter_as_we_are, [] { expect_shut_in("0000000000000000"); }), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, AnubisdBecomesAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  const auto enter_as_other = [] { return enter_anubisd(User{.uid = 4321, .gid = 4322, .groups = {4322}}); };
  const auto look = [] {
    expect_shut_in("0000000000000000");
    require(status_field("CapBnd") == "0000000000000000", "the bounding set");
    require(status_field("Uid") == "4321\t4321\t4321\t4321", "the user");
  };
  EXPECT_EXIT(in(enter_as_other, look), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, NetdHasCapNetAdminAlone) {
  skip_without_net_admin();
  if (IsSkipped()) return;
  EXPECT_EXIT(in(enter_netd, [] { expect_shut_in("0000000000001000"); }), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, TheLauncherMayStartProgramsAndThoseGetNoMoreThanItHas) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, whose programs get all that they may";
  const auto start = [] {
    const auto look =
        "grep -q '^CapEff:.0000000000001000$' /proc/self/status && grep -q '^NoNewPrivs:.1$' /proc/self/status && "
        "test \"$(ulimit -Hc)\" = 0";
    execl("/bin/sh", "sh", "-c", look, nullptr);
  };
  EXPECT_EXIT(in(enter_launcher, start), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, NetdWithoutCapNetAdminIsAnError) {
  const auto without = [] {
    require(keep_capabilities({}));
    const auto status = enter_netd();
    require(!status && status.error().code == base::ErrorCode::kPermission, "kPermission");
  };
  EXPECT_DONE_IN_CHILD(without());
}

// One that was there before is held, too.
TEST(Sandbox, HoldsThreads) {
  skip_without_filter();
  if (IsSkipped()) return;
  const auto with_thread = [] {
    std::array<int, 2> go{};
    require(pipe(go.data()) == 0, "a pipe");
    std::thread thread([&] {
      char byte = 0;
      (void)!read(go[0], &byte, 1);
      execl("/bin/true", "true", nullptr);
    });
    require(enter_as_we_are());
    (void)!write(go[1], "x", 1);
    thread.join();
  };
  EXPECT_EXIT(with_thread(), testing::KilledBySignal(SIGSYS), "");
}

TEST(Sandbox, ThreadsCanBeStartedInIt) {
  const auto with_threads = [] {
    int sum = 0;
    std::thread([&] { sum += 1; }).join();
    std::thread([&] { sum += 2; }).join();
    require(sum == 3, "both ran");
  };
  EXPECT_EXIT(in(enter_as_we_are, with_threads), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, NamesCanBeResolvedInIt) {
  const auto resolve = [] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    require(getaddrinfo("localhost", nullptr, &hints, &found) == 0, "localhost");
    // To nobody: a label is too long. Asks every module of the name service.
    require(getaddrinfo((std::string(70, 'y') + ".invalid").c_str(), nullptr, &hints, &found) != 0, "no such host");
  };
  EXPECT_EXIT(in(enter_as_we_are, resolve), testing::ExitedWithCode(0), "");
}

// As it does when an invited host becomes a peer. Where libc removes a file by unlinkat, netd ended here.
TEST(Sandbox, NetdReplacesAFileAndRemovesWhatCannotTakeItsPlace) {
  const config::Folder folder;
  std::filesystem::create_directory(folder / "taken");
  folder.write("file", "old");
  const auto write = [&] {
    require(config::replace_file(folder / "file", "new"));
    const auto status = config::replace_file(folder / "taken", "a file cannot replace a folder");
    require(!status && status.error().message.find("cannot replace") != std::string::npos, "cannot replace");
  };
  EXPECT_EXIT(in(enter_netd_filter, write), testing::ExitedWithCode(0), "");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / ""), {}), 2);
}

// Refused, not killed: libc tries it whenever a name is resolved.
TEST(Sandbox, AnubisdGetsNoNetlinkSocket) {
  skip_without_filter();
  if (IsSkipped()) return;
  const auto try_it = [] {
    for (const int protocol : {NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_NETFILTER}) {
      require(socket(AF_NETLINK, SOCK_RAW, protocol) == -1 && errno == EPERM, "EPERM");
    }
  };
  EXPECT_EXIT(in(enter_as_we_are, try_it), testing::ExitedWithCode(0), "");
}

// Refused, not killed: libc tries it when nsswitch.conf names a module that is new.
TEST(Sandbox, NoMemoryBecomesCode) {
  skip_without_filter();
  if (IsSkipped()) return;
  const auto try_it = [] {
    require(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "mmap");
    require(errno == EPERM, "EPERM");
    void* const memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "memory without code");
    require(mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EPERM, "mprotect");
  };
  EXPECT_EXIT(in(enter_as_we_are, try_it), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, AbortStillAborts) {
  EXPECT_EXIT(in(enter_as_we_are, [] { std::abort(); }), testing::KilledBySignal(SIGABRT), "");
}

#if defined(__x86_64__)
// The numbers of another ABI mean other calls: the filter must not let them through as its own.
TEST(Sandbox, CallsOfAnotherAbiEndTheProcess) {
  skip_without_filter();
  if (IsSkipped()) return;
  const auto call = [] {
    long result = 20;  // getpid of i386; writev of x86-64, which is allowed
    asm volatile("int $0x80" : "+a"(result) : : "memory");
  };
  EXPECT_EXIT(
      in(enter_as_we_are, call),
      [](int status) {  // SIGSEGV where the kernel knows no other ABI
        return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
      },
      "");
}
#endif

}  // namespace
}  // namespace anubis::sandbox
