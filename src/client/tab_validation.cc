// Validation: which pending mutations the application's rules hold back (docs/window.md, section 8).
// The rules are JavaScript. The window asks for them about what has changed (effect `validate`), and
// is told which rows are wrong (event `judge`): a mutation is held if it changes one of them itself.
// Until then it is held, so that nothing is pushed unseen. The result stands in the mutation's
// record, so that a worker needs no window to know what it may push.
//
// Several windows judge the same mutations. What one has stored is replaced only by a window that has
// as much of the log and of the mutations, and whose schema is not an earlier one.
#include <algorithm>
#include <utility>

#include "client/effect.h"
#include "client/tab.h"

namespace skerry {

MutationRecord Tab::NewRecord(const Mutation& mutation, const std::string& before) const {
  MutationRecord record = MakeMutationRecord(*schema_, mutation, before);
  record.held = schema_->validates();
  return record;
}

MutationRecord Tab::RecordOf(const Pending& pending) const {
  MutationRecord record = MakeMutationRecord(*schema_, pending.mutation, pending.before);
  record.held = pending.held;
  if (pending.judged_by != 0) record.judged = judged_at_;
  return record;
}

// What was judged after the record was written is stored next.
void Tab::CheckHeld(const AddedItem& stored) {
  Pending* pending = mirror_.pending().Find(stored.id);
  if (pending != nullptr && pending->held != stored.record.held) Unjudge(pending);
}

void Tab::Unjudge(Pending* pending) {
  pending->judged_by = 0;
  judged_list_ = kNoList;
}

void Tab::RequestValidation(Data* effects) {
  if (!follows()) return;
  const bool is_asked = asked_n_ > answered_n_ && mirror_.n() >= asked_n_;
  const uint64_t list = mirror_.pending().version();
  const bool is_other_list = std::exchange(judged_list_, list) != list;
  if (!schema_->validates()) {
    // An earlier release had rules: without them nothing is wrong.
    if (is_asked || (is_other_list && mirror_.pending().saw_held())) Judge({}, effects);
    return;
  }
  if (!is_asked && !is_other_list && !view_->HasChanged()) return;
  ChangedObjects changed = view_->TakeChanged();
  if (changed.all) {
    for (const Pending* pending : mirror_.pending().InOrder()) {
      for (const Op& op : RowOps(pending->mutation.ops)) changed.keys.insert(KeyOf(*schema_, op));
    }
  }
  Vector<NamedRow> rows;
  for (const ObjectKey& key : changed.keys) {
    NamedRow row{schema_->table(key.table).name, key.id, {}};
    if (!key.realm.empty()) row.realm = key.realm;
    rows.push_back(std::move(row));
  }
  effects->Push(ValidateEffect(changed.all, std::move(rows)));
}

bool Tab::IsWrong(const Mutation& mutation, const Set<ObjectKey>& wrong) const {
  if (wrong.empty()) return false;
  for (const Op& op : RowOps(mutation.ops)) {
    if (wrong.contains(KeyOf(*schema_, op))) return true;
  }
  return false;
}

void Tab::OnEvent(const JudgeEvent& event, Data* effects) {
  Set<ObjectKey> wrong;
  for (const NamedRow& row : event.wrong) {
    const TableIndex table = schema_->FindTable(row.table);
    if (table == kNone) continue;
    wrong.insert(KeyIn(*schema_, table, row.id, row.realm.value_or(options_.default_realm)));
  }
  Judge(wrong, effects);
}

void Tab::Judge(const Set<ObjectKey>& wrong, Data* effects) {
  if (!options_.remote || !follows() || freeze_.is_frozen()) return;
  judged_at_ = {schema_->version(), mirror_.n(), mirror_.HighestSeen()};
  JudgeTx tx;
  tx.at = judged_at_;
  held_ = 0;
  for (Pending* pending : mirror_.pending().InOrder()) {
    if (pending->judged_by > schema_->version()) continue;
    const bool held = IsWrong(pending->mutation, wrong);
    const bool was_judged = pending->judged_by == schema_->version() || !schema_->validates();
    const bool is_known = was_judged && pending->held == held;
    const bool is_stored = pending->key != 0;
    tx.frees = tx.frees || (is_stored && pending->held && !held);
    pending->held = held;
    pending->judged_by = schema_->version();
    if (held) ++held_;
    if (!is_known && is_stored) tx.held[pending->mutation.action.id] = held;
  }
  if (tx.held.empty()) return AnswerValidated(effects);
  JudgeTx& stored = Transact<JudgeTx>({Store::kMutations}, OneRead(RangeRead(Store::kMutations)),
                                      TransactionMode::kWriteStrict, effects);
  stored.held = std::move(tx.held);
  stored.at = tx.at;
  stored.frees = tx.frees;
}

void Tab::Read(JudgeTx* tx, Data* results, TxReply* reply) {
  for (const Data& row : results->items()[0].items()) {
    MutationRecord record = MutationRecord::Read(RowValue(row));
    const auto judged = tx->held.find(record.id);
    if (judged == tx->held.end() || IsNewer(record) || record.update.has_value()) continue;
    if (record.judged.has_value()) {
      const JudgedAt& other = *record.judged;
      const JudgedAt& own = tx->at;
      if (other.version > own.version) continue;
      if (other.version == own.version) {
        if (other.n > own.n || other.key > own.key) {
          if (Pending* pending = mirror_.pending().Find(record.id)) pending->judged_by = 0;
          tx->was_overruled = true;
          continue;
        }
        if (record.held == judged->second) continue;
      }
    }
    record.held = judged->second;
    record.judged = tx->at;
    reply->writes.Push(PutWrite(Store::kMutations, RowKey(row), record.Write()));
  }
}

void Tab::Done(JudgeTx* tx, const Vector<Key>&, Data* effects) {
  if (tx->frees) Post(MutatedMessage(), effects);
  // The other window may have ended.
  if (tx->was_overruled) ReadLater(effects);
  AnswerValidated(effects);
}

// They are judged again a while later (kReread). A worker does not wait for that.
void Tab::Failed(const JudgeTx& tx, const HostError&, Data* effects) {
  for (const auto& [id, held] : tx.held) {
    if (Pending* pending = mirror_.pending().Find(id)) pending->judged_by = 0;
  }
  answered_n_ = std::max(answered_n_, asked_n_);
  ReadLater(effects);
}

void Tab::OnMessage(const ValidateMessage& message, Data*) {
  asked_n_ = std::max(asked_n_, message.n);
}

void Tab::AnswerValidated(Data* effects) {
  if (asked_n_ <= answered_n_ || judged_at_.n < asked_n_) return;
  answered_n_ = judged_at_.n;
  Broadcast(ValidatedMessage{answered_n_, schema_->version()}, effects);
}

}  // namespace skerry
