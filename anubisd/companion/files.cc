#include "anubisd/companion/files.h"

#include <algorithm>
#include <array>

// The bytes of a file as a symbol of this program, which C++20 has no word for. Hidden, so that it is addressed
// directly: of the local symbols of a section, arm64's global offset table knows one.
#define ANUBIS_EMBED(symbol, file)                                                                                     \
  asm(".pushsection .rodata\n" #symbol ":\n.incbin \"" ANUBIS_PAGE "/" file ".gz\"\n" #symbol "_end:\n.popsection\n"); \
  extern "C" [[gnu::visibility("hidden")]] const std::uint8_t symbol[];                                                \
  extern "C" [[gnu::visibility("hidden")]] const std::uint8_t symbol##_end[]

ANUBIS_EMBED(anubis_page_index, "index.html");
ANUBIS_EMBED(anubis_page_style, "page.css");
ANUBIS_EMBED(anubis_page_icon, "icon.svg");
ANUBIS_EMBED(anubis_page_script, "page.mjs");
ANUBIS_EMBED(anubis_page_message, "message.mjs");
ANUBIS_EMBED(anubis_page_wrappers, "libsodium-wrappers.mjs");
ANUBIS_EMBED(anubis_page_libsodium, "libsodium.mjs");

namespace anubis::daemon {

const PageFile* find_page_file(std::string_view path) {
  constexpr const char* kScript = "text/javascript; charset=utf-8";
  static const std::array kFiles{
      PageFile{"/", "text/html; charset=utf-8", false, {anubis_page_index, anubis_page_index_end}},
      PageFile{"/page.css", "text/css; charset=utf-8", false, {anubis_page_style, anubis_page_style_end}},
      PageFile{"/icon.svg", "image/svg+xml", false, {anubis_page_icon, anubis_page_icon_end}},
      PageFile{"/page.mjs", kScript, false, {anubis_page_script, anubis_page_script_end}},
      PageFile{"/message.mjs", kScript, false, {anubis_page_message, anubis_page_message_end}},
      PageFile{"/libsodium-wrappers.mjs", kScript, true, {anubis_page_wrappers, anubis_page_wrappers_end}},
      PageFile{"/libsodium.mjs", kScript, true, {anubis_page_libsodium, anubis_page_libsodium_end}},
  };
  const auto* const found = std::ranges::find(kFiles, path, &PageFile::path);
  return found == kFiles.end() ? nullptr : found;
}

}  // namespace anubis::daemon
