#include "tests/unit/gate/peers_end.h"

#include <algorithm>
#include <cstring>

namespace anubis::gate {
namespace {

template <class Key>
Key key_of(std::uint64_t number, std::uint8_t kind) {
  Key key;
  std::memcpy(key.bytes.data(), &number, sizeof number);
  key.bytes[kind] = 0xff;
  return key;
}

base::Secret<crypto::kKeySize> filled(std::uint8_t fill) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), fill);
  return secret;
}

base::Secret<crypto::kKeySize> to_gate(crypto::Suite suite) { return filled(static_cast<std::uint8_t>(suite)); }
base::Secret<crypto::kKeySize> from_gate(crypto::Suite suite) {
  return filled(static_cast<std::uint8_t>(0x80 + static_cast<unsigned>(suite)));
}

}  // namespace

base::Result<crypto::MessageKeys> CheapKeys::derive(PeerIndex, model::Speaker, crypto::Suite suite) {
  ++derived;
  return crypto::MessageKeys{.sending = from_gate(suite), .receiving = to_gate(suite)};
}

void PeersEndTest::start(Settings settings, std::size_t peers) {
  crypto::initialise();
  std::vector<model::Peer> authorised;
  for (std::size_t i = 0; i < peers; ++i) {
    model::Peer peer;
    peer.name = "peer" + std::to_string(i);
    peer.public_key = key_of<crypto::ProductionPublicKey>(i, 10);
    peer.side_public_key = key_of<crypto::SidePublicKey>(i, 11);
    std::array<std::uint8_t, 16> address{0xfd, 0x77};
    std::memcpy(address.data() + 8, &i, sizeof i);
    peer.side_address = model::IpAddress::v6(address);
    peer.endpoint = model::HostPort{"192.0.2.1", 4296};
    authorised.push_back(std::move(peer));
  }
  directory.replace(std::move(authorised));
  own_public_key = key_of<crypto::ProductionPublicKey>(peers, 12);
  gate = std::make_unique<Gatekeeper>(std::move(settings), directory, agreement, own_public_key, random);
}

PeerIndex PeersEndTest::index_of(std::size_t peer) const {
  return directory.find(key_of<crypto::ProductionPublicKey>(peer, 10)).value();
}

wire::Datagram PeersEndTest::request(const wire::Request& request, crypto::Suite suite, std::size_t peer) {
  const wire::Header header{.type = wire::MessageType::kRequest,
                            .suite = suite,
                            .request_id = random.bytes<std::tuple_size_v<wire::RequestId>>(),
                            .sender = key_of<crypto::ProductionPublicKey>(peer, 10),
                            .nonce = random.bytes<crypto::kNonceSize>()};
  return wire::seal_message(header, to_gate(suite), wire::create_request(request), wire::kRequestSize);
}

wire::Datagram PeersEndTest::reply_to(const wire::Datagram& asked, const wire::Reply& reply, std::size_t peer) {
  auto header = *wire::decode_header(asked);
  header.type = wire::MessageType::kReply;
  header.sender = key_of<crypto::ProductionPublicKey>(peer, 10);
  header.nonce = random.bytes<crypto::kNonceSize>();
  return wire::seal_message(header, to_gate(header.suite), wire::create_reply(reply), wire::kRequestSize);
}

void PeersEndTest::deliver(const wire::Datagram& datagram, std::size_t peer) {
  gate->receive(datagram, directory.get(index_of(peer))->side_address, 4298, now);
}

wire::Datagram PeersEndTest::sent() {
  const auto all = take<SendDatagram>();
  EXPECT_EQ(all.size(), 1u);
  return all.size() == 1 ? all[0].bytes : wire::Datagram{};
}

wire::Reply PeersEndTest::reply_in(const wire::Datagram& datagram) {
  const auto header = wire::decode_header(datagram).value();
  return wire::consume_reply(wire::open_message(header, from_gate(header.suite), datagram).value()).value();
}

wire::Request PeersEndTest::request_in(const wire::Datagram& datagram) {
  const auto header = wire::decode_header(datagram).value();
  return wire::consume_request(wire::open_message(header, from_gate(header.suite), datagram).value()).value();
}

wire::Reply PeersEndTest::answer_to(const wire::Request& asked, crypto::Suite suite, std::size_t peer) {
  deliver(request(asked, suite, peer), peer);
  return reply_in(sent());
}

}  // namespace anubis::gate
