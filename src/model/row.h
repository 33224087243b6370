// Row: one object, decoded. The row store holds rows packed; fold, rebase and the authority work on
// decoded rows.
#ifndef SKERRY_MODEL_ROW_H_
#define SKERRY_MODEL_ROW_H_

#include <cstdint>
#include <string>

#include "base/vector.h"
#include "model/schema.h"
#include "model/value.h"

namespace skerry {

struct Row {
  std::string realm;
  double created_at = 0;   // ms; by the database's clock once confirmed
  double modified_at = 0;  // ms
  uint64_t revision = 0;   // the revision of `realm` at the last change; 0 while unconfirmed
  Vector<Value> props;     // one for each prop of the table, in the schema's order
  friend bool operator==(const Row&, const Row&) = default;
};

// Names one object of one schema. Ids are text everywhere outside of the row store (which packs
// UUIDs into 16 bytes).
struct ObjectKey {
  TableIndex table = kNone;
  std::string id;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_ROW_H_
