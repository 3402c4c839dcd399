#include "anubis-cli/delivery.h"

#include <csignal>

#include "anubis-cli/output.h"
#include "anubis-cli/qr_screen.h"
#include "lib/qr/picture.h"

namespace anubis::cli {

Outcome<Form> form_of(const std::string& output, bool text) {
  if (text) return Form::kText;
  if (output.empty()) return Form::kScreen;
  if (output.ends_with(".png")) return Form::kPng;
  if (output.ends_with(".svg")) return Form::kSvg;
  if (output.ends_with(".conf")) return Form::kConf;
  return fail(control::USAGE,
              "--output: " + output + " says by its end neither .png nor .svg (a QR code) nor .conf (the text)");
}

bool is_code(Form form) {
  switch (form) {
    case Form::kScreen:
    case Form::kPng:
    case Form::kSvg:
      return true;
    case Form::kText:
    case Form::kConf:
      break;
  }
  return false;
}

Outcome<Delivery> prepare(Form form, base::SecretText text, std::string_view instead) {
  Delivery delivery{.form = form, .text = std::move(text), .code = {}};
  if (!is_code(form)) return delivery;
  auto code = qr::Code::create(delivery.text.view());
  if (!code) {  // only a phone's configuration can be so long
    return fail(control::FAILED,
                code.error().message + "; name fewer ranges with --reach, or have the text: --output FILE.conf");
  }
  delivery.code = std::move(*code);
  if (form != Form::kScreen) return delivery;
  if (const auto obstacle = why_not_on_terminal(*delivery.code, instead)) return fail(control::FAILED, *obstacle);
  return delivery;
}

Outcome<void> write_output(config::Transaction& files, const Delivery& delivery, const std::string& output) {
  switch (delivery.form) {
    case Form::kScreen:
    case Form::kText:
      return {};
    case Form::kConf:
      return outcome_of(files.create_file(output, delivery.text.view(), config::kSecretMode));
    case Form::kSvg:
      return outcome_of(files.create_file(output, qr::to_svg(*delivery.code).view(), config::kSecretMode));
    case Form::kPng: {
      const auto png = qr::to_png(*delivery.code);
      if (!png) return tl::unexpected(failure_of(png.error()));
      return outcome_of(files.create_file(output, *png, config::kSecretMode));
    }
  }
  return {};
}

Outcome<int> hand_out(const Delivery& delivery, const std::string& caption) {
  switch (delivery.form) {
    case Form::kScreen: {
      const auto shown = show_on_terminal(*delivery.code, caption);
      if (!shown) return fail(control::FAILED, shown.error().message);
      return *shown;
    }
    case Form::kText: {
      const auto text = delivery.text.view();
      if (print_secret(text) && (text.ends_with('\n') || print_secret("\n"))) return 0;
      return fail(control::FAILED, "cannot write to standard output");
    }
    case Form::kPng:
    case Form::kSvg:
    case Form::kConf:
      break;
  }
  return 0;
}

void tell(const Delivery& delivery, std::string_view line) {
  if (delivery.form == Form::kText) {
    complain(line);
  } else {
    print_line(line);
  }
}

int ended_by(int signal) {
  if (signal == 0) return control::DONE;
  (void)flush_output();
  raise(signal);  // so that whoever started us sees it
  return 128 + signal;
}

}  // namespace anubis::cli
