// BaseRows: the confirmed state, kept per (realm, table, id), because each realm is replicated on
// its own (docs/design.md, "Base is kept by realm"). While an object moves, it may be in two realms
// at once. Implementations: log/base.h (image job, tests), client/view.h (a window: it keeps the
// visible rows packed, and base rows beside them if they differ).
#ifndef SKERRY_LOG_BASE_ROWS_H_
#define SKERRY_LOG_BASE_ROWS_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/row.h"

namespace skerry {

class BaseRows {
 public:
  virtual ~BaseRows() = default;
  // A key need not have a realm: the realm is given beside it, as that of the row.
  virtual std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const = 0;
  virtual void PutBase(const ObjectKey& key, const Row& row) = 0;
  virtual void EraseBase(std::string_view realm, const ObjectKey& key) = 0;
  // All (id, realm) of a table, sorted. Slow: only for pages and dropped scopes, which are rare.
  virtual Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const = 0;
};

}  // namespace skerry

#endif  // SKERRY_LOG_BASE_ROWS_H_
