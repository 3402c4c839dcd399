#include "anubisd/companion/page.h"

#include <utility>

#include "anubisd/companion/files.h"

namespace anubis::daemon {
namespace {

// Nothing but what this host serves is loaded, nobody can frame the page, and no script stands in the page itself.
// libsodium is WebAssembly: 'wasm-unsafe-eval' lets that be compiled, and leaves eval() forbidden.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response with_rules(http::Response response) {
  response.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  return response;
}

http::Response refusal(unsigned status) { return {.status = status, .headers = {{"Cache-Control", "no-store"}}}; }

}  // namespace

CompanionPage::CompanionPage(Loop& loop, const model::Endpoint& address, std::string interface, Ask ask)
    : ask_(std::move(ask)),
      server_(loop,
              {.address = address, .interface = std::move(interface), .limits = {.body_size = wire::kMaxDatagramSize}},
              "the companion page", [this](const http::Request& request) { return with_rules(answer(request)); }) {}

http::Response CompanionPage::answer(const http::Request& request) const {
  if (request.path == "/message") {
    if (request.method != "POST") return refusal(405);
    // No form, and no page of another origin that does not ask first, can send this.
    if (request.content_type != "application/octet-stream") return refusal(415);
    // Why a message is dropped nobody is told; that it was, the end of the connection would tell anyway.
    auto reply = ask_(request.body, request.source.address);
    if (!reply) return refusal(403);
    return {.type = "application/octet-stream",
            .headers = {{"Cache-Control", "no-store"}},
            .body = std::string(reply->begin(), reply->end())};
  }
  const PageFile* const file = find_page_file(request.path);
  if (file == nullptr) return refusal(404);
  if (request.method != "GET") return refusal(405);
  return {.type = file->type,
          .headers = {{"Content-Encoding", "gzip"},
                      {"Cache-Control", file->is_constant ? "max-age=31536000, immutable" : "no-store"}},
          .constant_body = file->compressed};
}

}  // namespace anubis::daemon
