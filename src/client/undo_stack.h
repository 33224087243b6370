// What this window can undo and redo: its own actions, the last one first. In memory; over a reload of
// the page JavaScript keeps it as text (client/undo_text.h).
#ifndef SKERRY_CLIENT_UNDO_STACK_H_
#define SKERRY_CLIENT_UNDO_STACK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/vector.h"
#include "log/op.h"

namespace skerry {

enum class UndoWay : uint8_t { kUndo, kRedo };

// An action that is to be appended to a stream.
struct StreamItem {
  std::string name;
  std::string arg;  // JSON text
};

struct UndoStep {
  Action made;     // what the user did, as it is shown
  std::string id;  // the action that is undone next: `made`, or the last undo or redo of it
  Vector<Op> ops;  // that undo it (client/inverse.h)
  // Of an action of a stream: what is appended to undo it. To redo it, `made` is appended again.
  // Without a name: it is no action of a stream.
  StreamItem inverse = {};
  bool is_of_stream() const { return !inverse.name.empty(); }
  size_t bytes() const;
};

class UndoStack {
 public:
  // Null if there is nothing.
  const UndoStep* Next(UndoWay way) const;
  // The user has done something: what was undone before cannot be redone any more. The oldest steps
  // go beyond kMaxUndoSteps and kMaxUndoBytes.
  void Push(UndoStep step);
  // The next step was undone, or redone, by the action `id`; `ops` undo that.
  void Moved(UndoWay way, const std::string& id, Vector<Op> ops);
  // The next step cannot be undone, or redone.
  void DropNext(UndoWay way);
  // The action was refused: there is nothing of it to undo.
  void Refused(std::string_view id);
  // For the text: the next step is the last one. Of an empty list, the steps are added in this order.
  const Vector<UndoStep>& steps(UndoWay way) const { return way == UndoWay::kUndo ? undo_ : redo_; }
  void Restore(UndoWay way, UndoStep step) { Add(std::move(step), &Steps(way)); }
  void Clear();
  // Rises with each change of what comes next.
  uint64_t version() const { return version_; }

 private:
  Vector<UndoStep>& Steps(UndoWay way) { return way == UndoWay::kUndo ? undo_ : redo_; }
  void Add(UndoStep step, Vector<UndoStep>* steps);

  Vector<UndoStep> undo_;
  Vector<UndoStep> redo_;
  size_t bytes_ = 0;  // of both
  uint64_t version_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_UNDO_STACK_H_
