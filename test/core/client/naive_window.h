// NaiveWindow: the rules of docs/design.md, "Windows in step", applied to sets of bits, one bit
// per mutation, slow and simple. The real window must agree with it. A mutation may be in two
// realms, and one may confirm it before the other. NaiveWindow gets the same messages as the real
// window, and knows nothing of rows, transactions or images but their numbers.
#ifndef SKERRY_TEST_CORE_CLIENT_NAIVE_WINDOW_H_
#define SKERRY_TEST_CORE_CLIENT_NAIVE_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/vector.h"

namespace skerry::client_test {

using Bits = std::set<int>;
using BitsOfRealms = std::array<Bits, 2>;

// A record in bits: the confirmed and refused mutations, and those confirmed in one of their realms
// (0 or 1).
struct NaiveRecord {
  Bits confirmed, refused;
  BitsOfRealms partly;
};

// The result of a reading.
struct NaiveReading {
  uint64_t n = 0;
  uint64_t removed_up_to = 0;
  Vector<std::pair<uint64_t, NaiveRecord>> records;
  std::map<int, uint64_t> mutations;
  BitsOfRealms partly;  // from the outbox
};

struct NaiveWindow {
  BitsOfRealms base;    // of each realm
  BitsOfRealms partly;  // pending, but confirmed in this realm
  std::map<int, uint64_t> pending;
  Vector<int> unkeyed;
  uint64_t n = 0;
  uint64_t gone_key = 0;
  std::map<int, uint64_t> gone;
  bool open = false;

  void Record(uint64_t at, const NaiveRecord& record, const std::map<int, uint64_t>& keys) {
    n = at;
    for (size_t realm = 0; realm < 2; ++realm) {
      for (const Bits* bits : {&record.confirmed, &record.partly[realm]})
        base[realm].insert(bits->begin(), bits->end());
      partly[realm].insert(record.partly[realm].begin(), record.partly[realm].end());
    }
    for (const Bits* bits : {&record.confirmed, &record.refused}) {
      for (const int bit : *bits) {
        pending.erase(bit);
        gone[bit] = keys.at(bit);
        erase(unkeyed, bit);  // the record came before its own completion
      }
    }
  }
  void Take(const NaiveReading& reading, const std::map<int, uint64_t>& keys) {
    for (const auto& [at, record] : reading.records) {
      if (at > n) Record(at, record, keys);
    }
    partly = reading.partly;
    n = reading.n;
    pending = reading.mutations;
    gone_key = reading.removed_up_to;
    gone.clear();
    erase_if(unkeyed, [&](int bit) { return pending.contains(bit); });
  }
  bool Continues(uint64_t from, const NaiveReading& reading) const {
    for (const auto& [at, bits] : reading.records) {
      if (at > from && at != from + 1) return false;
      from = std::max(from, at);
    }
    return from == reading.n;
  }
  void Added(int bit, uint64_t key) {
    if (pending.contains(bit) || key <= gone_key) return;
    if (const auto it = gone.find(bit); it != gone.end() && key <= it->second) return;
    pending[bit] = key;
  }
  void Completed(int bit, uint64_t key) {
    if (erase(unkeyed, bit) > 0) pending[bit] = key;
  }
  std::map<int, int> Counts(size_t realm) const {
    std::map<int, int> counts;
    for (const int bit : base[realm]) ++counts[bit];
    for (const auto& [bit, key] : pending) counts[bit] += partly[realm].contains(bit) ? 0 : 1;
    for (const int bit : unkeyed) counts[bit] += partly[realm].contains(bit) ? 0 : 1;
    return counts;
  }
};

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_NAIVE_WINDOW_H_
