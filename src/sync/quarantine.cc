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

// The op on the object that the server's answer names; else the first one on any object.
const Op* FindMeant(const Schema& names, const Vector<Op>& ops, const InboxReason& why) {
  const Op* first = nullptr;
  for (const Op& op : RowOps(ops)) {
    if (first == nullptr) first = &op;
    if (op.id == why.id && names.table(op.table).name == why.table) return &op;
  }
  return first;
}

// The object that the refusal is about, and what the mutation wanted of it: the plain values of all
// props that it set.
void NameObject(const Schema& schema, const InboxReason& why, const MutationRecord& record,
                ConflictRecord* entry) {
  // All that it wanted is shown, also what this schema has no place for.
  Schema names = Schema::OfNames({});
  Result<Mutation> mutation = DecodeMutationAsItIs(schema, record.body, &names);
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
  const Op* meant = FindMeant(names, mutation.value().ops, why);
  if (meant == nullptr) return;
  entry->table = names.table(meant->table).name;
  entry->id = meant->id;
  if (meant->Has(kDeletes)) return;
  Vector<Op> ops;
  for (const Op& op : RowOps(mutation.value().ops)) {
    if (KeyOf(names, op) == KeyOf(names, *meant) && !op.Has(kDeletes)) ops.push_back(op);
  }
  entry->mine = ShownOps(names, ops, &schema);
}

// Whether the mutation can be read, and an `inc` of it is meant.
template <typename IsMeant>
bool AnyInc(const Schema& schema, const MutationRecord& record, IsMeant is_meant) {
  const Result<Mutation> mutation = DecodeMutation(schema, record.body);
  if (!mutation.ok()) return false;
  const Vector<Op>& ops = mutation.value().ops;
  return std::any_of(ops.begin(), ops.end(),
                     [&](const Op& op) { return !op.add.empty() && is_meant(op); });
}

InboxReason* Depend(const char* how, const std::string& on, InboxReason* dependant) {
  dependant->code = "depends";
  dependant->detail = how + on + '.';
  dependant->depends_on = on;
  return dependant;
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
  if (MayCountTwice(record)) {
    dependant->code = "outcome_unknown";
    dependant->detail =
        "The server was restored to an earlier state. What was given back to it may have this "
        "change already.";
    return dependant;
  }
  const auto culprit = rejected_.find(record.id);
  if (culprit != rejected_.end()) return &culprit->second;
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
  const std::string* maker = nullptr;
  for (const Op& op : mutation.value().ops) {
    const bool refers = AnyRef(*schema_, op, [&](const ObjectKey& target) {
      const auto bad = refused_creates_.find(target);
      if (bad != refused_creates_.end()) maker = &bad->second;
      return maker != nullptr;
    });
    if (refers) return maker;
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

bool Quarantine::MayCountTwice(const MutationRecord& record) const {
  const auto doubted = doubted_.find(record.id);
  if (doubted == doubted_.end()) return false;
  return AnyInc(*schema_, record, [&](const Op& op) { return doubted->second.contains(op.realm); });
}

// An `inc` is grouped alone from now on, so that the server can refuse it alone.
void Quarantine::NoteSent(const std::optional<double>& sent, MutationRecord* record) const {
  if (!sent.has_value()) return;
  if (!AnyInc(*schema_, *record, [](const Op&) { return true; })) return;
  record->sent = std::min(*sent, record->sent.value_or(*sent));
  record->alone = true;
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

void Quarantine::AddOne(const Key& key, MutationRecord record, Data::Array* writes) {
  if (IsNewer(record)) return;
  bool changed = lost_.See(&record);
  const auto undone = record.update.has_value() ? undone_.find(*record.update) : undone_.end();
  if (undone != undone_.end()) {
    NoteSent(undone->second, &record);
    record.update.reset();
    record.state = MutationState::kPending;
    changed = true;
  }
  const std::string id = record.id;
  // It is still on its way, in an update that stays. (A record that cannot be read may name an
  // update that is gone.)
  if (record.update.has_value() && !rejected_.contains(id)) {
    if (changed) writes->push_back(PutWrite(Store::kMutations, key, record.Write()));
    return;
  }
  if (forgotten_.contains(id)) {
    record.known.reset();
    NoteSent(0, &record);
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
  ConflictRecord entry = WholeEntry(why, record, now_);
  NameObject(*schema_, why, record, &entry);
  if (why.code == kInternal) entry.schema = schema_->version();
  writes->push_back(AddWrite(Store::kConflicts, entry.Write()));
}

}  // namespace skerry
