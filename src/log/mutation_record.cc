#include "log/mutation_record.h"

#include <utility>

#include "base/map.h"
#include "log/codec.h"
#include "log/fold.h"

namespace skerry {

MutationRecord MutationRecord::Read(Data stored) {
  return ReadRecord<MutationRecord>(std::move(stored));
}
Data MutationRecord::Write() const { return ToData(*this); }

MutationRecord MakeMutationRecord(const Schema& schema, const Mutation& mutation,
                                  const std::string& before) {
  Set<std::string> named;
  for (const Op& op : RowOps(mutation.ops)) {
    const TableDef& table = schema.table(op.table);
    std::string key = table.name + std::string(1, '\0') + op.id;
    // A membership's id begins with its realm.
    if (table.custom_ids && table.index != schema.members()) key += '\0' + op.realm;
    named.insert(std::move(key));
  }
  MutationRecord record;
  record.id = mutation.action.id;
  record.name = mutation.action.name;
  record.at = mutation.action.at;
  record.realms = RealmsOf(mutation.ops);
  for (const std::string& key : named) record.keys.push_back(key);
  if (mutation.action.is_replayed) record.replayed = true;
  record.body = EncodeMutation(schema, mutation);
  if (!before.empty()) record.before = before;
  return record;
}

}  // namespace skerry
