// The command line of `anubis`. Pure, but for the environment (ANUBIS_SOCKET).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::cli {

enum class ColourChoice { kAuto, kAlways, kNever };

struct UpOptions {
  std::string name;
  std::optional<std::uint32_t> lease_seconds;       // absent: as configured; 0: until down
  std::optional<std::uint32_t> wanted_for_seconds;  // absent: until down
  bool persist = false;
  std::chrono::milliseconds timeout{};
};

struct SwitchOptions {
  std::string name;
  std::chrono::milliseconds timeout{};
};

struct DrainOptions {
  std::string to;
  std::chrono::milliseconds timeout{};
};

struct DownOptions {
  std::string name;  // empty with all
  bool all = false;
  std::chrono::milliseconds timeout{};
};

struct StatusOptions {
  std::string name;  // empty: all peers
  bool json = false;
  bool watch = false;
};

struct IsUpOptions {
  std::string name;
  bool verbose = false;
};

struct PeersOptions {
  bool json = false;
  bool keys = false;
};

struct HostsOptions {
  bool json = false;
};

struct MetricsOptions {
  std::string output;  // empty: standard output
};

struct CheckOptions {
  std::string name;
  std::optional<model::IpAddress> to;  // absent: the host's own addresses
  std::uint32_t count = 10;
  std::chrono::milliseconds timeout{};
  double most_loss_percent = 20;
  bool capture = true;
  bool json = false;
};

struct MonitorOptions {
  bool json = false;
};

struct ReloadOptions {};

enum class FirewallAction { kShow, kApply, kRemove };

struct FirewallOptions {
  FirewallAction action{};
  bool json = false;  // of kShow
};

struct NmEventOptions {
  std::string interface;
  std::string action;
  bool until_running = false;  // wait for a daemon that is being started
};

struct InitOptions {
  std::string config;
  std::string name;  // empty: the system's host name, made fit
  std::vector<model::InterfaceAddress> addresses;
  std::optional<model::HostPort> endpoint;
};

struct CardOptions {
  std::string config;
  bool qr = false;
  std::optional<model::HostPort> endpoint;  // absent: as configured
};

struct TrustOptions {
  std::string config;
  std::string file;                          // "-": standard input
  std::string name;                          // empty: as the card says
  std::vector<model::IpPrefix> allowed_ips;  // empty: the addresses of the card
  bool yes = false;
};

struct ImportOptions {
  std::string config;
  std::string file;
  std::string interface;  // empty: as the file is called
  bool dry_run = false;
};

struct ExportOptions {
  std::string config;
  std::string name;
  std::string output;  // empty: standard output
};

// A phone's configuration, for WireGuard's own app.
struct ProvisionOptions {
  std::string config;
  std::string name;
  std::vector<model::IpAddress> addresses;       // empty: free ones are taken
  std::optional<model::IpAddress> side_address;  // absent: it follows from the key
  std::vector<model::IpPrefix> reaches;          // empty: this host's WireGuard networks
  std::optional<model::HostPort> endpoint;       // of this host; absent: as configured
  std::optional<model::HostPort> side_endpoint;  // absent: the same host
  std::vector<model::IpAddress> dns_servers;
  std::vector<std::string> dns_search;
  std::uint16_t persistent_keepalive = 0;  // 0: off
  std::optional<std::chrono::seconds> lease;
  std::string public_key;  // the phone's own; empty: a key pair is made here
  std::string output;      // empty: on the terminal
  bool text = false;       // on standard output, as text
  bool companion = false;  // instead: the page of a peer that there is
  bool replace = false;    // with companion: also where it has one
};

struct InviteOptions {
  std::string config;
  std::string name;
  std::vector<model::IpPrefix> allowed_ips;
  std::vector<model::InterfaceAddress> addresses;  // of the new host; empty: from the allowed IPs
  std::vector<model::IpPrefix> through;            // what it may reach here; empty: this host's addresses
  std::optional<model::HostPort> endpoint;         // absent: as configured
  std::uint32_t valid_seconds = 0;
  bool qr = false;
};

struct JoinOptions {
  std::string config;
  std::string token;  // itself, the file that it stands in, or "-"
  bool yes = false;
  std::chrono::milliseconds timeout{};
};

struct RevokeOptions {
  std::string config;
  std::string name;
};

using Command = std::variant<UpOptions, DownOptions, DrainOptions, StatusOptions, IsUpOptions, PeersOptions,
                             HostsOptions, CheckOptions, MonitorOptions, ReloadOptions, FirewallOptions, NmEventOptions,
                             SwitchOptions, MetricsOptions, InitOptions, CardOptions, TrustOptions, ImportOptions,
                             ExportOptions, ProvisionOptions, InviteOptions, JoinOptions, RevokeOptions>;

struct Invocation {
  std::string socket_path;
  ColourChoice colour = ColourChoice::kAuto;
  Command command;
};

inline constexpr std::string_view kDefaultSocket = "/run/anubis/control.sock";

// The command line asks for nothing to be done: help, the version, or a mistake in usage (exit status 2).
struct NothingToDo {
  int exit_status = 0;
  std::string text;  // for standard output when exit_status is 0, else for standard error
};

[[nodiscard]] tl::expected<Invocation, NothingToDo> parse_arguments(int argc, const char* const* argv);

}  // namespace anubis::cli
