#include "lib/sandbox/calls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace anubis::sandbox {
namespace {

constexpr std::uint64_t kSocketType = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
constexpr std::uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                         CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;
constexpr std::uint64_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

// What libc, libstdc++ and the loop need, whatever a program does.
Rules common() {
  const auto self = static_cast<std::uint64_t>(getpid());
  return {
      // Memory, but none that is written and then run. A library that comes later (a module of the name service, if the
      // system's administrator changes it) is refused, and whoever wanted it goes without.
      {SCMP_SYS(brk)},
      {SCMP_SYS(munmap)},
      {SCMP_SYS(mremap)},
      {SCMP_SYS(madvise)},
      {SCMP_SYS(mlock)},
      {SCMP_SYS(mmap), {{2, 0, PROT_EXEC}}},
      {SCMP_SYS(mmap), {{2, PROT_EXEC, PROT_EXEC}}, Answer::kNotPermitted},
      {SCMP_SYS(mprotect), {{2, 0, PROT_EXEC}}},
      {SCMP_SYS(mprotect), {{2, PROT_EXEC, PROT_EXEC}}, Answer::kNotPermitted},

      // Threads, but no process. The flags of clone3 lie in memory, where a filter cannot look: libc then takes clone.
      {SCMP_SYS(clone), {{0, kThread, kThread | kNewNamespaces}}},
      {SCMP_SYS(clone3), {}, Answer::kUnsupported},
      {SCMP_SYS(futex)},
      {SCMP_SYS(rseq)},
      {SCMP_SYS(set_robust_list)},
      {SCMP_SYS(sched_yield)},
      {SCMP_SYS(sched_getaffinity)},  // how many processors there are
      {SCMP_SYS(exit)},
      {SCMP_SYS(exit_group)},
      {SCMP_SYS(wait4)},  // for a child that was started before

      // Signals: to ourselves only, which is how abort() ends.
      {SCMP_SYS(rt_sigaction)},
      {SCMP_SYS(rt_sigprocmask)},
      {SCMP_SYS(rt_sigreturn)},
      {SCMP_SYS(tgkill), {{0, self}}},
      {SCMP_SYS(getpid)},
      {SCMP_SYS(gettid)},
      {SCMP_SYS(signalfd4)},

      // Time. Mostly answered without a call.
      {SCMP_SYS(clock_gettime)},
      {SCMP_SYS(clock_nanosleep)},
      {SCMP_SYS(gettimeofday)},
      {SCMP_SYS(restart_syscall)},
      {SCMP_SYS(timerfd_create)},
      {SCMP_SYS(timerfd_settime)},

      // The loop.
      {SCMP_SYS(epoll_create1)},
      {SCMP_SYS(epoll_ctl)},
      {SCMP_SYS(epoll_wait)},
      {SCMP_SYS(epoll_pwait)},
      {SCMP_SYS(eventfd2)},
      {SCMP_SYS(poll)},
      {SCMP_SYS(ppoll)},

      // Descriptors.
      {SCMP_SYS(read)},
      {SCMP_SYS(readv)},
      {SCMP_SYS(pread64)},
      {SCMP_SYS(write)},
      {SCMP_SYS(writev)},
      {SCMP_SYS(lseek)},
      {SCMP_SYS(close)},
      {SCMP_SYS(fcntl)},
      {SCMP_SYS(dup)},
      {SCMP_SYS(ioctl), {{1, FIONBIO}}},
      {SCMP_SYS(ioctl), {{1, FIONREAD}}},
      {SCMP_SYS(ioctl), {{1, TCGETS}}},        // is this a terminal?
      {SCMP_SYS(ioctl), {{1, SIOCGIFINDEX}}},  // the number of an interface, by its name

      // Files, to read.
      {SCMP_SYS(open), {{1, O_RDONLY, O_ACCMODE | O_CREAT | O_TRUNC}}},
      {SCMP_SYS(openat), {{2, O_RDONLY, O_ACCMODE | O_CREAT | O_TRUNC}}},
      {SCMP_SYS(fstat)},
      {SCMP_SYS(stat)},
      {SCMP_SYS(lstat)},
      {SCMP_SYS(newfstatat)},
      {SCMP_SYS(statx)},
      {SCMP_SYS(access)},
      {SCMP_SYS(faccessat)},
      {SCMP_SYS(faccessat2)},
      {SCMP_SYS(readlink)},
      {SCMP_SYS(readlinkat)},
      {SCMP_SYS(getdents64)},
      {SCMP_SYS(getcwd)},

      // Sockets that are there. What kind there may be stands with each program.
      {SCMP_SYS(bind)},
      {SCMP_SYS(connect)},
      {SCMP_SYS(getsockname)},
      {SCMP_SYS(getpeername)},
      {SCMP_SYS(getsockopt)},
      {SCMP_SYS(setsockopt)},
      {SCMP_SYS(shutdown)},
      {SCMP_SYS(sendto)},
      {SCMP_SYS(sendmsg)},
      {SCMP_SYS(recvfrom)},
      {SCMP_SYS(recvmsg)},

      // Who we are, how much we may have; nothing of it can be changed.
      {SCMP_SYS(getuid)},
      {SCMP_SYS(geteuid)},
      {SCMP_SYS(getgid)},
      {SCMP_SYS(getegid)},
      {SCMP_SYS(uname)},
      {SCMP_SYS(sysinfo)},
      {SCMP_SYS(getrandom)},
      {SCMP_SYS(prlimit64), {{2, 0, ~std::uint64_t{0}}}},
  };
}

// How libc removes a file. Some architectures (arm64) have no unlink: there it is unlinkat, which removes folders, too,
// if it is told to.
Rule unlink_of_libc() {
  constexpr bool kHasUnlink = SCMP_SYS(unlink) >= 0;  // libseccomp's numbers of calls that are not there are negative
  if constexpr (kHasUnlink) return {SCMP_SYS(unlink)};
  return {SCMP_SYS(unlinkat), {{0, static_cast<std::uint32_t>(AT_FDCWD)}, {2, 0}}};
}

Rules with_common(Rules rules) {
  Rules all = common();
  all.insert(all.end(), rules.begin(), rules.end());
  return all;
}

}  // namespace

