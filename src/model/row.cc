#include "model/row.h"

namespace skerry {

std::strong_ordering operator<=>(const ObjectKey& a, const ObjectKey& b) {
  if (a.table != b.table) return a.table <=> b.table;
  const int ids = a.id.compare(b.id);
  return (ids != 0 ? ids : a.realm.compare(b.realm)) <=> 0;
}

ObjectKey KeyIn(const Schema& schema, TableIndex table, std::string_view id,
                std::string_view realm) {
  ObjectKey key{table, std::string(id)};
  if (schema.table(table).custom_ids) key.realm = realm;
  return key;
}

}  // namespace skerry
