// Sort: for the many short lists of the core. std::sort is an instantiation of 2 to 6 KB of
// WebAssembly for each type and comparison, and makes what a page loads 13 kB (gzip) more; this one
// shares a single heapsort, and costs a few hundred bytes. Not stable; O(n log n) calls. Where a list has the length of a table (index.cc,
// prepared_query.cc) std::sort is right.
#ifndef SKERRY_BASE_SORT_H_
#define SKERRY_BASE_SORT_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/vector.h"

namespace skerry {

struct SortItems {
  char* items;
  size_t size;  // of one, in bytes
  bool (*less)(const void* a, const void* b, const void* context);
  void (*swap)(void* a, void* b);
  const void* context;
};
void HeapSort(const SortItems& list, size_t count);

// Sorts a random-access range by `less(const T&, const T&)`.
template <typename Iterator, typename Less>
void Sort(Iterator first, Iterator last, const Less& less) {
  using T = typename std::remove_reference<decltype(*first)>::type;
  if (last - first < 2) return;
  HeapSort({reinterpret_cast<char*>(&*first), sizeof(T),
            [](const void* a, const void* b, const void* context) {
              return static_cast<bool>((*static_cast<const Less*>(context))(
                  *static_cast<const T*>(a), *static_cast<const T*>(b)));
            },
            [](void* a, void* b) {
              using std::swap;
              swap(*static_cast<T*>(a), *static_cast<T*>(b));
            },
            &less},
           static_cast<size_t>(last - first));
}

template <typename Iterator>
void Sort(Iterator first, Iterator last) {
  Sort(first, last, [](const auto& a, const auto& b) { return a < b; });
}

// Numbers in ascending order, by their bytes: for lists that may be as long as a table.
void SortNumbers(Vector<uint32_t>* numbers);

}  // namespace skerry

#endif  // SKERRY_BASE_SORT_H_
