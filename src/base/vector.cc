#include "base/vector.h"

#include <cstdlib>

namespace skerry {

RawVector::RawVector(RawVector&& other) noexcept
    : data(std::exchange(other.data, nullptr)),
      size(std::exchange(other.size, 0)),
      capacity(std::exchange(other.capacity, 0)) {}

void RawVector::Swap(RawVector* other) {
  std::swap(data, other->data);
  std::swap(size, other->size);
  std::swap(capacity, other->capacity);
}

uint32_t RawVector::GrownCapacity(size_t count, size_t bytes) const {
  // Many vectors only ever have one element, so the first allocation is small.
  constexpr size_t kLeastBytes = 16;
  const size_t wanted = std::max({count, size_t{capacity} * 2, kLeastBytes / bytes});
  // The size would not fit 32 bits. The modules do not have that much memory anyway.
  if (wanted > UINT32_MAX) std::abort();
  return static_cast<uint32_t>(wanted);
}

void RawVector::Free() { ::operator delete(data); }

void RawVector::Reserve(size_t count, size_t bytes) {
  if (count <= capacity) return;
  if (count > SIZE_MAX / 2 / bytes || count > UINT32_MAX) std::abort();
  char* const moved = static_cast<char*>(::operator new(count * bytes));
  if (size != 0) std::memcpy(moved, data, size * bytes);
  Free();
  data = moved;
  capacity = static_cast<uint32_t>(count);
}

void RawVector::Append(const void* element, size_t bytes) {
  // The old memory is kept until the element is copied, because the element may be in it.
  char* old = nullptr;
  if (size == capacity) {
    RawVector grown;
    grown.Reserve(GrownCapacity(size + size_t{1}, bytes), bytes);
    if (size != 0) std::memcpy(grown.data, data, size * bytes);
    old = data;
    data = grown.data;
    capacity = grown.capacity;
  }
  std::memcpy(data + size * bytes, element, bytes);
  ++size;
  ::operator delete(old);
}

char* RawVector::Open(size_t at, size_t count, size_t bytes) {
  if (size + count > capacity) Reserve(GrownCapacity(size + count, bytes), bytes);
  char* const gap = data + at * bytes;
  std::memmove(gap + count * bytes, gap, (size - at) * bytes);
  size += static_cast<uint32_t>(count);
  return gap;
}

void RawVector::Close(size_t at, size_t count, size_t bytes) {
  char* const gap = data + at * bytes;
  std::memmove(gap, gap + count * bytes, (size - at - count) * bytes);
  size -= static_cast<uint32_t>(count);
}

}  // namespace skerry
