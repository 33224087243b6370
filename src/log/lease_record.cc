#include "log/lease_record.h"

#include <utility>

namespace skerry {

LeaseRecord LeaseRecord::Read(Data stored) { return ReadRecord<LeaseRecord>(std::move(stored)); }
Data LeaseRecord::Write() const { return ToData(*this); }

}  // namespace skerry
