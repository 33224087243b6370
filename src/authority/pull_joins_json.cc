// PullSession: what sub-selects need.
#include <utility>

#include "authority/misuse.h"
#include "authority/pull_json.h"
#include "authority/row_data.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {

Status PullSession::LoadJoins(const Vector<wire::LoadedCandidates>& candidates,
                              const Vector<Vector<uint64_t>>& selected) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    Vector<std::pair<ObjectKey, Row>> rows;
    for (const Data& item : candidates[i].rows.items()) {
      Result<StoredRow> stored = StoredRowFromData(*schema_, item);
      if (!stored.ok()) return Misuse(stored.status().detail());
      rows.emplace_back(std::move(stored.value().key), std::move(stored.value().row));
    }
    pull_.joins().LoadCandidates(i, std::move(rows), candidates[i].more);
  }
  for (size_t i = 0; i < selected.size(); ++i)
    pull_.joins().LoadSelected(i, Vector<size_t>(selected[i].begin(), selected[i].end()));
  return Status::Ok();
}

// Plain values, as they are compared with the prop of a sub-select.
Vector<Data> PullSession::ValuesToData(size_t join, const Vector<Value>& values) const {
  const PullJoin& of = pull_.joins().list()[join];
  const PropDef& prop = ColumnProp(schema_->table(of.outer), of.select.filter->column);
  Vector<Data> list;
  for (const Value& value : values) list.push_back(ValueToData(prop, value, true));
  return list;
}

void PullSession::AddJoinNeeds(wire::PullNeeds* out) const {
  for (const PullNeeds::Candidates& item : pull_.needs().candidates) {
    const PullJoin& join = pull_.joins().list()[item.join];
    out->candidates.push_back({item.realm, schema_->table(join.outer).name,
                               join.select.prop->as_string(),
                               ValuesToData(item.join, item.values)});
  }
  for (const PullNeeds::Selected& item : pull_.needs().selected) {
    const SubSelect& select = pull_.joins().list()[item.join].select;
    out->selected.push_back({item.realm,
                             {schema_->table(select.filter->table).name, select.where()},
                             (*select.select)["select"].as_string(),
                             item.upto,
                             ValuesToData(item.join, item.values)});
  }
}

}  // namespace skerry
