#include "lib/interop/peer_names.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "lib/interop/peer_comment.h"

namespace anubis::interop {
namespace {

using Kind = PeerComment::Kind;

// The one of two names of a peer that is to be believed has the higher rank, and of one rank the first.
enum class Rank : std::uint8_t {
  kNone,
  kBefore,  // a comment above [Peer], the nearest
  kInside,  // in it, above its first key, or behind [Peer] or the public key
  kKeyed,   // which says that it is the name
};

// Goes through the lines of a file and keeps the best name of each [Peer].
class Namer {
 public:
  void take_line(std::string_view line) {
    const auto hash = std::min(line.find('#'), line.size());
    const std::string_view content = trimmed(line.substr(0, hash));
    const std::string_view comment = line.substr(hash);
    if (content.starts_with('[')) {
      begin_section(lower(content), comment);
    } else if (!content.empty()) {
      // Not the value, which may be a private key.
      take_key(lower(trimmed(content.substr(0, content.find('=')))), comment);
    } else if (comment.empty()) {
      // What stands above an empty line is a heading, unless it says that it is a name.
      if (pending_.kind != Kind::kKeyed) pending_ = {};
    } else {
      take_comment(classify_comment(comment));
    }
  }
  [[nodiscard]] std::vector<std::string> take_names() {
    std::vector<std::string> names;
    names.reserve(peers_.size());
    for (Named& peer : peers_) names.push_back(std::move(peer.name));
    return names;
  }

 private:
  struct Named {
    Rank rank = Rank::kNone;
    std::string name;
  };

  void begin_section(const std::string& header, std::string_view comment) {
    is_above_keys_ = header == "[peer]";
    is_in_peer_ = is_above_keys_;
    if (is_in_peer_) {
      peers_.emplace_back();
      offer(pending_, Rank::kBefore);
      offer(classify_comment(comment), Rank::kInside);
    }
    pending_ = {};
  }
  void take_key(const std::string& key, std::string_view comment) {
    // Between keys only what says that it is a name is one.
    if (is_in_peer_ && pending_.kind == Kind::kKeyed) offer(pending_, Rank::kKeyed);
    if (is_in_peer_ && key == "publickey") offer(classify_comment(comment), Rank::kInside);
    pending_ = {};
    is_above_keys_ = false;
  }
  // Behind a peer's keys it is about the next one.
  void take_comment(PeerComment comment) {
    switch (comment.kind) {
      case Kind::kNothing:
        return;
      case Kind::kCloses:
        pending_ = {};
        return;
      case Kind::kName:
      case Kind::kKeyed:
        if (is_above_keys_) return offer(comment, Rank::kInside);
        if (comment.kind >= pending_.kind) pending_ = std::move(comment);
        return;
    }
  }
  void offer(const PeerComment& comment, Rank rank) {
    if (comment.name.empty()) return;
    if (comment.kind == Kind::kKeyed) rank = Rank::kKeyed;
    if (rank > peers_.back().rank) peers_.back() = {rank, comment.name};
  }

  std::vector<Named> peers_;
  PeerComment pending_;  // the nearest name above this line that is nobody's yet
  bool is_in_peer_ = false;
  bool is_above_keys_ = false;
};

std::vector<std::string> names_in_comments(std::string_view text) {
  Namer namer;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    namer.take_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return namer.take_names();
}

std::string name_in_endpoint(const config::WgQuickPeer& peer) {
  if (!peer.endpoint || peer.endpoint->literal()) return {};
  return fit_peer_name(std::string_view(peer.endpoint->host).substr(0, peer.endpoint->host.find('.')));
}

// Providers name a file after the server: se-mma-wg-001.conf. "wg0" names none, and "wg0-client-alice" the client.
std::string name_in_file(const config::WgQuickFile& file, std::string_view file_stem) {
  const bool is_of_one_server = file.peers.size() == 1 && file.peers.front().endpoint;
  const bool is_of_interface = file_stem.starts_with("wg") || file_stem.find('-') == std::string_view::npos;
  return is_of_one_server && !is_of_interface ? fit_peer_name(file_stem) : "";
}

// Names that differ in case alone, or by a "wg" behind them, are one to the configuration.
std::string identity_of(std::string_view name) {
  std::string plain = lower(name);
  while (plain.size() > 2 && plain.ends_with("wg")) plain.resize(plain.size() - 2);
  return plain;
}

}  // namespace

std::vector<std::string> names_of_peers(std::string_view text, const config::WgQuickFile& file, std::string_view taken,
                                        std::string_view file_stem) {
  auto names = names_in_comments(config::without_byte_order_mark(text));
  if (names.size() != file.peers.size()) names.assign(file.peers.size(), "");  // rather none than another's
  std::set<std::string> used{identity_of(taken)};
  std::map<std::string, unsigned> numbers;  // that were given last, behind each name
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string& name = names[i];
    if (name.empty()) name = name_in_endpoint(file.peers[i]);
    if (name.empty()) name = name_in_file(file, file_stem);
    if (name.empty()) name = fmt::format("peer{}", i + 1);
    const std::string base = name;
    for (unsigned& number = numbers.try_emplace(base, 1).first->second; !used.insert(identity_of(name)).second;)
      name = fmt::format("{}-{}", base, ++number);
  }
  return names;
}

}  // namespace anubis::interop
