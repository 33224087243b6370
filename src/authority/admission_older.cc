// Admission: updates of clients of an earlier release (docs/schema-changes.md, "What is pending").
#include <string>
#include <utility>

#include "authority/admission.h"
#include "authority/older_update.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {

std::optional<TrimmedUpdate> TrimUpdate(const Schema& schema, const Data& pushed) {
  Data ops = Data::MakeArray(), dropped = Data::MakeArray();
  Vector<uint32_t> places;
  const Data::Array& items = pushed["ops"].items();
  for (uint32_t i = 0; i < items.size(); ++i) {
    Data op = items[i];
    Vector<std::string> props;
    const bool is_left = !op.is_object() || TrimOp(schema, &op, &props);
    if (!is_left || !props.empty()) {
      Data item = Data::MakeObject();
      item.Set("op", i);
      if (!props.empty()) {
        Data names = Data::MakeArray();
        for (const std::string& prop : props) names.Push(prop);
        item.Set("props", std::move(names));
      }
      dropped.Push(std::move(item));
    }
    if (!is_left) continue;
    places.push_back(i);
    ops.Push(std::move(op));
  }
  if (dropped.items().empty()) return std::nullopt;
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
void Admission::RestorePlaces(const Pushed& pushed, Data* result) {
  if (!pushed.trimmed) return;
  const auto restored = [&](const Data& place) {
    return Data(pushed.places[static_cast<size_t>(place.as_u64())]);
  };
  for (const char* name : {"noops", "gone", "missing"}) {
    if (result->Find(name) == nullptr) continue;
    Data list = Data::MakeArray();
    for (const Data& place : (*result)[name].items()) list.Push(restored(place));
    result->Set(name, std::move(list));
  }
  if (result->Find("rejected") == nullptr) return;
  Data rejected = Data::MakeArray();
  for (Data item : (*result)["rejected"].items()) {
    if (item.Find("op") != nullptr) item.Set("op", restored(item["op"]));
    rejected.Push(std::move(item));
  }
  result->Set("rejected", std::move(rejected));
}

}  // namespace skerry
