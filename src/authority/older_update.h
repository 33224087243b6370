// TrimUpdate: an update of a client of an earlier release, without what this schema has no place for
// (docs/schema-changes.md, "What is pending").
#ifndef SKERRY_AUTHORITY_OLDER_UPDATE_H_
#define SKERRY_AUTHORITY_OLDER_UPDATE_H_

#include <cstdint>
#include <optional>

#include "base/data.h"
#include "base/vector.h"
#include "log/wire/update_result.h"
#include "model/schema.h"

namespace skerry {

struct TrimmedUpdate {
  Data update;
  Vector<uint32_t> places;  // of its ops in what was pushed
  Vector<DroppedOp> dropped;
};

// Nothing, if there is a place for all of it.
std::optional<TrimmedUpdate> TrimUpdate(const Schema& schema, const Data& pushed);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_OLDER_UPDATE_H_
