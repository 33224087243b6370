#include "authority/done_entry.h"

#include <algorithm>
#include <utility>

#include "log/codec.h"

namespace skerry {

void DoneEntry::AddRow(const Schema& schema, const ObjectKey& key, Row row) {
  const Vector<PropDef>& props = schema.table(key.table).props;
  for (PropIndex i = 0; i < props.size(); ++i) {
    if (props[i].on_delete == OnDelete::kNothing || row.props[i].is_null()) continue;
    refs[{props[i].ref_table, row.props[i].text()}].push_back({key, i});
  }
  before.emplace(key, std::move(row));
}

void DoneEntry::ReadDeletes(const Schema& schema, std::string_view action, const Data& ops,
                            const Data& actions) {
  const Data::Array& all = actions.items();
  Set<ObjectKey> own;
  for (const Data& data : ops.items()) {
    // What this schema cannot read is in no table that it has.
    const Result<Op> op = OpFromData(schema, data, all.size());
    if (!op.ok() || !op.value().Has(kDeletes)) continue;
    const Vector<uint32_t>& by = op.value().by;
    const bool is_own = std::any_of(by.begin(), by.end(), [&](uint32_t place) {
      return all[place]["id"].as_string() == action;
    });
    (is_own ? own : deleted_by_others).insert(op.value().key());
  }
  for (const ObjectKey& key : own) deleted_by_others.erase(key);
}

}  // namespace skerry
