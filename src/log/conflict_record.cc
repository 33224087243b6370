#include "log/conflict_record.h"

#include <utility>

namespace skerry {

ConflictRecord ConflictRecord::Read(Data stored) {
  return ReadRecord<ConflictRecord>(std::move(stored));
}
Data ConflictRecord::Write() const { return ToData(*this); }

}  // namespace skerry
