// The version of the records in IndexedDB, their member `v`. A record with a greater version is
// from a newer version of the package, and is not changed.
#ifndef SKERRY_LOG_RECORD_VERSION_H_
#define SKERRY_LOG_RECORD_VERSION_H_

#include "base/data.h"

namespace skerry {

inline constexpr int kRecordVersion = 1;

inline bool IsNewer(const Data& stored) { return stored["v"].as_number() > kRecordVersion; }

// The same for a record that was read.
template <typename Record>
  requires requires(const Record& record) { record.version; }
bool IsNewer(const Record& record) {
  return record.version > kRecordVersion;
}

}  // namespace skerry

#endif  // SKERRY_LOG_RECORD_VERSION_H_
