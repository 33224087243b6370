// Entries of the conflict inbox, as the sync worker makes them (log/conflict_record.h).
#ifndef SKERRY_SYNC_INBOX_ENTRY_H_
#define SKERRY_SYNC_INBOX_ENTRY_H_

#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/conflict_record.h"
#include "log/left_out.h"
#include "log/mutation_record.h"

namespace skerry {

inline constexpr const char* kNoPlace = "no_place";  // the code of its entries

struct InboxReason {
  std::string reason = "rejected";  // kDropped: the schema has no place for it
  std::string code;
  std::string detail;
  std::string depends_on;  // a refused mutation, if this is not refused for itself
  // The object that the server's answer names; empty: none.
  std::string table = {};
  std::string id = {};
};

// Of the whole mutation. It names no object yet.
ConflictRecord WholeEntry(const InboxReason& why, const MutationRecord& record, double now);
// Of a part of it. The reason's detail, if it has none, is that of the part.
ConflictRecord PartEntry(const InboxReason& why, const LeftOutPart& part,
                         const MutationRecord& record, double now);

// Adds entries of what the schema has no place for.
void AddDroppedToInbox(const Vector<LeftOutPart>& parts, const MutationRecord& record, double now,
                       Data::Array* writes);

}  // namespace skerry

#endif  // SKERRY_SYNC_INBOX_ENTRY_H_
