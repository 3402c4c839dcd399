// What anubisd may ask of anubis-netd: the whole of it. A request is one datagram of kRequestSize bytes, and each
// answer one or more of kReplySize, on a Unix socket of the kind SOCK_SEQPACKET between the two.
//
//   request           carries                                     netd does, and answers
//   bring-up          interface                                   brings it to its configuration: InterfaceReport
//   to-heal           -                                           the interfaces that want bring-up
//   take-drift        -                                           Drift: what others did, and netd has put right
//   installed-peers   -                                           the peers that are up
//   install           peer, endpoint?, flags, preshared key?      puts it on the production interface: Presence
//   remove            peer                                        takes it from there
//   carry             peer, server?                               moves what is the peer's to that server, or back
//   carried           -                                           Carried: which peers' is with which servers
//   handshake-done    peer                                        ends a keepalive that was for the handshake only
//   report-all        interface                                   PeerReport of each
//   report-one        interface, peer                             PeerReport, if it stands there
//   side-endpoint     peer, endpoint                              points its side tunnel there
//   message-keys      peer, suite                                 crypto::MessageKeys; the private key stays in netd
//   companion-keys    peer, suite                                 the same, for its companion's key
//   look-around       -                                           Sighting of each address and default route of others'
//   firewall-report   -                                           FirewallReport, in parts
//   firewall-rules    -                                           the rules of our table, in parts
//   firewall-apply    -                                           puts it in place, whatever is configured
//   firewall-remove   -                                           takes it away until then, or until netd's next start
//   bearer-way        endpoint, of which the address counts       whether a packet that bears a tunnel has a way there
//   widen-buffer      a datagram socket (SCM_RIGHTS)              gives it a large receive buffer, and closes it
//   enrol             peer, newcomer                              makes the invited host a peer, in the files
//   begin-reload      -                                           reads the configuration again, in the background
//   take-reload       -                                           puts it into force: a snapshot (SCM_RIGHTS)
//   tear-down         -                                           takes away all that is ours
//
// What is checked: the table below says which fields a request carries; all others must be zero, enumerators known, an
// endpoint's family known. Whatever breaks that is no request of ours: netd closes the channel. Then, with an error for
// an answer: the peer is one that netd itself has loaded, and the endpoint is one that the peer may have (authority.h).
// Allowed IPs, keys, names, ports and routes netd looks up; nobody can pass them in.
//
// Both programs are of one build, which the greeting compares (snapshot.h), so numbers are in the machine's own order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "anubisd/netd/netd.h"
#include "lib/crypto/sealing.h"

