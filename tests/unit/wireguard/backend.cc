#include "tests/unit/wireguard/backend.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/wireguard/kernel_device.h"
#include "lib/wireguard/testing/fake_device.h"
#include "lib/wireguard/userspace_device.h"
#include "lib/wireguard/userspace_process.h"

namespace anubis::wireguard {
namespace {

constexpr const char* kFirst = "wgtest0";
constexpr const char* kSecond = "wgtest1";

void must(const base::Status& status) {
  if (!status) ADD_FAILURE() << status.error().message;
}

class FakeBackend final : public Backend {
 public:
  Device& device() override { return device_; }
  Device* other_end() override { return nullptr; }
  void set_links_up() override { device_.set_link_up(true); }
  void destroy() override { device_.vanish(); }

 private:
  testing::FakeDevice device_;
};

class WireguardGoBackend final : public Backend {
 public:
  WireguardGoBackend(UserspaceProcess first, UserspaceProcess second)
      : first_process_(std::move(first)),
        second_process_(std::move(second)),
        first_(UserspaceDevice::create(kFirst).value()),
        second_(UserspaceDevice::create(kSecond).value()) {}
  WireguardGoBackend(const WireguardGoBackend&) = delete;
  WireguardGoBackend& operator=(const WireguardGoBackend&) = delete;
  ~WireguardGoBackend() override {
    (void)first_process_.terminate();
    (void)second_process_.terminate();
  }
  Device& device() override { return *first_; }
  Device* other_end() override { return second_.get(); }
  void set_links_up() override {
    must(set_link_up(kFirst));
    must(set_link_up(kSecond));
    wait_for_ports();
  }
  void destroy() override { must(first_process_.terminate()); }

 private:
  // wireguard-go opens its ports once netlink has told it of the links; what came before would be lost.
  static void wait_for_ports() {
    const auto first = fmt::format(":{:04X} ", kFirstPort);
    const auto second = fmt::format(":{:04X} ", kSecondPort);
    for (int i = 0; i < 10'000; ++i) {
      std::ifstream file("/proc/thread-self/net/udp");
      const std::string table{std::istreambuf_iterator<char>(file), {}};
      if (table.find(first) != std::string::npos && table.find(second) != std::string::npos) return;
      usleep(1000);
    }
    ADD_FAILURE() << "wireguard-go does not open its ports";
  }

  UserspaceProcess first_process_;
  UserspaceProcess second_process_;
  std::unique_ptr<UserspaceDevice> first_;
  std::unique_ptr<UserspaceDevice> second_;
};

class KernelBackend final : public Backend {
 public:
  KernelBackend() : first_(KernelDevice::create(kFirst).value()), second_(KernelDevice::create(kSecond).value()) {}
  Device& device() override { return *first_; }
  Device* other_end() override { return second_.get(); }
  void set_links_up() override {
    must(set_link_up(kFirst));
    must(set_link_up(kSecond));
  }
  void destroy() override { must(delete_link(kFirst)); }

 private:
  std::unique_ptr<KernelDevice> first_;
  std::unique_ptr<KernelDevice> second_;
};

base::Result<std::unique_ptr<Backend>> create_wireguard_go() {
  if (auto status = enter_private_network(); !status) return base::fail(status.error());
  static DirectLauncher go("wireguard-go");  // outlives the processes
  auto first = UserspaceProcess::adopt_or_start(kFirst, go);
  if (!first) return base::fail(first.error());
  auto second = UserspaceProcess::adopt_or_start(kSecond, go);
  if (!second) {
    (void)first->terminate();
    return base::fail(second.error());
  }
  return std::make_unique<WireguardGoBackend>(std::move(*first), std::move(*second));
}

base::Result<std::unique_ptr<Backend>> create_kernel() {
  const auto has_wireguard = kernel_has_wireguard();
  if (!has_wireguard) return base::fail(has_wireguard.error());
  if (!*has_wireguard) return base::fail(base::ErrorCode::kUnsupported, "this kernel has no WireGuard");
  if (auto status = enter_private_network(); !status) return base::fail(status.error());
  for (const char* interface : {kFirst, kSecond}) {
    if (auto status = add_kernel_link(interface); !status) return base::fail(status.error());
  }
  return std::make_unique<KernelBackend>();
}

// Sends one rtnetlink message and waits for its acknowledgement.
base::Status ask_rtnetlink(nlmsghdr* message, const char* what) {
  mnl_socket* const socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return base::fail_errno(errno, what);
  char buffer[8192];
  int result = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID);
  if (result >= 0) result = static_cast<int>(mnl_socket_sendto(socket, message, message->nlmsg_len));
  if (result >= 0) result = static_cast<int>(mnl_socket_recvfrom(socket, buffer, sizeof buffer));
  if (result >= 0) {
    result = mnl_cb_run(buffer, static_cast<std::size_t>(result), message->nlmsg_seq, mnl_socket_get_portid(socket),
                        nullptr, nullptr);
  }
  const int error = errno;
  mnl_socket_close(socket);
  if (result < 0) return base::fail_errno(error, what);
  return {};
}

nlmsghdr* start_link_message(void* buffer, std::uint16_t type, std::uint16_t flags, const std::string& interface) {
  nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = type;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  message->nlmsg_seq = 1;
  mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
  mnl_attr_put_strz(message, IFLA_IFNAME, interface.c_str());
  return message;
}

}  // namespace

BackendKind fake_backend() {
  return {"Fake", []() -> base::Result<std::unique_ptr<Backend>> { return std::make_unique<FakeBackend>(); }};
}
BackendKind wireguard_go_backend() { return {"WireguardGo", create_wireguard_go}; }
BackendKind kernel_backend() { return {"Kernel", create_kernel}; }

base::Status enter_private_network() {
  if (geteuid() != 0) return base::fail(base::ErrorCode::kPermission, "namespaces need root");
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) return base::fail_errno(errno, "unshare");
  // "none" and a directory that exists on every system: nothing leaves our mount namespace.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return base::fail_errno(errno, "mount --make-rprivate");
  for (const char* directory : {"/var", "/var/run", "/var/run/wireguard"}) {
    if (mkdir(directory, 0755) < 0 && errno != EEXIST) return base::fail_errno(errno, directory);
  }
  if (mount("anubis-test", "/var/run/wireguard", "tmpfs", 0, "mode=0700") < 0) return base::fail_errno(errno, "tmpfs");
  return set_link_up("lo");
}

base::Status set_link_up(const std::string& interface) {
  const base::Fd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket_fd.get(), SIOCGIFFLAGS, &request) < 0) return base::fail_errno(errno, "SIOCGIFFLAGS " + interface);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) < 0) return base::fail_errno(errno, "SIOCSIFFLAGS " + interface);
  return {};
}

base::Status add_kernel_link(const std::string& interface) {
  alignas(nlmsghdr) char buffer[512];
  nlmsghdr* const message = start_link_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, interface);
  nlattr* const info = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_str(message, IFLA_INFO_KIND, "wireguard");
  mnl_attr_nest_end(message, info);
  return ask_rtnetlink(message, "cannot create a WireGuard link");
}

base::Status delete_link(const std::string& interface) {
  alignas(nlmsghdr) char buffer[512];
  return ask_rtnetlink(start_link_message(buffer, RTM_DELLINK, 0, interface), "cannot delete a link");
}

}  // namespace anubis::wireguard
