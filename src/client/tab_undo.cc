// What a window can undo, over a reload of its page.
#include "client/effect.h"
#include "client/tab.h"
#include "client/undo_text.h"

namespace skerry {

void Tab::OnEvent(const KeepUndoEvent&, Data* effects) {
  effects->Push(WriteKind(effect::KeepUndo{WriteUndo(*schema_, options_.user, undo_), {}}));
}

void Tab::OnEvent(const TakeUndoEvent& event, Data* effects) {
  undo_.Clear();
  if (!event.text.has_value()) return;
  const Status taken = ReadUndo(*schema_, options_.user, *event.text, &undo_);
  if (!taken.ok()) effects->Push(WriteKind(effect::KeepUndo{{}, taken.detail()}));
  // What was refused meanwhile. A window that opens reads the inbox in any case.
  if (ready_) RequestConflicts(effects);
}

}  // namespace skerry
