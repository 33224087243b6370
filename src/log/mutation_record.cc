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

std::string ObjectText(const Schema& schema, TableIndex index, std::string_view id,
                       std::string_view realm) {
  const TableDef& table = schema.table(index);
  std::string text(table.former.First(table.name));
  text.append(1, '\0').append(id);
  // A membership's id begins with its realm.
  if (table.custom_ids && table.index != schema.members()) text.append(1, '\0').append(realm);
  return text;
}

Vector<std::string> ObjectTexts(const Schema& schema, const Vector<Op>& ops) {
  Set<std::string> named;
  for (const Op& op : RowOps(ops)) named.insert(ObjectText(schema, op.table, op.id, op.realm));
  return {named.begin(), named.end()};
}

MutationRecord MakeMutationRecord(const Schema& schema, const Mutation& mutation,
                                  const std::string& before) {
  MutationRecord record;
  record.id = mutation.action.id;
  record.name = mutation.action.name;
  record.at = mutation.action.at;
  record.realms = RealmsOf(mutation.ops);
  record.keys = ObjectTexts(schema, mutation.ops);
  if (mutation.action.is_replayed) record.replayed = true;
  record.body = EncodeMutation(schema, mutation);
  if (!before.empty()) record.before = before;
  return record;
}

}  // namespace skerry
