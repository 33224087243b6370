// ChangedRows: the rows that the open transaction has changed, each as it was before the
// transaction. View reports each change of a visible row to it.
#ifndef SKERRY_CLIENT_CHANGED_ROWS_H_
#define SKERRY_CLIENT_CHANGED_ROWS_H_

#include <optional>
#include <string>

#include "base/vector.h"
#include "log/op.h"
#include "log/rows_before.h"
#include "model/row.h"
#include "model/row_store.h"

namespace skerry {

class View;

class ChangedRows {
 public:
  // Forgets everything.
  void Reset();
  // A visible row has changed. `before` none: there was none; `at`: the slot of the row before, or
  // else of the new one. Only the first change of a slot counts: an object that the transaction
  // creates was not there before, whatever becomes of it.
  void Note(const ObjectKey& key, Slot at, const std::optional<Row>& before, bool is_hidden);

  struct Changed {
    ObjectKey key;
    Row row;  // as it was before
  };
  const Vector<Changed>& rows() const { return rows_; }
  // Objects that were visible for a time, and were then hidden, in order. They may be visible again.
  const Vector<ObjectKey>& hidden() const { return hidden_; }
  // What the transaction changed from (log/rows_before.h), as bytes. Hidden rows are whole. The others are
  // whole if that is small (kMaxWholeRowsBytes), or have the props that differ now. "" if that is above
  // kMaxRowsBeforeBytes.
  std::string Encode(const View& view) const;

 private:
  bool IsFirst(TableIndex table, Slot slot);

  Vector<Vector<bool>> seen_;  // by table and slot
  Vector<std::pair<TableIndex, Slot>> marked_;
  Vector<Changed> rows_;
  Vector<ObjectKey> hidden_;
};

// The same for ops that are made later, as the objects are shown now: whole.
std::string EncodeShown(const View& view, const Vector<Op>& ops);

}  // namespace skerry

#endif  // SKERRY_CLIENT_CHANGED_ROWS_H_
