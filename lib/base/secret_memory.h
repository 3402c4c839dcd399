// Where secrets live: pages that are locked, so that they never reach a swap device, and left out of core dumps.
// Secrets are packed, because a locked page counts against RLIMIT_MEMLOCK (docs/decisions/0008). Used by Secret alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace anubis::base::secret_memory {

constexpr std::size_t kMaxSize = 128;

// size zero bytes, 0 < size ≤ kMaxSize. From any thread. Throws std::bad_alloc, as new does.
[[nodiscard]] std::uint8_t* allocate(std::size_t size);
// Wipes it first.
void release(std::uint8_t* memory, std::size_t size) noexcept;

}  // namespace anubis::base::secret_memory
