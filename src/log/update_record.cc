#include "log/update_record.h"

#include <utility>

namespace skerry {

UpdateRecord UpdateRecord::Read(Data stored) { return ReadRecord<UpdateRecord>(std::move(stored)); }
Data UpdateRecord::Write() const { return ToData(*this); }

}  // namespace skerry
