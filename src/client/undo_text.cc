#include "client/undo_text.h"

#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "client/transaction.h"
#include "log/codec.h"
#include "log/sync_record.h"
#include "log/wire.h"

// The text is `[1, layout, user, [step..], [step..]]` in JSON: what can be undone, and what can be
// redone. The next step of a list is its last. A step is
// `[action, name, arg, at, id, [op..], name and arg of the inverse]`, its ops as on the wire.
namespace skerry {
namespace {

constexpr uint64_t kUndoTextVersion = 1;
// Of what stands around the steps.
constexpr size_t kAroundBytes = 1'000;

Data StepToData(const Schema& schema, const UndoStep& step) {
  Data ops = Data::MakeArray();
  for (Op op : step.ops) {
    op.of = step.id;  // without it, there is no `was`
    ops.Push(OpToData(schema, op, 1));
  }
  const Action& made = step.made;
  Data data = Data::MakeArray();
  data.Push(made.id).Push(made.name).Push(made.arg).Push(made.at).Push(step.id);
  return std::move(data.Push(std::move(ops)).Push(step.inverse.name).Push(step.inverse.arg));
}

// Whether the op is one that undoes something (client/inverse.h).
bool IsUndoing(const Schema& schema, const Op& op, const UndoStep& step) {
  if (op.of != step.id || op.if_revision || op.Has(kOnRow) == step.is_of_stream()) return false;
  if (step.is_of_stream()) return true;
  const bool makes = op.Has(kCreates) && !op.Has(kRestores);
  const bool sets_blindly = !op.set.empty() && op.was.empty() && !op.Has(kRestores);
  return !makes && !sets_blindly && op.table != schema.members();
}

// Without an argument the text is empty.
bool IsArgument(const std::string& text) {
  return text.empty() || (JsonDepth(text) <= kMaxValueDepth && IsJson(text));
}

bool ReadStep(const Schema& schema, const Data& data, UndoStep* step) {
  const Data::Array& parts = data.items();
  if (parts.size() != 8 || !CheckUuid(parts[0]).ok() || !CheckTime(parts[3]).ok()) return false;
  step->made.id = parts[0].as_string();
  step->made.name = parts[1].as_string();
  step->made.arg = parts[2].as_string();
  step->made.at = parts[3].as_number();
  step->id = parts[4].as_string();
  step->inverse = {parts[6].as_string(), parts[7].as_string()};
  const Data::Array& ops = parts[5].items();
  if (!parts[2].is_string() || !IsArgument(step->made.arg) || !CheckUuid(parts[4]).ok() ||
      !CheckAction(step->made.name, step->made.arg).ok())
    return false;
  if (ops.empty() || ops.size() > kMaxOpsPerUpdate || !IsArgument(step->inverse.arg)) return false;
  const bool fits = ops.size() == 1 && !step->inverse.arg.empty() && CheckItem(step->inverse).ok();
  if (step->is_of_stream() && !fits) return false;
  for (const Data& each : ops) {
    Result<Op> op = OpFromData(schema, each, 1);
    if (!op.ok() || !IsUndoing(schema, op.value(), *step)) return false;
    op.value().of.clear();
    op.value().by.clear();
    step->ops.push_back(std::move(op.value()));
  }
  return true;
}

bool ReadSteps(const Schema& schema, const Data& list, UndoWay way, UndoStack* stack) {
  if (!list.is_array() || list.items().size() > kMaxUndoSteps) return false;
  for (const Data& data : list.items()) {
    UndoStep step;
    if (!ReadStep(schema, data, &step)) return false;
    stack->Restore(way, std::move(step));
  }
  return true;
}

}  // namespace

std::optional<std::string> WriteUndo(const Schema& schema, const std::optional<std::string>& user,
                                     const UndoStack& stack) {
  size_t room = kMaxUndoTextBytes - kAroundBytes;
  Data::Array lists[2];
  // From what comes next on, in turn. Of a list nothing is kept behind a step that has no room.
  bool has_room[] = {true, true};
  for (size_t i = 1; i <= kMaxUndoSteps; ++i) {
    for (const UndoWay way : {UndoWay::kUndo, UndoWay::kRedo}) {
      const Vector<UndoStep>& steps = stack.steps(way);
      const size_t which = static_cast<size_t>(way);
      if (!has_room[which] || i > steps.size()) continue;
      Data step = StepToData(schema, steps[steps.size() - i]);
      const size_t bytes = WriteJson(step).size() + 1;
      has_room[which] = bytes <= room;
      if (!has_room[which]) continue;
      room -= bytes;
      lists[which].push_back(std::move(step));
    }
  }
  if (lists[0].empty() && lists[1].empty()) return std::nullopt;
  Data data = Data::MakeArray();
  data.Push(kUndoTextVersion).Push(Layout(schema)).Push(user ? Data(*user) : Data());
  for (Data::Array& list : lists) {
    Data turned = Data::MakeArray();
    for (size_t i = list.size(); i > 0; --i) turned.Push(std::move(list[i - 1]));
    data.Push(std::move(turned));
  }
  return WriteJson(data);
}

Status ReadUndo(const Schema& schema, const std::optional<std::string>& user, std::string_view text,
                UndoStack* stack) {
  const Result<Data> data =
      text.size() > kMaxUndoTextBytes ? Result<Data>(Data()) : ParseJson(text);
  if (data.ok() && data.value().items().size() == 5) {
    const Data::Array& parts = data.value().items();
    const Data of = user ? Data(*user) : Data();
    if (!(parts[0] == Data(kUndoTextVersion)) || !(parts[1] == Data(Layout(schema))) ||
        !(parts[2] == of))
      return {Code::kVersion, "it is of another user, or of another schema"};
    if (ReadSteps(schema, parts[3], UndoWay::kUndo, stack) &&
        ReadSteps(schema, parts[4], UndoWay::kRedo, stack))
      return Status::Ok();
  }
  stack->Clear();
  return {Code::kInvalidArgument, "it is damaged"};
}

}  // namespace skerry
