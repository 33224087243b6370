// Sort: for the many short lists of the core. All calls share one heapsort, and each costs a few
// hundred bytes of code. std::sort would be instantiated for each type and comparison, with 2 to 6
// KB of WebAssembly each, and a page would load 13 kB (gzip) more. Sort is not stable and compares
// O(n log n) times. Lists as long as a table use KeyedSort (model/keyed_sort.h) or SortNumbers.
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
  size_t size;  // of one item, in bytes
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

// Sorts numbers in ascending order. A radix sort, for lists that may be as long as a table.
void SortNumbers(Vector<uint32_t>* numbers);

}  // namespace skerry

#endif  // SKERRY_BASE_SORT_H_
