#include "sync/quarantine.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/map.h"
#include "log/codec.h"
#include "log/membership_op.h"
#include "log/wire.h"
#include "sync/records.h"

namespace skerry {
namespace {

// The first object that the mutation names, and what it wanted: the plain values of all props that
// it set.
void NameObject(const Schema& schema, const MutationRecord& record, ConflictRecord* entry) {
  // All that it wanted is shown, also what this schema has no place for.
  Schema names = Schema::OfNames({});
  Result<Mutation> mutation = DecodeMutationAsItIs(record.body, &names);
  if (!mutation.ok() || mutation.value().ops.empty()) {
    // The keys name the object even if the body cannot be read.
    if (record.keys.empty()) return;
    const std::string& key = record.keys[0];
    const size_t end = key.find('\0');
    entry->table = key.substr(0, end);
    if (end == std::string::npos) return;
    entry->id = key.substr(end + 1, key.find('\0', end + 1) - end - 1);
    return;
  }
  const Op& first = mutation.value().ops[0];
  if (first.table == kNone) return;
  const TableDef& named = names.table(first.table);
  entry->table = named.name;
  entry->id = first.id;
  const TableIndex known = schema.FindTable(named.name);
  Data props = Data::MakeObject();
  for (const Op& op : mutation.value().ops) {
    if (op.table == kNone || KeyOf(names, op) != KeyOf(names, first)) continue;
    for (const PropValue& value : op.set) {
      const std::string& name = named.props[value.prop].name;
      const bool is_known = known != kNone && schema.table(known).FindProp(name) != kNone;
      props.Set(name, is_known ? ValueToData({}, value.value, false) : ValueAsItIs(value.value));
    }
  }
  if (!first.Has(kDeletes)) entry->mine = std::move(props);
}

InboxReason* Depend(const char* how, const std::string& on, InboxReason* dependant) {
  dependant->code = "depends";
  dependant->detail = how + on + '.';
  dependant->depends_on = on;
  return dependant;
}

ConflictRecord EntryFor(const InboxReason& why, double now) {
  ConflictRecord entry;
  entry.reason = why.reason;
  entry.code = why.code;
  entry.detail = why.detail;
  entry.theirs = why.theirs;
  entry.at = now;
  if (!why.depends_on.empty()) entry.depends_on = why.depends_on;
  return entry;
}

}  // namespace

void Quarantine::Add(const Data& mutations_range, Data::Array* writes) {
  for (const Data& row : mutations_range.items()) {
    last_key_ = RowKey(row).number();
    AddOne(RowKey(row), MutationRecord::Read(RowValue(row)), writes);
  }
}

const InboxReason* Quarantine::WhyRefused(const MutationRecord& record,
                                          InboxReason* dependant) const {
  for (const std::string& realm : record.realms) {
    const auto founding = refused_foundings_.find(realm);
    if (founding == refused_foundings_.end()) continue;
    return Depend("It is in the realm of the refused mutation ", founding->second, dependant);
  }
  const auto culprit = culprits_.find(record.id);
  if (culprit != culprits_.end()) return &culprit->second;
  for (const std::string& realm : record.realms) {
    const auto refused = realms_.find(realm);
    if (refused != realms_.end()) return &refused->second;
  }
  for (const std::string& key : record.keys) {
    const auto bad = refused_keys_.find(key);
    if (bad == refused_keys_.end()) continue;
    return Depend("It changes an object of the refused mutation ", bad->second, dependant);
  }
  if (const std::string* maker = RefersToRefused(record)) {
    return Depend("It refers to an object of the refused mutation ", *maker, dependant);
  }
  return nullptr;
}

// The refused mutation that would have created an object to which a ref of `record` points; else
// null.
const std::string* Quarantine::RefersToRefused(const MutationRecord& record) const {
  if (refused_creates_.empty()) return nullptr;
  const Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok()) return nullptr;
  for (const Op& op : mutation.value().ops) {
    for (const PropValue& value : op.set) {
      const TableIndex target = schema_->table(op.table).props[value.prop].ref_table;
      if (target == kNone || value.value.is_null()) continue;
      const auto bad = refused_creates_.find(KeyIn(*schema_, target, value.value.text(), op.realm));
      if (bad != refused_creates_.end()) return &bad->second;
    }
  }
  return nullptr;
}

// Whether the mutation founds realms, or offers rows, and nothing else.
bool Quarantine::GivesBack(const MutationRecord& record) const {
  if (refused_keys_.empty()) return false;
  const Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok()) return false;
  const Vector<Op>& ops = mutation.value().ops;
  return std::all_of(ops.begin(), ops.end(), [&](const Op& op) {
    return op.Has(kOnlyNew) || (!user_.empty() && MakesOwner(*schema_, op, user_));
  });
}

