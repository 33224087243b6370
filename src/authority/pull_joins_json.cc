// PullSession: what sub-selects need.
#include <utility>

#include "authority/misuse.h"
#include "authority/pull_json.h"
#include "authority/row_data.h"
#include "base/fields.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {

Status PullSession::LoadJoins(const Data& in) {
  size_t place = 0;
  for (const Data& data : in["candidates"].items()) {
    Vector<std::pair<ObjectKey, Row>> rows;
    for (const Data& item : data["rows"].items()) {
      Result<StoredRow> stored = StoredRowFromData(*schema_, item);
      if (!stored.ok()) return Misuse(stored.status().detail());
      rows.emplace_back(std::move(stored.value().key), std::move(stored.value().row));
    }
    pull_.LoadCandidates(place++, std::move(rows), data["more"].as_bool());
  }
  place = 0;
  for (const Data& list : in["selected"].items()) {
    Vector<size_t> found;
    for (const Data& index : list.items()) found.push_back(index.as_u64());
    pull_.LoadSelected(place++, found);
  }
  return Status::Ok();
}

// Plain values, as they are compared with the prop of a sub-select.
Data PullSession::ValuesToData(size_t join, const Vector<Value>& values) const {
  const PullJoin& of = pull_.joins()[join];
  const PropDef& prop = ColumnProp(schema_->table(of.outer), of.select.filter->column);
  Data list = Data::MakeArray();
  for (const Value& value : values) list.Push(ValueToData(prop, value, true));
  return list;
}

void PullSession::AddJoinNeeds(Data* data) const {
  Data candidates = Data::MakeArray(), selected = Data::MakeArray();
  for (const PullNeeds::Candidates& item : pull_.needs().candidates) {
    const PullJoin& join = pull_.joins()[item.join];
    Data need = Fields{{"realm", item.realm}};
    need.Set("table", schema_->table(join.outer).name).Set("prop", *join.select.prop);
    candidates.Push(need.Set("values", ValuesToData(item.join, item.values)));
  }
  for (const PullNeeds::Selected& item : pull_.needs().selected) {
    const PullJoin& join = pull_.joins()[item.join];
    Data need = Fields{{"realm", item.realm}};
    need.Set("table", (*join.select.select)["table"]).Set("where", join.select.where());
    need.Set("select", (*join.select.select)["select"]).Set("upto", item.upto);
    selected.Push(need.Set("values", ValuesToData(item.join, item.values)));
  }
  data->Set("candidates", std::move(candidates)).Set("selected", std::move(selected));
}

}  // namespace skerry