namespace anubis::netd {

constexpr std::size_t kRequestSize = 256;
constexpr std::size_t kReplySize = 1024;

// netd speaks first. The descriptors of its greeting are the snapshot (snapshot.h) and three pipes, which end with
// netd: they become readable when interfaces want healing, when a reload can be taken, and when the surroundings
// changed. With the snapshot alone, it holds the reason why there is nothing to ask for.
inline constexpr std::array<std::uint8_t, 16> kGreeting{'a', 'n', 'u', 'b', 'i', 's', '-', 'n', 'e', 't', 'd'};
constexpr std::size_t kGreetingDescriptors = 4;

enum class Operation : std::uint8_t {
  kBringUp = 1,
  kToHeal,
  kInstalledPeers,
  kInstall,
  kRemove,
  kHandshakeDone,
  kReportAll,
  kReportOne,
  kSideEndpoint,
  kMessageKeys,
  kWidenBuffer,
  kBeginReload,
  kTakeReload,
  kTearDown,
  kTakeDrift,
  kLookAround,
  kFirewallReport,
  kFirewallRules,
  kFirewallApply,
  kFirewallRemove,
  kCarry,
  kCarried,
  kEnrol,
  kBearerWay,
  kCompanionKeys,
};

enum class Field : std::uint8_t { kNo, kMay, kMust };

// Which fields a request carries.
struct RequestKind {
  Operation operation{};
  std::string_view name;
  Field interface{};
  Field peer{};
  Field endpoint{};
  Field flags{};
  Field suite{};
  Field preshared_key{};
  Field server{};
  Field descriptor{};
  Field newcomer = Field::kNo;
};

// clang-format off
namespace table {
using enum Field;
using enum Operation;
inline constexpr std::array kRows{
  //                                              interface  peer   endpoint  flags  suite  key    server  descriptor  newcomer
  RequestKind{kBringUp,        "bring-up",        kMust,     kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kToHeal,         "to-heal",         kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kTakeDrift,      "take-drift",      kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kInstalledPeers, "installed-peers", kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kInstall,        "install",         kNo,       kMust, kMay,     kMay,  kNo,   kMay,  kNo,    kNo},
  RequestKind{kRemove,         "remove",          kNo,       kMust, kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kCarry,          "carry",           kNo,       kMust, kNo,      kNo,   kNo,   kNo,   kMay,   kNo},
  RequestKind{kCarried,        "carried",         kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kHandshakeDone,  "handshake-done",  kNo,       kMust, kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kReportAll,      "report-all",      kMust,     kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kReportOne,      "report-one",      kMust,     kMust, kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kSideEndpoint,   "side-endpoint",   kNo,       kMust, kMust,    kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kLookAround,     "look-around",     kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kFirewallReport, "firewall-report", kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kFirewallRules,  "firewall-rules",  kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kFirewallApply,  "firewall-apply",  kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kFirewallRemove, "firewall-remove", kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kMessageKeys,    "message-keys",    kNo,       kMust, kNo,      kNo,   kMust, kNo,   kNo,    kNo},
  RequestKind{kBearerWay,      "bearer-way",      kNo,       kNo,   kMust,    kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kCompanionKeys,  "companion-keys",  kNo,       kMust, kNo,      kNo,   kMust, kNo,   kNo,    kNo},
  RequestKind{kWidenBuffer,    "widen-buffer",    kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kMust},
  RequestKind{kEnrol,          "enrol",           kNo,       kMust, kNo,      kNo,   kNo,   kNo,   kNo,    kNo,        kMust},
  RequestKind{kBeginReload,    "begin-reload",    kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kTakeReload,     "take-reload",     kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
  RequestKind{kTearDown,       "tear-down",       kNo,       kNo,   kNo,      kNo,   kNo,   kNo,   kNo,    kNo},
};
}  // namespace table
// clang-format on

[[nodiscard]] const RequestKind* find_kind(std::uint8_t operation);

struct Request {
  Operation operation{};
  Interface interface{};
  PeerIndex peer{};
  std::optional<model::Endpoint> endpoint;
  bool recreate = false;
  bool initiate_handshake = false;
  bool with_routes = false;
  bool take_over = false;
  crypto::Suite suite{};
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;
  std::optional<PeerIndex> server;
  std::optional<Newcomer> newcomer;
};

using RequestBytes = std::array<std::uint8_t, kRequestSize>;

// What the operation does not carry is left out. The bytes may hold a preshared key: wipe them.
[[nodiscard]] RequestBytes encode(const Request& request);
// kInvalid: no such request.
[[nodiscard]] base::Result<Request> decode_request(std::span<const std::uint8_t> bytes);

// --- answers

// An answer that does not fit one datagram comes in several, all but the last with kMore.
enum class Outcome : std::uint8_t { kDone, kMore, kFailed };

struct ReplyHeader {
  Operation operation{};
  Outcome outcome{};
  base::ErrorCode code{};   // of a failure
  std::uint16_t count = 0;  // records behind it, or of a failure the bytes of its text
};

constexpr std::size_t kReplyHeaderSize = 8;
constexpr std::size_t kReplyRoom = kReplySize - kReplyHeaderSize;
using ReplyBytes = std::array<std::uint8_t, kReplySize>;

// Records have a fixed size each; as many stand behind the header as it says, then zeros.
template <class T>
struct Record;  // kSize, put(value, bytes), get(bytes) -> optional
template <class T>
constexpr std::size_t kPerReply = kReplyRoom / Record<T>::kSize;

template <>
struct Record<InterfaceReport> {
  static constexpr std::size_t kSize = 24;
  static void put(const InterfaceReport& report, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<InterfaceReport> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<PeerReport> {
  static constexpr std::size_t kSize = 56;
  static void put(const PeerReport& report, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<PeerReport> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<Interface> {
  static constexpr std::size_t kSize = 1;
  static void put(Interface which, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<Interface> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<Drift> {
  static constexpr std::size_t kSize = 12;
  static void put(const Drift& drift, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<Drift> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<PeerIndex> {
  static constexpr std::size_t kSize = 4;
  static void put(PeerIndex peer, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<PeerIndex> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<Carried> {
  static constexpr std::size_t kSize = 8;
  static void put(const Carried& carried, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<Carried> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<Presence> {
  static constexpr std::size_t kSize = 1;
  static void put(Presence presence, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<Presence> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<model::Sighting> {
  static constexpr std::size_t kSize = 44;
  static void put(const model::Sighting& sighting, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<model::Sighting> get(std::span<const std::uint8_t, kSize> in);
};
// Of something that has no fixed size.
struct Part {
  std::string bytes;
};
template <>
struct Record<Part> {
  static constexpr std::size_t kSize = kReplyRoom;
  static constexpr std::size_t kRoom = kSize - 2;  // behind its length
  static void put(const Part& part, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<Part> get(std::span<const std::uint8_t, kSize> in);
};
template <>
struct Record<crypto::MessageKeys> {
  static constexpr std::size_t kSize = 2 * crypto::kKeySize;
  static void put(const crypto::MessageKeys& keys, std::span<std::uint8_t, kSize> out);
  [[nodiscard]] static std::optional<crypto::MessageKeys> get(std::span<const std::uint8_t, kSize> in);
};

void put_header(const ReplyHeader& header, ReplyBytes& out);
// None: no header of an answer.
[[nodiscard]] std::optional<ReplyHeader> get_header(std::span<const std::uint8_t> bytes);

[[nodiscard]] ReplyBytes encode_failure(Operation operation, const base::Error& error);
// What a header with kFailed introduces. Text that is too long comes cut.
[[nodiscard]] base::Error get_failure(const ReplyHeader& header, std::span<const std::uint8_t> bytes);

// The next reply that carries as many of the records as fit, which it takes off the span. The last one has kDone.
template <class T>
[[nodiscard]] ReplyBytes encode_records(Operation operation, std::span<const T>& records) {
  ReplyBytes out{};
  const std::size_t count = std::min(records.size(), kPerReply<T>);
  put_header(
      {operation, count < records.size() ? Outcome::kMore : Outcome::kDone, {}, static_cast<std::uint16_t>(count)},
      out);
  constexpr std::size_t kSize = Record<T>::kSize;
  for (std::size_t i = 0; i < count; ++i) {
    Record<T>::put(records[i], std::span<std::uint8_t, kSize>(out.data() + kReplyHeaderSize + i * kSize, kSize));
  }
  records = records.subspan(count);
  return out;
}

// Appends the records behind a header with kDone or kMore. False: they are not what the header says.
template <class T>
[[nodiscard]] bool decode_records(const ReplyHeader& header, const ReplyBytes& bytes, std::vector<T>& out) {
  if (header.count > kPerReply<T>) return false;
  constexpr std::size_t kSize = Record<T>::kSize;
  for (std::size_t i = 0; i < header.count; ++i) {
    auto value =
        Record<T>::get(std::span<const std::uint8_t, kSize>(bytes.data() + kReplyHeaderSize + i * kSize, kSize));
    if (!value) return false;
    out.push_back(std::move(*value));
  }
  return true;
}

}  // namespace anubis::netd
