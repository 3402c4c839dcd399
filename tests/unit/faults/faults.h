// Netlink sockets that fail when they are told to: real ones, with a layer between them and whoever uses them.
//
// A site is what a message asks the kernel for ("route add"). The nth message of a site fails in one of several ways:
//
//   open       there is no socket
//   send       the socket does not take it
//   answer     the kernel refuses it: it never sees it, and the answer bears the error
//   receive    it is done, but reading the answer fails; ENOBUFS: and the answer is lost
//   interrupt  what a dump lists changed meanwhile (NLM_F_DUMP_INTR)
//   cut        the answer was longer than the buffer
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/network/transaction.h"
#include "lib/network/watcher.h"
#include "lib/wireguard/netlink_connection.h"

namespace anubis::faults {

enum class Way { kOpen, kSend, kAnswer, kReceive, kInterrupt, kCut };
[[nodiscard]] const char* name_of(Way way);

struct Fault {
  std::string site;
  std::size_t occurrence = 0;  // the first is 1
  Way way{};
  int error = 0;
  bool for_good = false;  // all later ones, too
};

// What all sockets of a test share: counts what passes, and says what is to fail. One thread.
class Plan {
 public:
  void arm(Fault fault);
  // Nothing fails any more; what has passed is forgotten.
  void disarm();

  // A message of that site is on its way. The way in which it is to fail, if it is.
  [[nodiscard]] const Fault* pass(const std::string& site);

  [[nodiscard]] const std::map<std::string, std::size_t>& passed() const { return passed_; }
  [[nodiscard]] std::size_t total() const;
  [[nodiscard]] bool has_struck() const { return has_struck_; }

 private:
  std::optional<Fault> fault_;
  std::map<std::string, std::size_t> passed_;
  bool has_struck_ = false;
};

// All open the real thing.
[[nodiscard]] network::Transactor::Open faulty_route_channels(Plan& plan);
// Each reading is a "notification".
[[nodiscard]] network::Watcher::Open faulty_notifications(Plan& plan);
[[nodiscard]] wireguard::NetlinkPortFactory faulty_generic_netlink(Plan& plan);

// "EINTR"
[[nodiscard]] std::string name_of_error(int error);

}  // namespace anubis::faults
