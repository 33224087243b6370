// What the log has of an action that is undone: its entry, and, for a restore, what that did.
#ifndef SKERRY_AUTHORITY_DONE_ENTRY_H_
#define SKERRY_AUTHORITY_DONE_ENTRY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct ActionInLog {
  std::string realm;
  std::string id;
  friend auto operator<=>(const ActionInLog&, const ActionInLog&) = default;
};

struct DoneEntry {
  // A row that referred to another one by a ref with `onDelete`.
  struct Ref {
    ObjectKey from;
    PropIndex prop = kNone;
  };

  uint64_t revision = 0;             // 0: the log does not have the action
  bool has_rows = false;             // the members below are loaded
  Map<ObjectKey, Row> before;        // the rows that the entry changed, as they were before it
  Map<ObjectKey, Vector<Ref>> refs;  // by the row that they lead to, among `before`
  Set<ObjectKey> deleted_by_others;  // by the ops of other actions of the entry alone
  Status unread;                     // why a row could not be read: the schema has changed since

  void AddRow(const Schema& schema, const ObjectKey& key, Row row);
  // Reads which objects the ops of the entry delete, of this action and of others. `ops`, `actions`:
  // as they were pushed.
  void ReadDeletes(const Schema& schema, std::string_view action, const Data& ops,
                   const Data& actions);
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_DONE_ENTRY_H_
