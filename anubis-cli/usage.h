// What the files share that describe the command line to CLI11. Internal to arguments.cc and its like.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace anubis::cli {

// A mistake that CLI11 does not see. Thrown there and caught in parse_arguments(), beside CLI11's own.
struct UsageError {
  std::string message;
};

// What was typed behind an option, as T::parse(text) understands it; UsageError when it does not.
template <class T>
std::vector<T> parse_all(const char* option, const std::vector<std::string>& texts) {
  std::vector<T> values;
  for (const std::string& text : texts) {
    auto value = T::parse(text);
    if (!value) throw UsageError{std::string(option) + ": " + value.error().message};
    values.push_back(std::move(*value));
  }
  return values;
}

// None for an option that was not given.
template <class T>
std::optional<T> parse_one(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  return parse_all<T>(option, {text}).front();
}

CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* footer);

// The option --config, with its default, $ANUBIS_CONFIG else /etc/anubis/anubis.toml, in CONFIG.
void add_config(CLI::App* command, std::string& config);

// CONFIG as a path from the root: key files and conf.d stand beside it. UsageError when it is empty.
[[nodiscard]] std::string absolute_config(const std::string& config);

// UsageError unless a peer can be called that: "" is fine for check_name().
void check_name(const std::string& name);
void require_name(const std::string& name);
// Unless the configuration takes it, too; "" is fine.
void check_new_name(const std::string& name);

}  // namespace anubis::cli
