// Goal: DiffOrdered gives the difference that its header defines. Method: the header's example,
// and random orders against the definition, applied row by row.
#include "client/ordered_diff.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace skerry {
namespace {

using Places = std::vector<uint32_t>;

Places PlacesOf(const Vector<uint32_t>& places) { return {places.begin(), places.end()}; }

Vector<uint32_t> VectorOf(const Places& places) {
  Vector<uint32_t> out;
  for (const uint32_t place : places) out.push_back(place);
  return out;
}

TEST_CASE("names the rows that were added, removed, changed and moved") {
  const OrderedDiff diff = DiffOrdered(5, VectorOf({1, 0, kNewRow, 3}), VectorOf({1}));
  CHECK(PlacesOf(diff.removed) == Places{2, 4});
  CHECK(PlacesOf(diff.added) == Places{2});
  CHECK(PlacesOf(diff.changed) == Places{1});
  CHECK(PlacesOf(diff.moved) == Places{1});
}

TEST_CASE("moves no other row for removals and insertions") {
  const OrderedDiff diff = DiffOrdered(4, VectorOf({kNewRow, 1, 3}), VectorOf({2}));
  CHECK(PlacesOf(diff.removed) == Places{0, 2});
  CHECK(PlacesOf(diff.changed) == Places{2});
  CHECK(diff.moved.empty());
}

TEST_CASE("computes the ordered diff by its definition on random orders") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const uint32_t before = random() % 8;
    // Rows that stay unchanged keep their order; changed and new ones go anywhere.
    Places origin;
    for (uint32_t was = 0; was < before; ++was) {
      if (random() % 3 != 0) origin.push_back(was);
    }
    Places changed_origins;
    for (size_t i = origin.size(); i-- > 0;) {
      if (random() % 3 != 0) continue;
      changed_origins.push_back(origin[i]);
      origin.erase(origin.begin() + static_cast<ptrdiff_t>(i));
    }
    const auto insert = [&](uint32_t was) {
      origin.insert(origin.begin() + static_cast<ptrdiff_t>(random() % (origin.size() + 1)), was);
    };
    for (const uint32_t was : changed_origins) insert(was);
    for (uint32_t i = random() % 3; i > 0; --i) insert(kNewRow);
    const auto has_changed = [&](uint32_t was) {
      return std::find(changed_origins.begin(), changed_origins.end(), was) !=
             changed_origins.end();
    };

    Places added;
    Places changed;
    Places moved;
    for (uint32_t place = 0; place < origin.size(); ++place) {
      const uint32_t was = origin[place];
      if (was == kNewRow) {
        added.push_back(place);
        continue;
      }
      if (!has_changed(was)) continue;
      changed.push_back(place);
      const auto unchanged_ahead = [&](auto is_ahead) {
        size_t count = 0;
        for (uint32_t other = 0; other < origin.size(); ++other) {
          const uint32_t its = origin[other];
          if (its != kNewRow && !has_changed(its) && is_ahead(its, other)) ++count;
        }
        return count;
      };
      const size_t then = unchanged_ahead([&](uint32_t its, uint32_t) { return its < was; });
      const size_t now = unchanged_ahead([&](uint32_t, uint32_t other) { return other < place; });
      if (then != now) moved.push_back(place);
    }
    Places removed;
    for (uint32_t was = 0; was < before; ++was) {
      if (std::find(origin.begin(), origin.end(), was) == origin.end()) removed.push_back(was);
    }

    CAPTURE(round);
    const OrderedDiff diff = DiffOrdered(before, VectorOf(origin), VectorOf(changed));
    CHECK(PlacesOf(diff.added) == added);
    CHECK(PlacesOf(diff.removed) == removed);
    CHECK(PlacesOf(diff.changed) == changed);
    CHECK(PlacesOf(diff.moved) == moved);
  }
}

}  // namespace
}  // namespace skerry
