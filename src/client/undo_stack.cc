#include "client/undo_stack.h"

#include <utility>

#include "base/limits.h"

namespace skerry {

size_t UndoStep::bytes() const {
  size_t bytes = 200 + made.name.size() + made.arg.size() + inverse.arg.size();
  for (const Op& op : ops)
    bytes += sizeof(Op) + op.id.size() + op.realm.size() + op.content_bytes();
  return bytes;
}

const UndoStep* UndoStack::Next(UndoWay way) const {
  return steps(way).empty() ? nullptr : &steps(way).back();
}

void UndoStack::Clear() {
  undo_.clear();
  redo_.clear();
  bytes_ = 0;
  ++version_;
}

void UndoStack::Add(UndoStep step, Vector<UndoStep>* steps) {
  ++version_;
  bytes_ += step.bytes();
  steps->push_back(std::move(step));
  while (undo_.size() > kMaxUndoSteps || (bytes_ > kMaxUndoBytes && !undo_.empty())) {
    bytes_ -= undo_.front().bytes();
    undo_.erase(undo_.begin());
  }
}

void UndoStack::Push(UndoStep step) {
  while (!redo_.empty()) DropNext(UndoWay::kRedo);
  Add(std::move(step), &undo_);
}

void UndoStack::Moved(UndoWay way, const std::string& id, Vector<Op> ops) {
  UndoStep step = Steps(way).back();
  DropNext(way);
  step.id = id;
  step.ops = std::move(ops);
  Add(std::move(step), &Steps(way == UndoWay::kUndo ? UndoWay::kRedo : UndoWay::kUndo));
}

void UndoStack::DropNext(UndoWay way) {
  Vector<UndoStep>& steps = Steps(way);
  bytes_ -= steps.back().bytes();
  steps.pop_back();
  ++version_;
}

void UndoStack::Refused(std::string_view id) {
  for (Vector<UndoStep>* steps : {&undo_, &redo_}) {
    for (size_t i = steps->size(); i > 0; --i) {
      const UndoStep& step = (*steps)[i - 1];
      if (step.id != id && step.made.id != id) continue;
      bytes_ -= step.bytes();
      steps->erase(steps->begin() + static_cast<ptrdiff_t>(i - 1));
      ++version_;
    }
  }
}

}  // namespace skerry
