// The shape of a payload, checked before protobuf reads it (docs/protocol.md, section 5.2). Protobuf lets pass what
// another implementation of it may refuse: a known field of a wrong wire type counts as unknown, numbers lose their
// upper bits, groups nest to a depth that differs. Here all of that is malformed, so that every implementation of
// Anubis gives the same answer to the same bytes.
#pragma once

#include <cstdint>
#include <span>

namespace anubis::wire {

enum class FieldType : std::uint8_t {
  kVarint,
  kBytes,
  kVarints,  // repeated: packed or one by one
};

// known[i] is the type of the field of number i + 1. Fields of other numbers may have any type but a group's.
[[nodiscard]] bool is_well_formed(std::span<const std::uint8_t> payload, std::span<const FieldType> known);

}  // namespace anubis::wire
