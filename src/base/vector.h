// Vector<T>: the part of std::vector's interface that the core uses, with a fraction of its code.
// With std::vector a page would load 19 kB (gzip) more.
// Growing, and opening and closing gaps, depend only on the size of T. They are compiled once, in
// vector.cc, for all types whose objects may be moved by their bytes (base/relocatable.h).
//
// Elements are counted in 32 bits. Running out of memory ends the program, as it does everywhere in
// the core.
// As with std::vector, growing invalidates pointers, iterators and references; appending or
// inserting an element of the vector itself is allowed.
#ifndef SKERRY_BASE_VECTOR_H_
#define SKERRY_BASE_VECTOR_H_

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <new>
#include <type_traits>
#include <utility>

#include "base/relocatable.h"

namespace skerry {

// The part of a vector that does not know its element type. `bytes` is the size of one element.
struct RawVector {
  char* data = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;

  RawVector() = default;
  // Out of line, because vectors are moved at many places.
  RawVector(RawVector&& other) noexcept;
  void Swap(RawVector* other);

  // Appends a copy of the bytes of `element`.
  void Append(const void* element, size_t bytes);
  // If there is room for fewer, makes room for exactly `count` elements in all. Moves the elements
  // by their bytes.
  void Reserve(size_t count, size_t bytes);
  // Opens a gap of raw memory for `count` elements at index `at`, and adds `count` to the size.
  // Returns its address.
  char* Open(size_t at, size_t count, size_t bytes);
  // Closes a gap of `count` elements that were destroyed, and subtracts `count` from the size.
  void Close(size_t at, size_t count, size_t bytes);
  // The capacity to grow to when `count` elements have to fit.
  uint32_t GrownCapacity(size_t count, size_t bytes) const;
  void Free();
};

template <typename T>
class Vector {
  static constexpr bool kPlain = std::is_trivially_copyable_v<T>;

 public:
  using value_type = T;
  using size_type = size_t;
  using difference_type = ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<T*>;
  using const_reverse_iterator = std::reverse_iterator<const T*>;

  Vector() = default;
  explicit Vector(size_t count) { resize(count); }
  Vector(size_t count, const T& value) { assign(count, value); }
  template <std::input_iterator I>
  Vector(I first, I last) {
    Add(first, last);
  }
  Vector(std::initializer_list<T> list) { AddCopies(list.begin(), list.size()); }
  Vector(const Vector& other) { AddCopies(other.data(), other.size()); }
  Vector(Vector&& other) noexcept : raw_(std::move(other.raw_)) {}
  ~Vector() {
    if (raw_.data != nullptr) Drop();
  }
  Vector& operator=(const Vector& other) {
    if (this != &other) {
      clear();
      AddCopies(other.data(), other.size());
    }
    return *this;
  }
  Vector& operator=(Vector&& other) noexcept {
    // By a third vector, because an element that is destroyed here may own `other`.
    Vector taken(std::move(other));
    swap(taken);
    return *this;
  }
  Vector& operator=(std::initializer_list<T> list) { return *this = Vector(list); }

  T* data() { return reinterpret_cast<T*>(raw_.data); }
  const T* data() const { return reinterpret_cast<const T*>(raw_.data); }
  size_t size() const { return raw_.size; }
  size_t capacity() const { return raw_.capacity; }
  bool empty() const { return raw_.size == 0; }
  T* begin() { return data(); }
  T* end() { return data() + raw_.size; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + raw_.size; }
  const T* cbegin() const { return begin(); }
  const T* cend() const { return end(); }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }
  // REQUIRES: i < size(); checked if assertions are on.
  T& operator[](size_t i) {
    assert(i < raw_.size);
    return data()[i];
  }
  const T& operator[](size_t i) const {
    assert(i < raw_.size);
    return data()[i];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[raw_.size - 1]; }
  const T& back() const { return (*this)[raw_.size - 1]; }

  void reserve(size_t count) {
    if (count > raw_.capacity) Grow(count);
  }
  void shrink_to_fit() {
    if (raw_.size == raw_.capacity) return;
    Vector copy;
    copy.reserve(size());
    for (T& element : *this) copy.push_back(std::move(element));
    swap(copy);
  }
  void clear() {
    DestroyFrom(0);
    raw_.size = 0;
  }
  void resize(size_t count) {
    if (count <= raw_.size) return Truncate(count);
    MakeRoom(count);
    if constexpr (kPlain) {
      // Not memset: a value-initialised plain type need not be zeros.
      std::fill(end(), data() + count, T());
      raw_.size = static_cast<uint32_t>(count);
    } else {
      while (raw_.size < count) new (raw_.data + sizeof(T) * raw_.size++) T();
    }
  }
  void resize(size_t count, const T& value) {
    if (count <= raw_.size) return Truncate(count);
    AddSame(count - raw_.size, value);
  }
  void assign(size_t count, const T& value) {
    Vector copy;
    copy.AddSame(count, value);
    swap(copy);
  }
  template <std::input_iterator I>
  void assign(I first, I last) {
    Vector copy(first, last);
    swap(copy);
  }

