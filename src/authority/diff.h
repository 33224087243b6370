// The change that turns one state of an object in one realm into another: an element of diff(F, E).
#ifndef SKERRY_AUTHORITY_DIFF_H_
#define SKERRY_AUTHORITY_DIFF_H_

#include <optional>
#include <string>

#include "log/record.h"
#include "model/row.h"

namespace skerry {

// Nothing where they are equal, revision and times included. A delete carries `revision`, that at
// which the range ends.
std::optional<Change> DiffRow(const ObjectKey& key, const std::string& realm, const Row* from,
                              const Row* to, uint64_t revision);
// The whole row, whatever the client holds.
Change WholeRow(const ObjectKey& key, const Row& row);
// A row that left one realm for another, of one answer: what differs only.
Change MovedRow(const ObjectKey& key, const Row& from, const Row& to);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_DIFF_H_