void Quarantine::NoteCreated(const MutationRecord& record) {
  const Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok()) return;
  for (const Op& op : mutation.value().ops) {
    if (!op.Has(kCreates)) continue;
    refused_creates_.emplace(KeyOf(*schema_, op), record.id);
    if (!user_.empty() && MakesOwner(*schema_, op, user_))
      refused_foundings_.emplace(op.realm, record.id);
  }
}

// Whether all that the mutation does is to leave realms, and the reason says that the user is not a
// member any more.
bool Quarantine::OnlyLeaves(const MutationRecord& record, const InboxReason& why) const {
  if (user_.empty() || (why.code != "forbidden" && why.code != "revoked")) return false;
  const Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok() || mutation.value().ops.empty()) return false;
  const Vector<Op>& ops = mutation.value().ops;
  return std::all_of(ops.begin(), ops.end(),
                     [&](const Op& op) { return IsLeave(*schema_, op, user_); });
}

void Quarantine::LeaveOut(const OutboxRecord& update, const Vector<DroppedOp>& dropped) {
  if (dropped.empty()) return;
  // Read without a schema: it may have been grouped under another one.
  const Result<Data> body = ParseJson(update.body);
  if (!body.ok()) return;  // cannot happen: the server has read it
  const Data::Array& ops = body.value()["ops"].items();
  const Data::Array& actions = body.value()["actions"].items();
  for (const DroppedOp& one : dropped) {
    if (one.op >= ops.size()) continue;
    const Data& op = ops[one.op];
    const std::string object =
        ObjectName(op["table"].as_string(), op["id"].as_string(), op["realm"].as_string());
    // Without `by` there is one action.
    const Data by = op["by"].is_array() ? op["by"] : Data(Data::Array{Data(0)});
    for (const Data& place : by.items()) {
      const uint64_t index = place.as_u64(actions.size());
      if (index >= actions.size()) continue;
      std::optional<Vector<std::string>>& props = left_out_[actions[index]["id"].as_string()]
                                                      .try_emplace(object, Vector<std::string>())
                                                      .first->second;
      if (!one.props.has_value()) props.reset();
      if (!props.has_value()) continue;
      for (const std::string& prop : *one.props) props->push_back(prop);
    }
  }
}

void Quarantine::AddOne(const Key& key, MutationRecord record, Data::Array* writes) {
  if (IsNewer(record)) return;
  if (const auto left_out = left_out_.find(record.id); left_out != left_out_.end()) {
    const auto parts = FindLeftOut(left_out->second, record.body, defaults_);
    if (parts.ok()) AddDroppedToInbox(parts.value(), record, now_, writes);
  }
  bool changed = false;
  if (record.update.has_value() && undone_.contains(*record.update)) {
    record.update.reset();
    record.state = MutationState::kPending;
    changed = true;
  }
  const std::string id = record.id;
  // It is still on its way, in an update that stays. (A record that cannot be read may name an
  // update that is gone.)
  if (record.update.has_value() && !culprits_.contains(id)) return;
  if (forgotten_.contains(id)) {
    record.known.reset();
    changed = true;
  }
  if (const auto known = known_.find(id); known != known_.end()) {
    record.known = known->second;
    now_known_.push_back({id, key, known->second, {}});
    changed = true;
  }
  if (GivesBack(record)) {
    for (const std::string& realm : record.realms) refused_foundings_.erase(realm);
    for (const std::string& object : record.keys) refused_keys_.erase(object);
  }
  InboxReason dependant;
  const InboxReason* why = record.known.has_value() ? nullptr : WhyRefused(record, &dependant);
  if (why != nullptr && OnlyLeaves(record, *why)) {
    done_.push_back({id, key, {}});
    highest_ = std::max(highest_, key.number());
    writes->push_back(DeleteWrite(Store::kMutations, key));
    return;
  }
  if (why != nullptr) return Reject(key, record, *why, writes);
  if (alone_.contains(id)) {
    record.alone = true;
    changed = true;
  }
  if (changed) writes->push_back(PutWrite(Store::kMutations, key, record.Write()));
}

