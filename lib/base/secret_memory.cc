#include "lib/base/secret_memory.h"

#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include <string.h>
#include <sys/mman.h>

#include "lib/base/log.h"

namespace anubis::base::secret_memory {
namespace {

// A key; what is larger gets a power of two of it.
constexpr std::size_t kSlotSize = 32;
constexpr std::size_t kSlotSizes = std::bit_width(kMaxSize / kSlotSize);
// 512 keys: few pages for the many hosts that have few peers, few system calls for one that has many.
constexpr std::size_t kBlockSize = 16 * 1024;

std::size_t slot_size(std::size_t index) { return kSlotSize << index; }
std::size_t index_for(std::size_t size) { return std::bit_width((size - 1) / kSlotSize); }

class Slots {
 public:
  std::uint8_t* take(std::size_t index) {
    const std::scoped_lock lock(mutex_);
    auto& free = free_[index];
    if (free.empty()) grow(index);
    std::uint8_t* const slot = free.back();
    free.pop_back();
    return slot;
  }

  void give_back(std::uint8_t* slot, std::size_t index) noexcept {
    const std::scoped_lock lock(mutex_);
    free_[index].push_back(slot);  // grow() has made room for it
  }

 private:
  void grow(std::size_t index) {
    const std::size_t count = kBlockSize / slot_size(index);
    free_[index].reserve(slots_[index] + count);
    void* const block = mmap(nullptr, kBlockSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw std::bad_alloc();
    const bool is_locked = mlock(block, kBlockSize) == 0;
    const int error = errno;
    (void)madvise(block, kBlockSize, MADV_DONTDUMP);
    slots_[index] += count;
    for (std::size_t i = count; i-- > 0;)
      free_[index].push_back(static_cast<std::uint8_t*>(block) + i * slot_size(index));
    if (is_locked || told_) return;
    told_ = true;
    log::warning("secrets.not-locked", "keys may be swapped to a disk: {} (raise LimitMEMLOCK=)", strerror(error));
  }

  std::mutex mutex_;
  std::array<std::vector<std::uint8_t*>, kSlotSizes> free_;
  std::array<std::size_t, kSlotSizes> slots_{};
  bool told_ = false;
};

// Never destroyed: secrets may live as long as the process.
Slots& slots() {
  static Slots& instance = *new Slots;
  return instance;
}

}  // namespace

std::uint8_t* allocate(std::size_t size) {
  assert(size > 0 && size <= kMaxSize);
  return slots().take(index_for(size));
}

void release(std::uint8_t* memory, std::size_t size) noexcept {
  explicit_bzero(memory, size);
  slots().give_back(memory, index_for(size));
}

}  // namespace anubis::base::secret_memory
