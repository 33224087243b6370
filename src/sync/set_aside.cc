#include "sync/set_aside.h"

#include <utility>

#include "log/codec.h"
#include "sync/records.h"

namespace skerry {
namespace {

// The first object that the mutation names, and what it wanted of it: the plain form of every prop
// that it set.
void Mine(const Schema& schema, const Data& record, Data* table, Data* id, Data* mine) {
  Result<Mutation> mutation = DecodeMutation(schema, record["body"].as_bytes());
  if (!mutation.ok() || mutation.value().ops.empty()) {
    // The keys say which object it was, even where the body cannot be read.
    if (record["keys"].items().empty()) return;
    const std::string& key = record["keys"].items()[0].as_string();
    const size_t end = key.find('\0');
    *table = key.substr(0, end);
    if (end != std::string::npos) *id = key.substr(end + 1);
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

const Refusal* SetAside::WhyRefused(const Data& record, Refusal* dependant) const {
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
  return nullptr;
}

void SetAside::AddOne(const Data& key, Data record, Data::Array* writes) {
  if (IsNewer(record)) return;
  bool changed = false;
  if (record["update"].is_string() && undone_.count(record["update"].as_string()) != 0) {
    record.Set("update", nullptr).Set("state", "pending");
    changed = true;
  }
  if (record["update"].is_string()) return;  // still on its way under an update that stays
  const std::string id = record["id"].as_string();
  const auto known = known_.find(id);
  if (known != known_.end()) {
    record.Set("known", known->second);
    now_known_.Push(MutationName(record["id"], key).Set("realms", known->second));
    changed = true;
  }
  Refusal dependant;
  const Refusal* why = record["known"].is_object() ? nullptr : WhyRefused(record, &dependant);
  if (why != nullptr) {
    for (const Data& object : record["keys"].items()) bad_keys_.emplace(object.as_string(), id);
    refused_.Push(
        MutationName(record["id"], key).Set("code", why->code).Set("detail", why->detail));
    if (key.as_number() > highest_) highest_ = key.as_number();
    writes->push_back(AddWrite("conflicts", InboxRecord(record, *why)));
    writes->push_back(DeleteWrite("mutations", key));
    return;
  }
  if (alone_.count(id) != 0) {
    record.Set("alone", true);
    changed = true;
  }
  if (changed) writes->push_back(PutWrite("mutations", key, std::move(record)));
}

Data SetAside::InboxRecord(const Data& record, const Refusal& why) const {
  Data table, id, mine;
  Mine(*schema_, record, &table, &id, &mine);
  Data mutation = Data::MakeObject();
  mutation.Set("id", record["id"])
      .Set("name", record["name"])
      .Set("at", record["at"])
      .Set("body", record["body"]);
  Data entry = Data::MakeObject();
  entry.Set("v", kRecordVersion).Set("table", std::move(table)).Set("id", std::move(id));
  entry.Set("reason", why.reason).Set("code", why.code).Set("detail", why.detail);
  entry.Set("base", nullptr).Set("mine", std::move(mine)).Set("theirs", why.theirs).Set("at", now_);
  entry.Set("mutation", std::move(mutation));
  return entry;
}

}  // namespace skerry
