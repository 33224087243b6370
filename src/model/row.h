// Row: one object, decoded. The row store holds rows packed; fold, rebase and the authority work on
// decoded rows.
#ifndef SKERRY_MODEL_ROW_H_
#define SKERRY_MODEL_ROW_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

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
// UUIDs into 16 bytes). An application-defined id names an object within its realm: a
// client's key has the realm then. The authority looks at one realm at a time, and leaves it empty.
struct ObjectKey {
  TableIndex table = kNone;
  std::string id;
  std::string realm = {};
  friend bool operator==(const ObjectKey& a, const ObjectKey& b) { return (a <=> b) == 0; }
  // Out of line: inlined in every map, it would be a large part of the module.
  friend std::strong_ordering operator<=>(const ObjectKey& a, const ObjectKey& b);
};

// The key that a client has for the object with this id in this realm.
ObjectKey KeyIn(const Schema& schema, TableIndex table, std::string_view id,
                std::string_view realm);

}  // namespace skerry

#endif  // SKERRY_MODEL_ROW_H_
