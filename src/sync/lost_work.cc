#include "sync/lost_work.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/transaction_builder.h"
#include "model/present_names.h"

namespace skerry {
namespace {

// Whether an edit met no row because of a deleted parent may be said differently the next time.
constexpr char kLost[] = "lost";

// An item of MutationRecord::told. `object`: by ObjectName.
std::string ToldItem(std::string what, const std::string& object) { return what + '\0' + object; }

bool HasTold(const MutationRecord& record, const std::string& item) {
  return record.told.has_value() &&
         std::find(record.told->begin(), record.told->end(), item) != record.told->end();
}

// Notes that the inbox has it. Returns whether it was new. `object`: by ObjectName.
bool NoteTold(const InboxReason& why, const std::string& object, MutationRecord* record) {
  std::string item = ToldItem(why.reason == kDropped ? kDropped : kLost, object);
  if (HasTold(*record, item)) return false;
  if (!record->told.has_value()) record->told.emplace();
  record->told->push_back(std::move(item));
  return true;
}

bool HasKey(const Schema& schema, const MutationRecord& record, const ConflictRecord& entry) {
  if (!entry.table.has_value()) return false;
  const TableIndex table = schema.FindTable(*entry.table);
  std::string key = *entry.table;
  if (table != kNone) key = schema.table(table).former.First(key);
  key += '\0' + *entry.id;
  return std::any_of(record.keys.begin(), record.keys.end(), [&](const std::string& each) {
    return each.starts_with(key) && (each.size() == key.size() || each[key.size()] == '\0');
  });
}

// The ops of an update's body, read without a schema: it may have been grouped under another one.
struct PushedOps {
  Data body;
  const Data::Array& ops() const { return body["ops"].items(); }
  Vector<std::string> ActionsOf(size_t op) const {
    const Data::Array& actions = body["actions"].items();
    // Without `by` there is one action.
    const Data& by = ops()[op]["by"];
    if (!by.is_array()) return {actions.empty() ? "" : actions[0]["id"].as_string()};
    Vector<std::string> ids;
    for (const Data& place : by.items()) {
      const uint64_t index = place.as_u64(actions.size());
      if (index < actions.size()) ids.push_back(actions[index]["id"].as_string());
    }
    return ids;
  }
};

}  // namespace

void LostWork::Add(const OutboxRecord& update, const LostOps& ops, bool is_done) {
  if (ops.gone.empty() && ops.missing.empty() && ops.dropped.empty()) return;
  Result<Data> body = ParseJson(update.body);
  if (!body.ok()) return;  // cannot happen: the server has read it
  const PushedOps pushed{std::move(body.value())};
  const auto each = [&](uint64_t place, auto note) {
    if (place >= pushed.ops().size()) return;
    for (const std::string& action : pushed.ActionsOf(place)) {
      Lost& lost = lost_[action];
      lost.is_done = is_done;
      note(&lost, pushed.ops()[place]);
    }
  };
  const auto table = [this](const Data& op) {
    return PresentName(*schema_, op["table"].as_string());
  };
  const auto name = [this, table](const Data& op) {
    return ObjectName(*schema_, table(op), op["id"].as_string(), op["realm"].as_string());
  };
  for (const uint64_t place : ops.gone)
    each(place, [&](Lost* lost, const Data& op) { lost->gone.insert(name(op)); });
  for (const uint64_t place : ops.missing)
    each(place, [&](Lost* lost, const Data& op) { lost->missing.insert(name(op)); });
  for (const DroppedOp& dropped : ops.dropped) {
    each(dropped.op, [&](Lost* lost, const Data& op) {
      const std::string object =
          ObjectName(table(op), op["id"].as_string(), op["realm"].as_string());
      std::optional<Vector<std::string>>& props =
          lost->dropped.try_emplace(object, Vector<std::string>()).first->second;
      if (!dropped.props.has_value()) props.reset();
      if (!props.has_value()) return;
      for (const std::string& prop : *dropped.props)
        props->push_back(PresentName(*schema_, table(op), prop));
    });
  }
}

bool LostWork::IsTold(const MutationRecord& record, const Op& op) const {
  // What an action has deleted in the end is not told.
  if (!op.Has(kOnRow) || op.Has(kDeletes)) return false;
  const std::string& table = schema_->table(op.table).name;
  if (HasTold(record, ToldItem(kLost, ObjectName(table, op.id, op.realm)))) return true;
  const auto found = lost_.find(record.id);
  if (found == lost_.end()) return false;
  const std::string object = ObjectName(*schema_, table, op.id, op.realm);
  return found->second.gone.contains(object) || found->second.missing.contains(object);
}

bool LostWork::See(MutationRecord* record) {
  LeaveOutDeleted(*record);
  const auto found = lost_.find(record->id);
  if (found == lost_.end()) return false;
  const Lost& lost = found->second;
  const size_t told = record->told.has_value() ? record->told->size() : 0;
  InboxReason why;
  if (!lost.dropped.empty()) {
    why.reason = kDropped;
    why.code = kNoPlace;
    Tell(why, FindLeftOut(*schema_, lost.dropped, record->body, defaults_), record);
  }
  if (!lost.gone.empty()) {
    why.reason = "rejected";
    why.code = kParentDeleted;
    why.detail = "The object that it belongs to was deleted.";
    Tell(why, FindOpsOn(*schema_, lost.gone, record->body), record);
  }
  if (!lost.missing.empty()) {
    why.reason = why.code = kRowDeleted;
    why.detail = "The object was deleted, or has moved to a realm that the user may not read.";
    Tell(why, FindOpsOn(*schema_, lost.missing, record->body), record);
  }
  return !lost.is_done && record->told.has_value() && record->told->size() > told;
}

void LostWork::Tell(const InboxReason& why, const Result<Vector<LeftOutPart>>& parts,
                    MutationRecord* record) {
  if (!parts.ok()) {
    // Nobody can read it, but it stays.
    if (NoteTold(why, "", record)) entries_.push_back({WholeEntry(why, *record, now_), ""});
    return;
  }
  for (const LeftOutPart& part : parts.value()) {
    // The action has deleted it in the end.
    if (part.mine.is_null() && why.reason != kDropped) continue;
    if (!NoteTold(why, ObjectName(part.table, part.id, part.realm), record)) continue;
    entries_.push_back({PartEntry(why, part, *record, now_), part.realm});
    entries_.back().record.part = true;  // the log has its action
  }
}

bool LostWork::Deletes(const Schema& names, const Op& op, const Entry& entry) const {
  if (!op.Has(kDeletes) || op.id != entry.record.id) return false;
  const std::string& name = names.table(op.table).name;
  if (name != entry.record.table) return false;
  return MayMove(*schema_, name) || op.realm == entry.realm;
}

void LostWork::LeaveOutDeleted(const MutationRecord& later) {
  const auto may_delete = [&](const Entry& entry) {
    return entry.record.reason != kDropped && HasKey(*schema_, later, entry.record);
  };
  if (std::none_of(entries_.begin(), entries_.end(), may_delete)) return;
  Schema names = Schema::OfNames({});
  const Result<Mutation> mutation = DecodeMutationAsItIs(*schema_, later.body, &names);
  if (!mutation.ok()) return;
  const Vector<Op>& ops = mutation.value().ops;
  erase_if(entries_, [&](const Entry& entry) {
    return may_delete(entry) && std::any_of(ops.begin(), ops.end(), [&](const Op& op) {
             return Deletes(names, op, entry);
           });
  });
}

void LostWork::Finish(Data::Array* writes) {
  for (const Entry& entry : entries_)
    writes->push_back(AddWrite(Store::kConflicts, entry.record.Write()));
  entries_.clear();
}

}  // namespace skerry
