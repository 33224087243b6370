#include "sync/set_aside.h"

#include <utility>

#include "base/json.h"
#include "base/map.h"
#include "log/codec.h"
#include "log/wire.h"
#include "sync/records.h"

namespace skerry {
namespace {

constexpr std::string_view kParentDeleted = "parent_deleted";

// The first object that the mutation names, and what it wanted of it: the plain form of every prop
// that it set.
void Mine(const Schema& schema, const Data& record, Data* table, Data* id, Data* mine) {
  Result<Mutation> mutation = DecodeMutation(schema, record["body"].as_bytes());
  if (!mutation.ok() || mutation.value().ops.empty()) {
    // The keys say which object it was, even where the body cannot be read.
    if (record["keys"].items().empty()) return;
    const String& key = record["keys"].items()[0].as_string();
    const size_t end = key.find('\0');
    *table = key.substr(0, end);
    if (end != String::npos) *id = key.substr(end + 1);
    return;
  }
  const Op& first = mutation.value().ops[0];
  if (first.table == kNone) return;
  const TableDef& def = schema.table(first.table);
  *table = def.name;
  *id = first.id;
  Data props = Data::MakeObject();
  for (const Op& op : mutation.value().ops) {
    if (op.table != first.table || op.id != first.id) continue;
    for (const PropValue& value : op.set) {
      const PropDef& prop = def.props[value.prop];
      props.Set(prop.name, ValueToData(prop, value.value, false));
    }
  }
  if (first.kind != OpKind::kDelete) *mine = std::move(props);
}

}  // namespace

void SetAside::Undo(const Data& update) { undone_.insert(update["id"].as_string()); }

void SetAside::Add(const Data& mutations_range, Data::Array* writes) {
  for (const Data& row : mutations_range.items()) AddOne(row["key"], row["value"], writes);
}

const InboxReason* SetAside::WhyRefused(const Data& record, InboxReason* dependant) const {
  const auto culprit = culprits_.find(record["id"].as_string());
  if (culprit != culprits_.end()) return &culprit->second;
  for (const Data& realm : record["realms"].items()) {
    const auto refused = realms_.find(realm.as_string());
    if (refused != realms_.end()) return &refused->second;
  }
  for (const Data& key : record["keys"].items()) {
    const auto bad = bad_keys_.find(key.as_string());
    if (bad == bad_keys_.end()) continue;
    dependant->code = "depends";
    dependant->detail = "It changes an object of the refused mutation " + bad->second + '.';
    return dependant;
  }
  if (const String* maker = RefersToRefused(record)) {
    dependant->code = "depends";
    dependant->detail = "It refers to an object of the refused mutation " + *maker + '.';
    return dependant;
  }
  return nullptr;
}

// The refused mutation that would have created an object to which a ref of this one points.
const String* SetAside::RefersToRefused(const Data& record) const {
  if (bad_creates_.empty()) return nullptr;
  const Result<Mutation> mutation = DecodeMutation(*schema_, record["body"].as_bytes());
  if (!mutation.ok()) return nullptr;
  for (const Op& op : mutation.value().ops) {
    for (const PropValue& value : op.set) {
      const TableIndex target = schema_->table(op.table).props[value.prop].ref_table;
      if (target == kNone || value.value.is_null()) continue;
      const auto bad = bad_creates_.find({target, String(value.value.text())});
      if (bad != bad_creates_.end()) return &bad->second;
    }
  }
  return nullptr;
}

void SetAside::NoteCreated(const Data& record) {
  const Result<Mutation> mutation = DecodeMutation(*schema_, record["body"].as_bytes());
  if (!mutation.ok()) return;
  for (const Op& op : mutation.value().ops) {
    if (op.kind != OpKind::kCreate) continue;
    bad_creates_.emplace(ObjectKey{op.table, op.id}, record["id"].as_string());
  }
}

void SetAside::AddOne(const Data& key, Data record, Data::Array* writes) {
  if (IsNewer(record)) return;
  bool changed = false;
  if (record["update"].is_string() && undone_.count(record["update"].as_string()) != 0) {
    record.Set("update", nullptr).Set("state", "pending");
    changed = true;
  }
  const String id = record["id"].as_string();
  // Still on its way under an update that stays; what cannot be read may name one that is gone.
  if (record["update"].is_string() && !culprits_.contains(id)) return;
  if (forgotten_.contains(id)) {
    record.Set("known", nullptr);
    changed = true;
  }
  const auto known = known_.find(id);
  if (known != known_.end()) {
    record.Set("known", known->second);
    now_known_.Push(MutationName(record["id"], key).Set("realms", known->second));
    changed = true;
  }
  InboxReason dependant;
  const InboxReason* why = record["known"].is_object() ? nullptr : WhyRefused(record, &dependant);
  if (why != nullptr) {
    for (const Data& object : record["keys"].items()) bad_keys_.emplace(object.as_string(), id);
    refused_.Push(
        MutationName(record["id"], key).Set("code", why->code).Set("detail", why->detail));
    if (key.as_number() > highest_) highest_ = key.as_number();
    NoteCreated(record);
    Data table, object, mine;
    Mine(*schema_, record, &table, &object, &mine);
    Data mutation = Data::MakeObject();
    mutation.Set("id", record["id"]).Set("name", record["name"]);
    mutation.Set("at", record["at"]).Set("body", record["body"]);
    writes->push_back(
        AddWrite(Store::kConflicts, InboxRecord(std::move(table), std::move(object),
                                                std::move(mine), std::move(mutation), *why, now_)));
    writes->push_back(DeleteWrite(Store::kMutations, Key(key)));
    return;
  }
  if (alone_.count(id) != 0) {
    record.Set("alone", true);
    changed = true;
  }
  if (changed) writes->push_back(PutWrite(Store::kMutations, Key(key), std::move(record)));
}

Data InboxRecord(Data table, Data id, Data mine, Data mutation, const InboxReason& why,
                 double now) {
  Data entry = Data::MakeObject();
  entry.Set("v", kRecordVersion).Set("table", std::move(table)).Set("id", std::move(id));
  entry.Set("reason", why.reason).Set("code", why.code).Set("detail", why.detail);
  entry.Set("base", nullptr).Set("mine", std::move(mine)).Set("theirs", why.theirs).Set("at", now);
  entry.Set("mutation", std::move(mutation));
  return entry;
}

void TellGone(const Schema& schema, const Data& update, const Data& gone, double now,
              Data::Array* writes) {
  if (gone.items().empty()) return;
  const Result<Data> json = ParseJson(update["body"].as_bytes());
  if (!json.ok()) return;
  const Result<Update> parsed = UpdateFromData(schema, json.value());
  if (!parsed.ok()) return;
  const Update& pushed = parsed.value();
  Map<uint32_t, Mutation> lost;  // by action
  for (const Data& index : gone.items()) {
    const size_t i = index.as_u64(pushed.ops.size());
    if (i >= pushed.ops.size() || pushed.ops[i].by.empty()) continue;
    const uint32_t by = pushed.ops[i].by[0];
    Mutation& mutation = lost[by];
    mutation.action = pushed.actions[by];
    mutation.base = pushed.base;
    mutation.ops.push_back(pushed.ops[i]);
    mutation.ops.back().by = {0};
  }
  InboxReason why;
  why.code = kParentDeleted;
  why.detail = "The object that it belongs to was deleted.";
  for (const auto& [by, mutation] : lost) {
    Data name = Data::MakeObject();
    name.Set("id", mutation.action.id).Set("name", mutation.action.name);
    name.Set("at", mutation.action.at).Set("body", Data::Bytes(EncodeMutation(schema, mutation)));
    for (const Op& op : mutation.ops) {
      const TableDef& table = schema.table(op.table);
      writes->push_back(
          AddWrite(Store::kConflicts,
                   InboxRecord(table.name, op.id, SetToData(table, op.set), name, why, now)));
    }
  }
}

}  // namespace skerry