void Quarantine::Reject(const Key& key, const MutationRecord& record, const InboxReason& why,
                        Data::Array* writes) {
  refused_.push_back({record.id, key, why.code, why.detail, {}});
  highest_ = std::max(highest_, key.number());
  writes->push_back(DeleteWrite(Store::kMutations, key));
  if (why.reason == kDropped) {
    const auto parts = FindLeftOut(*schema_, record.body, defaults_);
    if (parts.ok() && !parts.value().empty())
      return AddDroppedToInbox(parts.value(), record, now_, writes);
  }
  for (const std::string& object : record.keys) refused_keys_.emplace(object, record.id);
  NoteCreated(record);
  ConflictRecord entry = EntryFor(why, now_);
  NameObject(*schema_, record, &entry);
  entry.mutation = {record.id, record.name, record.at, record.body, {}};
  writes->push_back(AddWrite(Store::kConflicts, entry.Write()));
}

void AddDroppedToInbox(const Vector<LeftOutPart>& parts, const MutationRecord& record, double now,
                       Data::Array* writes) {
  for (const LeftOutPart& part : parts) {
    InboxReason why;
    why.reason = kDropped;
    why.code = kNoPlace;
    why.detail = part.detail;
    ConflictRecord entry = EntryFor(why, now);
    entry.table = part.table;
    entry.id = part.id;
    entry.mine = part.mine;
    if (!part.is_whole) entry.part = true;
    entry.mutation = {record.id, record.name, record.at, part.body, {}};
    writes->push_back(AddWrite(Store::kConflicts, entry.Write()));
  }
}

namespace {

// Whether a later op of the update deletes the object of the op at `place`.
bool IsDeletedLater(const Update& update, size_t place) {
  const Op& lost = update.ops[place];
  return std::any_of(update.ops.begin() + static_cast<ptrdiff_t>(place) + 1, update.ops.end(),
                     [&](const Op& op) { return op.Has(kDeletes) && op.key() == lost.key(); });
}

// Takes those ops at `places` that exist and that no entry is about yet, and notes them in `known`.
Vector<size_t> TakeNew(const Update& update, const Vector<uint64_t>& places,
                       Vector<uint64_t>* known) {
  Vector<size_t> fresh;
  for (const uint64_t place : places) {
    if (place >= update.ops.size() || !update.ops[place].Has(kOnRow)) continue;
    if (update.ops[place].by.empty()) continue;
    if (std::find(known->begin(), known->end(), place) != known->end()) continue;
    known->push_back(place);
    fresh.push_back(static_cast<size_t>(place));
  }
  return fresh;
}

// An entry for each op, all those of an action with the same body.
void AddEntries(const Schema& schema, const Update& update, const Vector<size_t>& places,
                const InboxReason& why, double now, Data::Array* writes) {
  Map<uint32_t, Mutation> lost;  // by action
  for (const size_t place : places) {
    const Op& op = update.ops[place];
    Mutation& mutation = lost[op.by[0]];
    mutation.action = update.actions[op.by[0]];
    mutation.base = update.base;
    mutation.ops.push_back(op);
    mutation.ops.back().by = {0};
  }
  for (const auto& [by, mutation] : lost) {
    const Action& action = mutation.action;
    for (const Op& op : mutation.ops) {
      const TableDef& table = schema.table(op.table);
      ConflictRecord entry = EntryFor(why, now);
      entry.table = table.name;
      entry.id = op.id;
      entry.mine = SetToData(table, op.set);
      entry.mutation = {action.id, action.name, action.at, EncodeMutation(schema, mutation), {}};
      writes->push_back(AddWrite(Store::kConflicts, entry.Write()));
    }
  }
}

}  // namespace

void AddLostToInbox(const Schema& schema, const LostOps& lost, double now, OutboxRecord* update,
                    Data::Array* writes) {
  if (lost.gone.empty() && lost.missing.empty()) return;
  const Result<Data> json = ParseJson(update->body);
  if (!json.ok()) return;
  const Result<Update> parsed = UpdateFromData(schema, json.value());
  if (!parsed.ok()) return;
  const Update& pushed = parsed.value();
  Vector<uint64_t> known = update->in_vain.value_or(Vector<uint64_t>());
  const Vector<size_t> gone = TakeNew(pushed, lost.gone, &known);
  Vector<size_t> missing = TakeNew(pushed, lost.missing, &known);
  erase_if(missing, [&](size_t place) { return IsDeletedLater(pushed, place); });
  if (!known.empty()) update->in_vain = std::move(known);
  InboxReason why;
  why.code = kParentDeleted;
  why.detail = "The object that it belongs to was deleted.";
  AddEntries(schema, pushed, gone, why, now, writes);
  why.reason = why.code = kRowDeleted;
  why.detail = "The object was deleted, or has moved to where the user may not read.";
  AddEntries(schema, pushed, missing, why, now, writes);
}

}  // namespace skerry
