// Both directions of the channel between anubisd and anubis-netd: what a taken-over anubisd may ask, and what anubisd
// would read as an answer.
//
// Input: a byte that says which, then the bytes of one answer, or a block for each request. What is short is filled
// with zeros: requests have one size.
#include <array>
#include <memory>
#include <vector>

#include <sys/socket.h>

#include "anubisd/netd/authority.h"
#include "anubisd/netd/channel.h"
#include "anubisd/netd/protocol.h"
#include "anubisd/netd/server.h"
#include "lib/base/log.h"
#include "tests/fuzz/gate_fixture.h"
#include "tests/unit/anubisd/fake_netd.h"

namespace anubis::fuzz {
namespace {

using netd::Operation;
using netd::Outcome;

constexpr std::size_t kMaxRequests = 12;  // their answers fit the socket, which nobody reads meanwhile

// --- answers ---

template <class T>
void check_records(const netd::ReplyHeader& header, const netd::ReplyBytes& bytes) {
  std::vector<T> records;
  if (!netd::decode_records(header, bytes, records)) return;
  require(records.size() == header.count, "as many records as the header says");
  std::span<const T> rest(records);
  const netd::ReplyBytes encoded = netd::encode_records(header.operation, rest);
  require(rest.empty(), "what came in one answer fits one");
  const auto again = netd::get_header(encoded);
  std::vector<T> same;
  require(again && netd::decode_records(*again, encoded, same) && same.size() == records.size(), "records survive");
  std::span<const T> copied(same);
  require(netd::encode_records(header.operation, copied) == encoded, "records survive as they were");
}

void answer(Bytes input) {
  netd::ReplyBytes bytes{};
  std::ranges::copy(input.first(std::min(input.size(), bytes.size())), bytes.begin());
  const auto header = netd::get_header(bytes);
  if (!header) return;
  if (header->outcome == Outcome::kFailed) {
    const auto error = netd::get_failure(*header, bytes);
    require(error.message.size() <= netd::kReplyRoom, "a text stays within its answer");
    const auto encoded = netd::encode_failure(header->operation, error);
    const auto again = netd::get_header(encoded);
    require(again && netd::get_failure(*again, encoded).message == error.message, "a failure survives");
    return;
  }
  check_records<netd::InterfaceReport>(*header, bytes);
  check_records<netd::PeerReport>(*header, bytes);
  check_records<netd::Interface>(*header, bytes);
  check_records<netd::Drift>(*header, bytes);
  check_records<netd::PeerIndex>(*header, bytes);
  check_records<netd::Presence>(*header, bytes);
  check_records<crypto::MessageKeys>(*header, bytes);
}

// --- requests ---

config::Config make_config() {
  const Parties parties;
  config::Config config;
  config.name = "xena";
  config.production.private_key = crypto::ProductionPrivateKey(Parties::secret_of(1));
  config.production.public_key = parties.xena_public;
  config.side.private_key = crypto::SidePrivateKey(Parties::secret_of(101));
  config.side.public_key = config.side.private_key.public_key();
  parties.directory.for_each([&](model::PeerIndex, const model::Peer& peer) { config.peers.push_back(peer); });
  return config;
}

// As many answers as there were requests before the first malformed one, each to its own.
void check_answers(netd::Channel& anubisd, const std::vector<Operation>& asked) {
  std::size_t answered = 0;
  while (true) {
    netd::ReplyBytes bytes{};
    const auto received = anubisd.receive(bytes);
    if (!received || received->size == 0) break;
    const auto header = netd::get_header(bytes);
    require(header.has_value(), "an answer has a header");
    require(answered < asked.size() && header->operation == asked[answered], "an answer belongs to its request");
    if (header->outcome != Outcome::kMore) ++answered;
  }
  require(answered == asked.size(), "each request is answered");
}

void requests(Reader reader) {
  static const std::unique_ptr<netd::Authority> authority =
      std::move(netd::Authority::create("/nonexistent/anubis.toml", make_config()).value());
  base::log::set_level(base::log::Level::kError);
  daemon::FakeNetd fake;
  auto channels = netd::Channel::create_pair();
  require(channels.has_value(), "there is a channel");
  auto& [anubisd, ours] = *channels;
  auto server = netd::Server::create(std::move(ours), fake, *authority, [](const auto&) { return base::Status(); });
  require(server.has_value(), "there is a server");

  std::vector<Operation> asked;
  bool malformed = false;
  for (std::size_t i = 0; i < kMaxRequests && !reader.at_end() && !malformed; ++i) {
    netd::RequestBytes bytes{};
    const Bytes block = reader.block();
    std::ranges::copy(block.first(std::min(block.size(), bytes.size())), bytes.begin());
    const auto request = netd::decode_request(bytes);
    if (request) {
      require(netd::encode(*request) == bytes, "a request has one encoding");
      if (request->operation == Operation::kBeginReload) continue;  // it has a thread of its own
    }
    // The one that needs a descriptor has none here.
    malformed = !request || request->operation == Operation::kWidenBuffer;
    if (!malformed) asked.push_back(request->operation);
    require(anubisd.send(bytes).has_value(), "a request is taken");
  }
  shutdown(anubisd.fd(), SHUT_WR);
  const auto end = server->serve(-1, [] { return false; });
  require((end == netd::ServingEnd::kMalformed) == malformed, "what is malformed ends it, and nothing else");
  {
    const netd::Server gone = std::move(*server);
  }
  check_answers(anubisd, asked);

  // Whoever asked: a peer's tunnel leads to where the configuration says.
  const auto jacinth = authority->directory().find_by_name("jacinth").value();
  for (const auto& install : fake.installs) {
    require(install.peer != jacinth || !install.endpoint || install.endpoint->address.to_string() == "192.0.2.1",
            "an endpoint that is configured stays");
  }
}

}  // namespace

void netd_channel(Bytes input) {
  Reader reader(input);
  if ((reader.byte() & 1) != 0) {
    answer(reader.rest());
  } else {
    requests(reader);
  }
}

}  // namespace anubis::fuzz
