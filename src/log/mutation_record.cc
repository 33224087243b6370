#include "log/mutation_record.h"

#include <utility>

namespace skerry {

bool CanRead(const Data& data, const KnownMutation*) {
  return IsText(data["id"]) && IsCount(data["key"]) && data["key"].as_u64() > 0 &&
         IsMapOf(data["realms"], IsCount);
}

MutationRecord MutationRecord::Read(Data stored) {
  return ReadRecord<MutationRecord>(std::move(stored));
}
Data MutationRecord::Write() const { return ToData(*this); }

}  // namespace skerry