  void push_back(const T& value) {
    if constexpr (kPlain) {
      AppendPlain(value);
    } else {
      emplace_back(value);
    }
  }
  void push_back(T&& value) {
    if constexpr (kPlain) {
      AppendPlain(value);
    } else {
      emplace_back(std::move(value));
    }
  }
  template <typename... Args>
  T& emplace_back(Args&&... args) {
    if constexpr (kPlain) {
      AppendPlain(T(std::forward<Args>(args)...));
    } else if constexpr (kRelocatable<T>) {
      // Constructed on the stack, then moved by its bytes: the arguments may refer to elements of
      // this vector.
      alignas(T) char element[sizeof(T)];
      new (element) T(std::forward<Args>(args)...);
      raw_.Append(element, sizeof(T));
    } else {
      T element(std::forward<Args>(args)...);
      if (raw_.size == raw_.capacity) Grow(raw_.GrownCapacity(raw_.size + size_t{1}, sizeof(T)));
      new (raw_.data + sizeof(T) * raw_.size++) T(std::move(element));
    }
    return back();
  }
  void pop_back() { Truncate(raw_.size - 1); }

  T* insert(const T* where, const T& value) { return insert(where, T(value)); }
  T* insert(const T* where, T&& value) {
    const size_t at = static_cast<size_t>(where - data());
    if constexpr (kRelocatable<T>) {
      T element(std::move(value));
      return new (raw_.Open(at, 1, sizeof(T))) T(std::move(element));
    } else {
      emplace_back(std::move(value));
      std::rotate(data() + at, end() - 1, end());
      return data() + at;
    }
  }
  // REQUIRES: the range is not a part of this vector.
  template <std::forward_iterator I>
  T* insert(const T* where, I first, I last) {
    const size_t at = static_cast<size_t>(where - data());
    const size_t old = raw_.size;
    Add(first, last);
    std::rotate(data() + at, data() + old, end());
    return data() + at;
  }
  T* erase(const T* where) { return erase(where, where + 1); }
  T* erase(const T* first, const T* last) {
    T* const from = data() + (first - data());
    const size_t count = static_cast<size_t>(last - first);
    if (count == 0) return from;
    if constexpr (kRelocatable<T>) {
      std::destroy_n(from, count);
      raw_.Close(static_cast<size_t>(first - data()), count, sizeof(T));
    } else {
      std::move(from + count, end(), from);
      Truncate(raw_.size - count);
    }
    return from;
  }
  void swap(Vector& other) noexcept { raw_.Swap(&other.raw_); }
  friend void swap(Vector& a, Vector& b) noexcept { a.swap(b); }  // NOLINT

  friend bool operator==(const Vector& a, const Vector& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  }
  friend bool operator<(const Vector& a, const Vector& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  void AppendPlain(const T& value) {
    if (raw_.size < raw_.capacity) {
      std::memcpy(raw_.data + sizeof(T) * raw_.size++, &value, sizeof(T));
    } else {
      raw_.Append(&value, sizeof(T));
    }
  }
  void Grow(size_t count) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    if constexpr (kRelocatable<T>) {
      raw_.Reserve(count, sizeof(T));
    } else {
      RawVector old(std::move(raw_));
      raw_.Reserve(count, sizeof(T));
      for (T* from = reinterpret_cast<T*>(old.data); raw_.size < old.size; ++from) {
        new (raw_.data + sizeof(T) * raw_.size++) T(std::move(*from));
        from->~T();
      }
      old.Free();
    }
  }
  // An empty vector gets exactly `count`. One that has elements gets more, since it may grow again.
  void MakeRoom(size_t count) {
    if (count > raw_.capacity) Grow(raw_.size == 0 ? count : raw_.GrownCapacity(count, sizeof(T)));
  }
  void AddCopies(const T* from, size_t count) {
    if (count == 0) return;
    MakeRoom(raw_.size + count);
    if constexpr (kPlain) {
      std::memcpy(raw_.data + sizeof(T) * raw_.size, from, sizeof(T) * count);
      raw_.size += static_cast<uint32_t>(count);
    } else {
      for (size_t i = 0; i < count; ++i) new (raw_.data + sizeof(T) * raw_.size++) T(from[i]);
    }
  }
  template <typename I>
  void Add(I first, I last) {
    if constexpr (std::contiguous_iterator<I> && std::is_same_v<std::iter_value_t<I>, T>) {
      if (first != last) AddCopies(std::to_address(first), static_cast<size_t>(last - first));
    } else {
      for (; first != last; ++first) emplace_back(*first);
    }
  }
  void AddSame(size_t count, const T& value) {
    const T copy(value);
    MakeRoom(raw_.size + count);
    while (count-- > 0) push_back(copy);
  }
  void Truncate(size_t count) {
    DestroyFrom(count);
    raw_.size = static_cast<uint32_t>(count);
  }
  void DestroyFrom(size_t i) {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      for (; i < raw_.size; ++i) data()[i].~T();
    }
  }
  // Out of line, because vectors are destroyed at many places.
  [[gnu::noinline]] void Drop() {
    DestroyFrom(0);
    raw_.Free();
  }

  RawVector raw_;
};

template <typename T>
inline constexpr bool kRelocatable<Vector<T>> = true;

// Named as in std, so that the same call works for std's containers.
// NOLINTBEGIN(readability-identifier-naming)
// Removes the elements for which the predicate is true, and returns how many.
template <typename T, typename Predicate>
size_t erase_if(Vector<T>& vector, Predicate predicate) {
  T* const end = std::remove_if(vector.begin(), vector.end(), predicate);
  const size_t count = static_cast<size_t>(vector.end() - end);
  vector.erase(end, vector.end());
  return count;
}

// Removes the elements that equal the value, and returns how many.
template <typename T>
size_t erase(Vector<T>& vector, const T& value) {
  // The value may be an element.
  const T copy(value);  // NOLINT(performance-unnecessary-copy-initialization)
  return erase_if(vector, [&copy](const T& element) { return element == copy; });
}
// NOLINTEND(readability-identifier-naming)

}  // namespace skerry

#endif  // SKERRY_BASE_VECTOR_H_
