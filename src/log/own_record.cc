#include "log/own_record.h"

#include <utility>

namespace skerry {

OwnRecord OwnRecord::Read(Data stored) { return ReadRecord<OwnRecord>(std::move(stored)); }
Data OwnRecord::Write() const { return ToData(*this); }

}  // namespace skerry
