#include "client/changed_rows.h"

#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "client/view.h"

namespace skerry {
namespace {

size_t BytesOf(const Vector<PropValue>& set) {
  size_t bytes = 0;
  for (const PropValue& one : set) bytes += 10 + one.value.text().size();
  return bytes;
}

// What of `before` differs from `after`. A prop that was null is null.
Vector<PropValue> DifferenceOf(const Row& before, const Row& after) {
  Vector<PropValue> set;
  for (PropIndex i = 0; i < before.props.size(); ++i) {
    if (!(before.props[i] == after.props[i])) set.push_back({i, before.props[i]});
  }
  return set;
}

}  // namespace

void ChangedRows::Reset() {
  for (const auto& [table, slot] : marked_) seen_[table][slot] = false;
  marked_.clear();
  rows_.clear();
  hidden_.clear();
}

bool ChangedRows::IsFirst(TableIndex table, Slot slot) {
  if (seen_.size() <= table) seen_.resize(table + 1);
  Vector<bool>& seen = seen_[table];
  if (seen.size() <= slot) seen.resize(slot + slot / 2 + 64);
  if (seen[slot]) return false;
  seen[slot] = true;
  marked_.emplace_back(table, slot);
  return true;
}

void ChangedRows::Note(const ObjectKey& key, Slot at, const std::optional<Row>& before,
                       bool is_hidden) {
  if (IsFirst(key.table, at) && before.has_value()) rows_.push_back({key, *before});
  if (is_hidden) hidden_.push_back(key);
}

std::string ChangedRows::Encode(const View& view) const {
  size_t bytes = 0;
  for (const auto& [key, row] : rows_) {
    bytes += 40 + row.props.size() * 10;
    for (const Value& value : row.props) bytes += value.text().size();
  }
  const bool are_whole = bytes <= kMaxWholeRowsBytes;
  RowsBefore list;
  bytes = 0;
  for (const auto& [key, row] : rows_) {
    const std::optional<Row> now = are_whole ? std::nullopt : view.Visible(key);
    RowBefore before{key, row.realm, !now.has_value(), row.created_at, {}};
    before.set = before.is_whole ? SetOf(row) : DifferenceOf(row, *now);
    bytes += 40 + BytesOf(before.set);
    if (bytes > kMaxRowsBeforeBytes) return {};
    list.push_back(std::move(before));
  }
  return EncodeRowsBefore(view.schema(), list);
}

std::string EncodeShown(const View& view, const Vector<Op>& ops) {
  const Schema& schema = view.schema();
  RowsBefore list;
  Set<ObjectKey> seen;
  size_t bytes = 0;
  for (const Op& op : RowOps(ops)) {
    const ObjectKey key = KeyOf(schema, op);
    if (!seen.insert(key).second) continue;
    const std::optional<Row> row = view.Visible(key);
    if (!row.has_value()) continue;
    RowBefore before{key, row->realm, true, row->created_at, SetOf(*row)};
    bytes += 40 + BytesOf(before.set);
    if (bytes > kMaxRowsBeforeBytes) return {};
    list.push_back(std::move(before));
  }
  return EncodeRowsBefore(schema, list);
}

}  // namespace skerry
