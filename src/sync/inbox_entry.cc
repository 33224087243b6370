#include "sync/inbox_entry.h"

#include <utility>

#include "log/transaction_builder.h"

namespace skerry {

ConflictRecord WholeEntry(const InboxReason& why, const MutationRecord& record, double now) {
  ConflictRecord entry;
  entry.reason = why.reason;
  entry.code = why.code;
  entry.detail = why.detail;
  entry.at = now;
  if (!why.depends_on.empty()) entry.depends_on = why.depends_on;
  entry.mutation = {record.id, record.name, record.at, record.body, record.before, {}};
  return entry;
}

ConflictRecord PartEntry(const InboxReason& why, const LeftOutPart& part,
                         const MutationRecord& record, double now) {
  ConflictRecord entry = WholeEntry(why, record, now);
  if (entry.detail.empty()) entry.detail = part.detail;
  entry.table = part.table;
  entry.id = part.id;
  entry.mine = part.mine;
  entry.mutation.body = part.body;
  if (!part.is_whole) entry.part = true;
  return entry;
}

void AddDroppedToInbox(const Vector<LeftOutPart>& parts, const MutationRecord& record, double now,
                       Data::Array* writes) {
  InboxReason why;
  why.reason = kDropped;
  why.code = kNoPlace;
  for (const LeftOutPart& part : parts)
    writes->push_back(AddWrite(Store::kConflicts, PartEntry(why, part, record, now).Write()));
}

}  // namespace skerry
