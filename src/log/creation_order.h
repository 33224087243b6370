// Rows that an import or an adoption creates, divided into mutations (docs/accounts.md): parents before
// rows that refer to them, because a server judges each update by itself, and deletes a row whose
// parent is not there yet.
#ifndef SKERRY_LOG_CREATION_ORDER_H_
#define SKERRY_LOG_CREATION_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "model/schema.h"

namespace skerry {

class CreationOrder {
 public:
  explicit CreationOrder(const Schema* schema) : schema_(schema) {}

  bool empty() const { return items_.empty(); }
  // Takes a row, as an op `create` of the wire. A second row of the same key is left out.
  void Add(const Data& op);

  // The rows by mutation, [[number..]..], numbered in the order in which they came: within kMaxCreates,
  // kMaxCreateBytes and kMaxCreateRealms, but for a row that is larger alone. Where refs form a
  // circle, one row has to be first; the others follow it. Nothing is kept.
  Data Take();

 private:
  struct Item {
    std::string key;
    std::string realm;
    size_t bytes = 0;
    Vector<std::string> parents;  // keys: a ref leads to a row of its own realm
  };

  Vector<uint32_t> ParentsFirst();

  const Schema* schema_;
  Vector<Item> items_;
  Map<std::string, uint64_t> waiting_;  // by key: the place in items_
};

}  // namespace skerry

#endif  // SKERRY_LOG_CREATION_ORDER_H_
