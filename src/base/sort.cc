#include "base/sort.h"

#include "base/vector.h"

namespace skerry {
namespace {

// Moves the item at `root` down until no child is greater (Williams' heapsort).
void Sink(const SortItems& list, size_t root, size_t count) {
  for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
    char* greatest = list.items + child * list.size;
    if (child + 1 < count && list.less(greatest, greatest + list.size, list.context)) {
      ++child;
      greatest += list.size;
    }
    char* parent = list.items + root * list.size;
    if (!list.less(parent, greatest, list.context)) return;
    list.swap(parent, greatest);
    root = child;
  }
}

}  // namespace

void HeapSort(const SortItems& list, size_t count) {
  // Many lists are sorted already, short ones most of all.
  size_t sorted = 1;
  while (sorted < count && !list.less(list.items + sorted * list.size,
                                      list.items + (sorted - 1) * list.size, list.context)) {
    ++sorted;
  }
  if (sorted >= count) return;
  for (size_t root = count / 2; root-- > 0;) Sink(list, root, count);
  for (size_t last = count - 1; last > 0; --last) {
    list.swap(list.items, list.items + last * list.size);
    Sink(list, 0, last);
  }
}

void SortNumbers(Vector<uint32_t>* numbers) {
  if (numbers->size() < 256) return Sort(numbers->begin(), numbers->end());
  Vector<uint32_t> other(numbers->size());
  for (int shift = 0; shift < 32; shift += 8) {
    size_t starts[257] = {};
    for (const uint32_t number : *numbers) ++starts[(number >> shift & 255) + 1];
    for (int i = 0; i < 256; ++i) starts[i + 1] += starts[i];
    for (const uint32_t number : *numbers) other[starts[number >> shift & 255]++] = number;
    numbers->swap(other);
  }
}

}  // namespace skerry
