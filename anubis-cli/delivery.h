// A secret that is handed out once: as a QR code on the terminal, as a picture, or as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "anubis-cli/change.h"
#include "anubis-cli/failure.h"
#include "lib/base/secret_text.h"
#include "lib/qr/code.h"

namespace anubis::cli {

// For prepare(), where these options are there.
constexpr std::string_view kPictureOrText = "have a picture with --output FILE.png, or the text with --text";

enum class Form { kScreen, kText, kPng, kSvg, kConf };

// Whether text is wanted, else what the output's name ends in. USAGE for an end that means nothing.
Outcome<Form> form_of(const std::string& output, bool text);
[[nodiscard]] bool is_code(Form form);

struct Delivery {
  Form form = Form::kScreen;
  base::SecretText text;
  std::optional<qr::Code> code;
};

// Before anything is changed: whether it can be handed out at all. INSTEAD: what to do when not, as "have the text".
Outcome<Delivery> prepare(Form form, base::SecretText text, std::string_view instead);

// Into a new file that only its owner can read, as a part of the change; nothing for kScreen and kText.
Outcome<void> write_output(config::Transaction& files, const Delivery& delivery, const std::string& output);

// For kScreen and kText; nothing for others. CAPTION is a printable line below the code. Returns the signal that ended
// it, or 0.
Outcome<int> hand_out(const Delivery& delivery, const std::string& caption);

// A message: on standard error where standard output is for the text.
void tell(const Delivery& delivery, std::string_view line);

// The exit status, when it was that signal or 0; by the signal, where that ends us.
[[nodiscard]] int ended_by(int signal);

}  // namespace anubis::cli