Rules anubisd_calls() {
  return with_common({
      // Datagrams between side addresses, and to name servers.
      {SCMP_SYS(socket), {{0, AF_INET}, {1, SOCK_DGRAM, kSocketType}}},
      {SCMP_SYS(socket), {{0, AF_INET6}, {1, SOCK_DGRAM, kSocketType}}},
      // A name server's answer that does not fit a datagram.
      {SCMP_SYS(socket), {{0, AF_INET}, {1, SOCK_STREAM, kSocketType}}},
      {SCMP_SYS(socket), {{0, AF_INET6}, {1, SOCK_STREAM, kSocketType}}},
      {SCMP_SYS(recvmmsg)},
      {SCMP_SYS(sendmmsg)},

      // The control socket, netd, the system's name service.
      {SCMP_SYS(socket), {{0, AF_UNIX}}},
      {SCMP_SYS(listen)},
      {SCMP_SYS(accept4)},

      // libc would like to know which addresses the host has, before it orders those of a name, and does without.
      {SCMP_SYS(socket), {{0, AF_NETLINK}}, Answer::kNotPermitted},

      // What it remembers of its sessions.
      {SCMP_SYS(open)},
      {SCMP_SYS(openat)},
      {SCMP_SYS(rename)},
      {SCMP_SYS(renameat)},
      {SCMP_SYS(unlink)},
      {SCMP_SYS(unlinkat)},
      {SCMP_SYS(fsync)},
  });
}

Rules netd_calls() {
  return with_common({
      // WireGuard, links, addresses, routes, rules, nftables.
      {SCMP_SYS(socket), {{0, AF_NETLINK}, {2, NETLINK_ROUTE}}},
      {SCMP_SYS(socket), {{0, AF_NETLINK}, {2, NETLINK_GENERIC}}},
      {SCMP_SYS(socket), {{0, AF_NETLINK}, {2, NETLINK_NETFILTER}}},
      {SCMP_SYS(pselect6)},  // libnftables waits by it
      {SCMP_SYS(select)},
      // anubisd, and a userspace WireGuard, whose process is watched.
      {SCMP_SYS(socket), {{0, AF_UNIX}}},
      {SCMP_SYS(accept4)},
      {SCMP_SYS(pidfd_open)},
      {SCMP_SYS(pidfd_send_signal)},
      {SCMP_SYS(ioctl), {{1, SIOCGIFNAME}}},  // the name of an interface, by its number

      // A host that was invited becomes a peer: its file in conf.d is written anew and takes the old one's place.
      {SCMP_SYS(openat), {{2, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, O_ACCMODE | O_CREAT | O_EXCL | O_NOFOLLOW}}},
      {SCMP_SYS(open), {{1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, O_ACCMODE | O_CREAT | O_EXCL | O_NOFOLLOW}}},
      {SCMP_SYS(fchmod)},
      {SCMP_SYS(fsync)},
      {SCMP_SYS(rename)},
      {SCMP_SYS(renameat)},
      unlink_of_libc(),

      // The authorised peers, in memory that is handed to anubisd; the ends of work on a thread.
      {SCMP_SYS(memfd_create)},
      {SCMP_SYS(pipe2)},
  });
}

}  // namespace anubis::sandbox
