#include "client/mutation_record.h"

#include "base/map.h"
#include "base/string.h"
#include "log/codec.h"
#include "log/fold.h"

namespace skerry {

MutationRecord MakeMutationRecord(const Schema& schema, const Mutation& mutation) {
  Set<String> named;
  for (const Op& op : RowOps(mutation.ops)) {
    named.insert(schema.table(op.table).name + String(1, '\0') + op.id);
  }
  MutationRecord record;
  record.id = mutation.action.id;
  record.name = mutation.action.name;
  record.at = mutation.action.at;
  record.realms = RealmsOf(mutation.ops);
  for (const String& key : named) record.keys.push_back(key);
  record.body = EncodeMutation(schema, mutation);
  return record;
}

}  // namespace skerry
