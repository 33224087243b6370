// Digests of rows, by which a client and a server find out whether they hold the same
// (docs/design.md, "Comparing"): 64 bits for a row, and sums of them for many.
#ifndef SKERRY_MODEL_ROW_DIGEST_H_
#define SKERRY_MODEL_ROW_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/row_store.h"

namespace skerry {

// Sums are kept apart by a byte of the hash of the id: so one row that differs is looked for among
// one of so many parts of a range.
inline constexpr size_t kDigestBuckets = 256;
uint8_t DigestBucket(std::string_view id);

// XXH64 of the id, of these props in this order, and of the times when the row was made and changed
// last: numbers as 8 bytes (-0 as 0), booleans as one, texts and bytes by their length and content;
// what is null differs from every value. Both sides compute it with this function, so its format is
// part of the wire. REQUIRES: the row is live.
uint64_t DigestRow(const RowStore& store, Slot slot, std::span<const PropIndex> props);

}  // namespace skerry

#endif  // SKERRY_MODEL_ROW_DIGEST_H_
