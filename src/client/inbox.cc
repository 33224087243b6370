#include "client/inbox.h"

#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "client/view.h"
#include "log/codec.h"
#include "log/left_out.h"
#include "log/rows_before.h"
#include "log/transaction_builder.h"
#include "model/present_names.h"

namespace skerry {
namespace {

// {prop: value} of what is known of the object. A prop that was null is null.
Data ShownRow(const Schema& names, const RowBefore& row, const Schema& schema) {
  const TableDef& table = names.table(row.key.table);
  Data shown = Data::MakeObject();
  for (const PropValue& one : row.set) {
    const std::string& prop = table.props[one.prop].name;
    shown.Set(prop, ShownValue(schema, table.name, prop, one.value));
  }
  return shown;
}

}  // namespace

bool IsInboxKey(const Key& key) { return key.number() > 0; }

bool Inbox::Take(const Data& rows) {
  Data valid = Data::MakeArray();
  for (const Data& row : rows.items()) {
    if (IsInboxKey(RowKey(row))) valid.Push(row);
  }
  if (valid == rows_) return false;
  rows_ = std::move(valid);
  entries_.clear();
  for (const Data& row : rows_.items())
    entries_.push_back(EntryOf(RowKey(row).number(), ConflictRecord::Read(RowValue(row))));
  return true;
}

ShownConflict Inbox::EntryOf(uint64_t key, const ConflictRecord& record) const {
  ShownConflict entry;
  entry.key = key;
  if (record.table.has_value()) entry.table = PresentName(*schema_, *record.table);
  entry.id = record.id;
  entry.reason = record.reason;
  entry.code = record.code;
  entry.detail = record.detail;
  entry.at = record.at;
  if (record.reason.empty()) {
    entry.reason = "rejected";
    entry.code = "unreadable";
    entry.detail = "This entry of the inbox is damaged.";
  }
  entry.mutation = {record.mutation.id, record.mutation.name, {}, record.mutation.at};
  entry.depends_on = record.depends_on;
  AddChanges(record, &entry);
  return entry;
}

void Inbox::AddChanges(const ConflictRecord& record, ShownConflict* entry) const {
  Schema names = Schema::OfNames({});
  Result<Mutation> mutation = DecodeMutationAsItIs(*schema_, record.mutation.body, &names);
  if (!mutation.ok()) return;
  entry->mutation.arg = mutation.value().action.arg;
  Schema before_names = Schema::OfNames({});
  const Result<RowsBefore> before =
      DecodeRowsBeforeAsTheyAre(*schema_, record.mutation.before.value_or(""), &before_names);
  Vector<ObjectKey> order;
  Map<ObjectKey, Vector<Op>> by_object;
  for (const Op& op : RowOps(mutation.value().ops)) {
    const TableDef& table = names.table(op.table);
    const ObjectKey key{op.table, op.id, MayMove(*schema_, table.name) ? "" : op.realm};
    Vector<Op>& ops = by_object[key];
    if (ops.empty()) {
      const bool is_meant = entry->table == table.name && entry->id == op.id;
      order.insert(is_meant ? order.begin() : order.end(), key);
    }
    ops.push_back(op);
  }
  for (const ObjectKey& key : order) {
    if (entry->changes.size() == kMaxInboxChanges) {
      ++entry->others;
      continue;
    }
    const Vector<Op>& ops = by_object.at(key);
    ShownChange change;
    change.table = names.table(key.table).name;
    change.id = key.id;
    change.realm = ops[0].realm;
    if (before.ok()) {
      for (const RowBefore& row : before.value()) {
        const bool is_it = row.key.id == key.id && row.realm == change.realm &&
                           before_names.table(row.key.table).name == change.table;
        if (is_it) change.base = ShownRow(before_names, row, *schema_);
      }
    }
    // What the schema has no place for is shown with the types that it was made with.
    const bool is_dropped = record.reason == kDropped;
    change.mine = ShownOps(names, ops, is_dropped ? nullptr : schema_, change.base);
    change.theirs = TheirsOf(change);
    entry->changes.push_back(std::move(change));
  }
}

Data Inbox::TheirsOf(const ShownChange& change) const {
  const TableIndex index = schema_->FindTable(change.table);
  if (index == kNone) return {};
  const TableDef& table = schema_->table(index);
  if (!CheckId(table, change.id).ok()) return {};
  const std::optional<Row> row = view_->Confirmed(KeyIn(*schema_, index, change.id, change.realm));
  if (!row.has_value()) return {};
  Data shown = Data::MakeObject();
  for (PropIndex i = 0; i < row->props.size(); ++i) {
    if (!row->props[i].is_null())
      shown.Set(table.props[i].name, ValueToData(table.props[i], row->props[i], false));
  }
  return shown;
}

bool Inbox::Refresh(uint64_t n) {
  if (n == n_) return false;
  n_ = n;
  bool changed = false;
  for (ShownConflict& entry : entries_) {
    for (ShownChange& change : entry.changes) {
      Data theirs = TheirsOf(change);
      if (theirs == change.theirs) continue;
      change.theirs = std::move(theirs);
      changed = true;
    }
  }
  return changed;
}

}  // namespace skerry
