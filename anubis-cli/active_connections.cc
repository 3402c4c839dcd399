#include "anubis-cli/active_connections.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include <systemd/sd-bus.h>

#include "lib/base/clock.h"

namespace anubis::cli {
namespace {

using std::chrono::microseconds;

constexpr const char* kService = "org.freedesktop.NetworkManager";
constexpr const char* kManager = "/org/freedesktop/NetworkManager";
constexpr const char* kActive = "org.freedesktop.NetworkManager.Connection.Active";
constexpr std::uint32_t kActivated = 2;  // NM_ACTIVE_CONNECTION_STATE_ACTIVATED
// Nobody has more at a time; and the daemon takes no command of any length.
constexpr std::size_t kMost = 64;

struct Unref {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }  // without a wait
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

// An errno, negative.
using Failed = int;

class NetworkManager {
 public:
  explicit NetworkManager(base::Time deadline) : deadline_(deadline) {}

  // 0, or why not.
  Failed connect() {
    sd_bus* bus = nullptr;
    if (const int result = sd_bus_open_system(&bus); result < 0) return result;
    bus_.reset(bus);
    // Calls would wait for that themselves, but for as long as they like.
    while (true) {
      if (const int ready = sd_bus_is_ready(bus); ready != 0) return ready < 0 ? ready : 0;
      const int done = sd_bus_process(bus, nullptr);
      if (done < 0) return done;
      if (done > 0) continue;
      const auto left = time_left();
      if (left == microseconds(0)) return -ETIMEDOUT;
      if (const int waited = sd_bus_wait(bus, static_cast<std::uint64_t>(left.count())); waited < 0 && waited != -EINTR)
        return waited;
    }
  }

  // A reply that stands at the property's value, of that type; null, and `failed` says why.
  Message get(const char* path, const char* interface, const char* property, const char* type, Failed& failed) {
    sd_bus_message* call = nullptr;
    failed =
        sd_bus_message_new_method_call(bus_.get(), &call, kService, path, "org.freedesktop.DBus.Properties", "Get");
    const Message owned_call(call);
    if (failed >= 0) failed = sd_bus_message_set_auto_start(call, 0);
    if (failed >= 0) failed = sd_bus_message_append(call, "ss", interface, property);
    const auto left = time_left();
    if (failed >= 0 && left == microseconds(0)) failed = -ETIMEDOUT;
    if (failed < 0) return nullptr;

    sd_bus_message* reply = nullptr;
    sd_bus_error error{};
    failed = sd_bus_call(bus_.get(), call, static_cast<std::uint64_t>(left.count()), &error, &reply);
    Message owned_reply(reply);
    is_absent_ = sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN) != 0 ||
                 sd_bus_error_has_name(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) != 0;
    sd_bus_error_free(&error);
    if (failed >= 0) failed = sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, type);
    return failed < 0 ? nullptr : std::move(owned_reply);
  }

  // The last get() failed because it does not run.
  [[nodiscard]] bool is_absent() const { return is_absent_; }

  // 0: it is active. -ENOENT: it is not, or not yet.
  Failed read_connection(const char* path, ActiveConnection& connection) {
    Failed failed = 0;
    std::uint32_t state = 0;
    const Message state_reply = get(path, kActive, "State", "u", failed);
    if (state_reply) failed = sd_bus_message_read(state_reply.get(), "u", &state);
    if (failed < 0) return failed;
    if (state != kActivated) return -ENOENT;
    if (failed = read_text(path, "Id", connection.name); failed < 0) return failed;
    return read_text(path, "Uuid", connection.uuid);
  }

 private:
  Failed read_text(const char* path, const char* property, std::string& text) {
    Failed failed = 0;
    const char* value = nullptr;
    const Message reply = get(path, kActive, property, "s", failed);
    if (reply) failed = sd_bus_message_read(reply.get(), "s", &value);
    if (failed < 0) return failed;
    text = value;
    return 0;
  }

  [[nodiscard]] microseconds time_left() const {
    const auto left = deadline_ - base::BootClock::now();
    return std::max(std::chrono::duration_cast<microseconds>(left), microseconds(0));
  }

  base::Time deadline_;
  std::unique_ptr<sd_bus, Unref> bus_;
  bool is_absent_ = false;
};

}  // namespace

std::optional<std::vector<ActiveConnection>> active_connections(std::chrono::milliseconds patience) {
  std::vector<ActiveConnection> connections;
  NetworkManager manager(base::BootClock::now() + patience);
  Failed failed = manager.connect();
  // There is no D-Bus, so there is no NetworkManager.
  if (failed == -ENOENT || failed == -ECONNREFUSED) return connections;
  if (failed < 0) return std::nullopt;
  const Message paths = manager.get(kManager, kService, "ActiveConnections", "ao", failed);
  if (!paths) return manager.is_absent() ? std::optional(connections) : std::nullopt;
  if (sd_bus_message_enter_container(paths.get(), SD_BUS_TYPE_ARRAY, "o") < 0) return std::nullopt;
  const char* path = nullptr;
  while (connections.size() < kMost && sd_bus_message_read(paths.get(), "o", &path) > 0) {
    ActiveConnection connection;
    failed = manager.read_connection(path, connection);
    if (failed == -ETIMEDOUT) return std::nullopt;
    if (failed == 0) connections.push_back(std::move(connection));  // else it has just gone
  }
  return connections;
}

}  // namespace anubis::cli
