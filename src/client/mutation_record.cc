#include "client/mutation_record.h"

#include "base/fields.h"
#include "base/map.h"
#include "base/string.h"
#include "log/codec.h"
#include "log/fold.h"

namespace skerry {

Data MutationRecord(const Schema& schema, const Mutation& mutation) {
  Data realms = Data::MakeArray();
  for (String& realm : RealmsOf(mutation.ops)) realms.Push(std::move(realm));
  Set<String> named;
  for (const Op& op : RowOps(mutation.ops)) {
    named.insert(schema.table(op.table).name + String(1, '\0') + op.id);
  }
  Data keys = Data::MakeArray();
  for (const String& key : named) keys.Push(key);
  return Fields{{"v", 1},
                {"id", mutation.action.id},
                {"name", mutation.action.name},
                {"at", mutation.action.at},
                {"state", "pending"},
                {"update", Data()},
                {"held", false},
                {"known", Data()},
                {"realms", std::move(realms)},
                {"keys", std::move(keys)},
                {"body", Data::Bytes(EncodeMutation(schema, mutation))}};
}

}  // namespace skerry
