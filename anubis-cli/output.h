// Data goes to standard output, messages go to standard error.
#pragma once

#include <string_view>

#include "anubis-cli/arguments.h"
#include "anubis-cli/failure.h"
#include "anubis-cli/table.h"

namespace anubis::cli {

// Writes TEXT, made printable before, to standard output and a line end behind it.
void print_line(std::string_view text);

// Writes TEXT as it is to standard output, and keeps nothing of it in a buffer. False: it could not be written.
bool print_secret(std::string_view text);

// Writes TEXT as it is.
void print(std::string_view text);

// "anubis: MESSAGE" on standard error; MESSAGE may hold anything.
void complain(std::string_view message);

// Complains, and returns the exit status.
int report(const Failure& failure);

// Whether all that was printed has left; complains when it has not (a full disk, say).
[[nodiscard]] bool flush_output();

// Whether standard output is to be coloured: as chosen; for kAuto on a terminal that can, unless NO_COLOR is set.
[[nodiscard]] Colour colour_of_output(ColourChoice choice);

}  // namespace anubis::cli
