// The change that turns one state of an object in one realm into another: an element of diff(F, E).
#ifndef SKERRY_AUTHORITY_DIFF_H_
#define SKERRY_AUTHORITY_DIFF_H_

#include <optional>
#include <string>

#include "log/record.h"
#include "model/row.h"

namespace skerry {

// The change from `from` to `to`; a null pointer stands for no row. Empty if they are equal,
// revision and times included. A delete has no revision yet: neither row knows it.
std::optional<Change> DiffRow(const ObjectKey& key, const std::string& realm, const Row* from,
                              const Row* to);
// A create with the whole row, whatever the client holds.
Change WholeRow(const ObjectKey& key, const Row& row);
// A move from one realm of an answer to another, with the props that differ.
Change MovedRow(const ObjectKey& key, const Row& from, const Row& to);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_DIFF_H_
