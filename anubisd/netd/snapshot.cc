#include "anubisd/netd/snapshot.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <netd.pb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

#ifndef ANUBIS_VERSION
#error "the build defines ANUBIS_VERSION"
#endif

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
constexpr std::size_t kLengthSize = 4;

// --- writing

class Writer {
 public:
  static Result<Writer> create() {
    base::Fd file(memfd_create("anubis-authorised-peers", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return base::fail_errno(errno, "cannot make a file in memory");
    return Writer(std::move(file));
  }

  Status put(const google::protobuf::MessageLite& message) {
    constexpr std::size_t kChunk = 256u << 10;
    const std::size_t size = message.ByteSizeLong();
    for (std::size_t i = 0; i < kLengthSize; ++i) buffer_.push_back(static_cast<char>(size >> (8 * i)));
    if (!message.AppendToString(&buffer_)) return fail(ErrorCode::kInternal, "cannot encode a peer");
    return buffer_.size() < kChunk ? Status() : flush();
  }

  Result<base::Fd> finish() {
    if (auto status = flush(); !status) return fail(status.error());
    if (fcntl(file_.get(), F_ADD_SEALS, kSeals) != 0) return base::fail_errno(errno, "cannot seal a file in memory");
    return std::move(file_);
  }

 private:
  explicit Writer(base::Fd file) : file_(std::move(file)) {}

  Status flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t put = write(file_.get(), rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return base::fail_errno(errno, "cannot write a file in memory");
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
    buffer_.clear();
    return {};
  }

  base::Fd file_;
  std::string buffer_;
};

template <class Bytes>
std::string text_of(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

snapshot::Failure failure_of(const base::Error& error) {
  snapshot::Failure failure;
  failure.set_code(static_cast<std::uint32_t>(error.code));
  failure.set_message(error.message);
  return failure;
}

void put_host_port(const model::HostPort& from, snapshot::HostPort& to) {
  to.set_host(from.host);
  to.set_port(from.port.value_or(0));
}

template <class Repeated>
void put_addresses(const std::vector<model::IpAddress>& from, Repeated& to) {
  for (const model::IpAddress& address : from) *to.Add() = text_of(address.bytes());
}

template <class Repeated>
void put_prefixes(const std::vector<model::IpPrefix>& from, Repeated& to) {
  for (const model::IpPrefix& prefix : from) {
    snapshot::Prefix& each = *to.Add();
    each.set_address(text_of(prefix.address().bytes()));
    each.set_length(prefix.length());
  }
}

void put_host(const model::Host& from, snapshot::Host& to) {
  to.set_name(from.name);
  put_addresses(from.addresses, *to.mutable_addresses());
  put_addresses(from.lan_addresses, *to.mutable_lan_addresses());
}

snapshot::Peer encode_peer(const model::Peer& peer) {
  snapshot::Peer out;
  out.set_name(peer.name);
  out.set_public_key(text_of(peer.public_key.bytes));
  out.set_side_public_key(text_of(peer.side_public_key.bytes));
  out.set_side_address(text_of(peer.side_address.bytes()));
  if (peer.endpoint) put_host_port(*peer.endpoint, *out.mutable_endpoint());
  if (peer.side_endpoint) put_host_port(*peer.side_endpoint, *out.mutable_side_endpoint());
  put_prefixes(peer.allowed_ips, *out.mutable_allowed_ips());
  put_addresses(peer.addresses, *out.mutable_addresses());
  put_addresses(peer.lan_addresses, *out.mutable_lan_addresses());
  for (const std::uint16_t port : peer.endpoint_ports) out.add_endpoint_ports(port);
  out.set_persistent_keepalive(peer.persistent_keepalive);
  if (peer.lease) out.set_lease_nanoseconds(peer.lease->count());
  if (peer.idle_timeout) out.set_idle_timeout_nanoseconds(peer.idle_timeout->count());
  out.set_group(peer.group);
  out.set_fails_over(peer.fails_over);
  if (peer.fail_back) out.set_fail_back_nanoseconds(peer.fail_back->count());
  out.set_is_automatic(peer.is_automatic);
  if (peer.companion_key) out.set_companion_key(text_of(peer.companion_key->bytes));
  out.set_is_plain(peer.is_plain);
  out.set_is_invitation(peer.is_invitation);
  out.set_secrets_version(peer.secrets_version);
  return out;
}

snapshot::Head encode_head(const PublicConfig& config) {
  snapshot::Head head;
  head.set_version(ANUBIS_VERSION);
  head.set_name(config.name);
  head.set_group(config.group);
  for (const crypto::Suite suite : config.suites) head.add_suites(static_cast<std::uint8_t>(suite));
  snapshot::Production& production = *head.mutable_production();
  production.set_interface(config.production.interface);
  production.set_public_key(text_of(config.production.public_key.bytes));
  production.set_listen_port(config.production.listen_port);
  put_prefixes(config.production.throw_ranges, *production.mutable_throw_());
  put_prefixes(config.production.direct_ranges, *production.mutable_direct());
  snapshot::Side& side = *head.mutable_side();
  side.set_interface(config.side.interface);
  side.set_public_key(text_of(config.side.public_key.bytes));
  side.set_service_port(config.side.service_port);
  side.set_address(text_of(config.side.address.bytes()));
  head.set_companion_port(config.companion_port);
  head.mutable_control()->set_socket(config.control.socket.native());
  head.mutable_control()->set_group(config.control.group);
  head.mutable_control()->set_stop_timeout_nanoseconds(config.control.stop_timeout.count());
  snapshot::Roaming& roaming = *head.mutable_roaming();
  for (const roaming::Mark& mark : config.roaming.home) roaming.add_home(roaming::to_string(mark));
  roaming.set_hold_down_nanoseconds(config.roaming.hold_down.count());
  snapshot::Metrics& metrics = *head.mutable_metrics();
  if (config.metrics.listen) {
    metrics.set_address(text_of(config.metrics.listen->address.bytes()));
    metrics.set_port(config.metrics.listen->port);
  }
  metrics.set_max_peers(config.metrics.max_peers);
  put_host(config.hosts.own, *head.mutable_own());
  for (const model::Host& host : config.hosts.others) put_host(host, *head.add_hosts());
  return head;
}

// --- reading

// The file, mapped; and what of it is not read yet.
class Reader {
 public:
  static Result<Reader> create(const base::Fd& file) {
    struct stat status{};
    if (fstat(file.get(), &status) != 0) return base::fail_errno(errno, "cannot examine the authorised peers");
    // Not sealed, it could be cut short under us, which would be the end of this process.
    if (fcntl(file.get(), F_GET_SEALS) != kSeals || status.st_size <= 0) return malformed();
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory == MAP_FAILED) return base::fail_errno(errno, "cannot read the authorised peers");
    return Reader(memory, size);
  }
  Reader(Reader&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), size_(other.size_), rest_(other.rest_) {}
  Reader& operator=(Reader&&) = delete;
  ~Reader() {
    if (memory_ != nullptr) munmap(memory_, size_);
  }

  Status take(google::protobuf::MessageLite& message) {
    if (rest_.size() < kLengthSize) return malformed();
    std::size_t size = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i) size |= std::size_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
    rest_.remove_prefix(kLengthSize);
    if (size > rest_.size() || size > std::numeric_limits<int>::max() ||
        !message.ParseFromArray(rest_.data(), static_cast<int>(size))) {
      return malformed();
    }
    rest_.remove_prefix(size);
    return {};
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  static tl::unexpected<base::Error> malformed() {
    return fail(ErrorCode::kInternal, "anubis-netd handed over something that is no list of peers");
  }

 private:
  Reader(void* memory, std::size_t size)
      : memory_(memory), size_(size), rest_(static_cast<const char*>(memory), size) {}

  void* memory_;
  std::size_t size_;
  std::string_view rest_;
};

base::Error error_of(const snapshot::Failure& failure) {
  const bool known = failure.code() <= static_cast<std::uint32_t>(ErrorCode::kInternal);
  return {known ? static_cast<ErrorCode>(failure.code()) : ErrorCode::kInternal, failure.message()};
}

bool get_key(const std::string& from, crypto::PublicKey& to) {
  if (from.size() != to.bytes.size()) return false;
  std::memcpy(to.bytes.data(), from.data(), from.size());
  return true;
}

std::optional<model::IpAddress> get_address(const std::string& from) {
  std::array<std::uint8_t, 16> bytes{};
  if (from.size() != 4 && from.size() != 16) return std::nullopt;
  std::memcpy(bytes.data(), from.data(), from.size());
  if (from.size() == 4) return model::IpAddress::v4(std::span(bytes).first<4>());
  return model::IpAddress::v6(bytes);
}

std::optional<std::uint16_t> get_port(std::uint32_t from) {
  if (from > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(from);
}

bool get_host_port(const snapshot::HostPort& from, std::optional<model::HostPort>& to) {
  const auto port = get_port(from.port());
  if (!port || *port == 0) return false;
  to = model::HostPort{from.host(), port};
  return true;
}

template <class Repeated>
bool get_addresses(const Repeated& from, std::vector<model::IpAddress>& to) {
  for (const std::string& bytes : from) {
    const auto address = get_address(bytes);
    if (!address) return false;
    to.push_back(*address);
  }
  return true;
}

template <class Repeated>
bool get_prefixes(const Repeated& from, std::vector<model::IpPrefix>& to) {
  for (const snapshot::Prefix& prefix : from) {
    const auto address = get_address(prefix.address());
    if (!address || prefix.length() > address->bits()) return false;
    to.emplace_back(*address, static_cast<std::uint8_t>(prefix.length()));
  }
  return true;
}

bool get_host(const snapshot::Host& from, model::Host& to) {
  to.name = from.name();
  return get_addresses(from.addresses(), to.addresses) && get_addresses(from.lan_addresses(), to.lan_addresses);
}

std::optional<model::Peer> decode_peer(const snapshot::Peer& in) {
  model::Peer peer{.name = in.name()};
  const auto side_address = get_address(in.side_address());
  const auto keepalive = get_port(in.persistent_keepalive());
  if (!get_key(in.public_key(), peer.public_key) || !get_key(in.side_public_key(), peer.side_public_key) ||
      !side_address || !keepalive || (in.has_endpoint() && !get_host_port(in.endpoint(), peer.endpoint)) ||
      (in.has_side_endpoint() && !get_host_port(in.side_endpoint(), peer.side_endpoint))) {
    return std::nullopt;
  }
  peer.side_address = *side_address;
  if (!get_prefixes(in.allowed_ips(), peer.allowed_ips) || !get_addresses(in.addresses(), peer.addresses) ||
      !get_addresses(in.lan_addresses(), peer.lan_addresses)) {
    return std::nullopt;
  }
  for (const std::uint32_t number : in.endpoint_ports()) {
    const auto port = get_port(number);
    if (!port || *port == 0) return std::nullopt;
    peer.endpoint_ports.push_back(*port);
  }
  peer.persistent_keepalive = *keepalive;
  if (in.has_lease_nanoseconds()) peer.lease = base::Duration(in.lease_nanoseconds());
  if (in.has_idle_timeout_nanoseconds()) peer.idle_timeout = base::Duration(in.idle_timeout_nanoseconds());
  peer.group = in.group();
  peer.fails_over = in.fails_over();
  if (in.has_fail_back_nanoseconds()) peer.fail_back = base::Duration(in.fail_back_nanoseconds());
  peer.is_automatic = in.is_automatic();
  if (!in.companion_key().empty() && !get_key(in.companion_key(), peer.companion_key.emplace())) return std::nullopt;
  peer.is_plain = in.is_plain();
  peer.is_invitation = in.is_invitation();
  peer.secrets_version = in.secrets_version();
  return peer;
}

std::optional<PublicConfig> decode_config(const snapshot::Head& head) {
  PublicConfig config;
  config.name = head.name();
  config.group = head.group();
  config.suites.clear();
  for (const std::uint32_t number : head.suites()) {
    const auto suite = crypto::find_suite(number);
    if (!suite) return std::nullopt;
    config.suites.push_back(*suite);
  }
  if (config.suites.empty()) return std::nullopt;
  config.production.interface = head.production().interface();
  config.side.interface = head.side().interface();
  config.control = {head.control().socket(), head.control().group(),
                    base::Duration(head.control().stop_timeout_nanoseconds())};
  const auto listen_port = get_port(head.production().listen_port());
  const auto service_port = get_port(head.side().service_port());
  const auto address = get_address(head.side().address());
  const auto companion_port = get_port(head.companion_port());
  if (!get_key(head.production().public_key(), config.production.public_key) ||
      !get_key(head.side().public_key(), config.side.public_key) || !listen_port || !service_port || !address ||
      !companion_port) {
    return std::nullopt;
  }
  config.production.listen_port = *listen_port;
  config.companion_port = *companion_port;
  config.side.service_port = *service_port;
  config.side.address = *address;
  for (const std::string& text : head.roaming().home()) {
    auto mark = roaming::parse_mark(text);
    if (!mark) return std::nullopt;
    config.roaming.home.push_back(*mark);
  }
  config.roaming.hold_down = base::Duration(head.roaming().hold_down_nanoseconds());
  config.metrics.max_peers = head.metrics().max_peers();
  if (!head.metrics().address().empty()) {
    const auto metrics_address = get_address(head.metrics().address());
    const auto metrics_port = get_port(head.metrics().port());
    if (!metrics_address || !metrics_port) return std::nullopt;
    config.metrics.listen = model::Endpoint{.address = *metrics_address, .port = *metrics_port};
  }
  if (!get_prefixes(head.production().throw_(), config.production.throw_ranges) ||
      !get_prefixes(head.production().direct(), config.production.direct_ranges) ||
      !get_host(head.own(), config.hosts.own)) {
    return std::nullopt;
  }
  for (const snapshot::Host& host : head.hosts()) {
    if (!get_host(host, config.hosts.others.emplace_back())) return std::nullopt;
  }
  return config;
}

}  // namespace

Result<base::Fd> write_snapshot(const PublicConfig& config, const model::PeerDirectory& directory,
                                const std::vector<std::string>& restart_needed, const Status& applied) {
  auto writer = Writer::create();
  if (!writer) return fail(writer.error());
  snapshot::Head head = encode_head(config);
  head.set_peers(static_cast<std::uint32_t>(directory.size()));
  for (const std::string& section : restart_needed) head.add_restart_needed(section);
  if (!applied) *head.mutable_not_applied() = failure_of(applied.error());
  Status status = writer->put(head);
  directory.for_each([&](PeerIndex, const model::Peer& peer) {
    if (status) status = writer->put(encode_peer(peer));
  });
  if (!status) return fail(status.error());
  return writer->finish();
}

Result<base::Fd> write_failure(const base::Error& error) {
  auto writer = Writer::create();
  if (!writer) return fail(writer.error());
  snapshot::Head head;
  head.set_version(ANUBIS_VERSION);
  *head.mutable_failure() = failure_of(error);
  if (auto status = writer->put(head); !status) return fail(status.error());
  return writer->finish();
}

Result<Snapshot> read_snapshot(const base::Fd& file) {
  auto reader = Reader::create(file);
  if (!reader) return fail(reader.error());
  snapshot::Head head;
  if (auto status = reader->take(head); !status) return fail(status.error());
  if (head.version() != ANUBIS_VERSION) {
    return fail(ErrorCode::kInternal, fmt::format("anubis-netd is of version {}, anubisd of version " ANUBIS_VERSION
                                                  ": install both from one build, and restart both",
                                                  base::log::escaped(head.version(), 32)));
  }
  if (head.has_failure()) return fail(error_of(head.failure()));

  auto config = decode_config(head);
  if (!config) return Reader::malformed();
  Snapshot out{std::move(*config), {}};
  out.set.restart_needed.assign(head.restart_needed().begin(), head.restart_needed().end());
  if (head.has_not_applied()) out.set.applied = fail(error_of(head.not_applied()));
  snapshot::Peer each;
  while (!reader->at_end()) {
    if (auto status = reader->take(each); !status) return fail(status.error());
    auto peer = decode_peer(each);
    if (!peer) return Reader::malformed();
    out.set.peers.push_back(std::move(*peer));
  }
  if (out.set.peers.size() != head.peers()) return Reader::malformed();
  return out;
}

}  // namespace anubis::netd
