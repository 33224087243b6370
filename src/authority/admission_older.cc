// Admission: updates of clients of an earlier release (docs/schema-changes.md, "What is pending").
#include <string>
#include <utility>

#include "authority/admission.h"
#include "authority/older_update.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {

std::optional<TrimmedUpdate> TrimUpdate(const Schema& schema, const Data& pushed) {
  Data ops = Data::MakeArray();
  Vector<DroppedOp> dropped;
  Vector<uint32_t> places;
  const Data::Array& items = pushed["ops"].items();
  for (uint32_t i = 0; i < items.size(); ++i) {
    Data op = items[i];
    Vector<std::string> props;
    const bool is_left = !op.is_object() || TrimOp(schema, &op, &props);
    if (!is_left || !props.empty()) {
      DroppedOp& item = dropped.emplace_back();
      item.op = i;
      if (!props.empty()) item.props = std::move(props);
    }
    if (!is_left) continue;
    places.push_back(i);
    ops.Push(std::move(op));
  }
  if (dropped.empty()) return std::nullopt;
  TrimmedUpdate trimmed{pushed, std::move(places), std::move(dropped)};
  trimmed.update.Set("ops", std::move(ops));
  return trimmed;
}

// Nothing is lost: the answer names what is left out, and the client keeps it in its inbox.
void Admission::Trim(const Data& data, Pushed* pushed) const {
  std::optional<TrimmedUpdate> trimmed = TrimUpdate(*schema_, data);
  if (!trimmed) return;
  pushed->trimmed = std::move(trimmed->update);
  pushed->places = std::move(trimmed->places);
  pushed->dropped = std::move(trimmed->dropped);
}

// The result names ops by their places in what was pushed.
void Admission::RestorePlaces(const Pushed& pushed, PushResult* result) {
  if (!pushed.trimmed) return;
  for (auto* list :
       {&result->noops, &result->lost.gone, &result->lost.missing, &result->lost.not_appended}) {
    for (uint64_t& op : *list) op = pushed.places[op];
  }
  for (PushRejection& item : result->rejected) {
    if (item.op) item.op = pushed.places[*item.op];
  }
}

}  // namespace skerry
