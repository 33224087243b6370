// Comparing with the server (client/comparison.h): its events, and the transaction that stores what
// differed as a record of its own. It takes no part of a pull's work: the record has no new cursor.
#include <utility>

#include "client/effect.h"
#include "client/tab.h"
#include "log/codec.h"
#include "log/update_record.h"

namespace skerry {
namespace {

// How often a device compares by itself.
constexpr double kComparedEveryMs = 7 * 86'400'000.0;

}  // namespace

void Tab::OnEvent(CompareEvent event, Data* effects) {
  const bool begins = event.step == CompareStep::kBegin || event.step == CompareStep::kIfDue;
  if (begins || !follows()) comparing_ = false;
  if (!options_.remote) return SayCompared(CompareNext::kDone, effects);
  if (!follows() || unapplied_reading_ != 0) return SayCompared(CompareNext::kPull, effects);
  if (!comparing_) {
    const bool if_due = event.step == CompareStep::kIfDue;
    return BeginComparing(if_due, !if_due, effects);
  }
  const CompareNext next = comparison_.next();
  if (event.step == CompareStep::kAnswer && next == CompareNext::kAsk) {
    Vector<Step> steps = comparison_.Take(event.answer, mirror_.cursors());
    if (!steps.empty()) {
      MendTx& tx = Transact<MendTx>({Store::kSync, Store::kUpdates}, SyncRead(),
                                    TransactionMode::kWriteStrict, effects);
      tx.n = mirror_.n();
      tx.steps = std::move(steps);
      return;
    }
  } else if (event.step == CompareStep::kWork &&
             (next == CompareNext::kWork || next == CompareNext::kPull)) {
    comparison_.Work(event.rows);
  }
  SayCompared(next, effects);
}

// `otherwise`: what comes next if no comparison has begun. After a pull it begins again.
void Tab::SayCompared(CompareNext otherwise, Data* effects) {
  effect::Compared said;
  said.next = comparing_ ? comparison_.next() : otherwise;
  if (said.next == CompareNext::kAsk) said.request = comparison_.Ask(mirror_.cursors());
  said.checked = comparison_.checked();
  said.left = comparison_.left();
  said.hopeless = comparison_.hopeless();
  effects->Push(ComparedEffect(said));
}

// An idle window writes nothing: whether it is time is read first.
void Tab::BeginComparing(bool if_due, bool claims, Data* effects) {
  CompareTx& tx =
      Transact<CompareTx>({Store::kSync}, SyncRead(),
                          claims ? TransactionMode::kWrite : TransactionMode::kRead, effects);
  tx.if_due = if_due;
  tx.claims = claims;
}

void Tab::Read(CompareTx* tx, Data* results, TxReply* reply) {
  Data& stored = results->mutable_items()[0];
  tx->client = stored["client"].as_string();
  tx->sync = SyncProgress::Read(std::move(stored));
  SyncProgress& sync = tx->sync;
  if (tx->client.empty() || IsFromNewerVersion(*schema_, sync)) return;
  const double since = now_ - sync.compared_at.value_or(now_);
  tx->begins = !tx->if_due || doubts_ || since > kComparedEveryMs || since < -kComparedEveryMs;
  if (!tx->begins || !tx->claims) return;
  sync.compared_at = now_;
  reply->writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::Done(CompareTx* tx, const Vector<Key>&, Data* effects) {
  if (!tx->begins) return SayCompared(CompareNext::kDone, effects);
  if (!tx->claims) return BeginComparing(true, true, effects);
  comparing_ = FollowsOwn(tx->sync);
  if (comparing_) {
    doubts_ = false;
    comparison_.Begin(tx->sync, std::move(tx->client));
  } else {
    RequestReading(effects);
  }
  SayCompared(CompareNext::kPull, effects);
}

void Tab::Failed(const CompareTx&, const HostError&, Data* effects) {
  SayCompared(CompareNext::kPull, effects);
}

void Tab::Read(MendTx* tx, Data* results, TxReply* reply) {
  SyncProgress sync = SyncProgress::Read(results->items()[0]);
  tx->fits = comparison_.FitsScopes(sync);
  if (!tx->fits || !FollowsOwn(sync) || sync.n != tx->n) {
    reply->abort = true;
    return;
  }
  UpdateRecord& record = tx->record.emplace();
  record.n = ++sync.n;
  record.kind = UpdateKind::kMended;
  record.cursors = sync.cursors;
  record.body = EncodeSteps(*schema_, tx->steps);
  sync.record_bytes += record.body->size();
  reply->writes.Push(PutWrite(Store::kUpdates, record.n, record.Write()));
  reply->writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::Done(MendTx* tx, const Vector<Key>&, Data* effects) {
  const ApplyResult result = mirror_.Record(*tx->record);
  if (result == ApplyResult::kApplied) SayMended(*tx->record, effects);
  OnApplied(result, effects);
  Broadcast(RecordMessage{std::move(*tx->record)}, effects);
  SayCompared(CompareNext::kPull, effects);
}

// Something was stored meanwhile. If a scope has changed, the comparison begins again.
void Tab::Failed(const MendTx& tx, const HostError&, Data* effects) {
  comparing_ = comparing_ && tx.fits;
  comparison_.Retry();
  RequestReading(effects);
  SayCompared(CompareNext::kPull, effects);
}

void Tab::SayMended(const UpdateRecord& record, Data* effects) const {
  if (record.kind != UpdateKind::kMended || !record.body.has_value()) return;
  Vector<NamedRow> rows;
  const Result<Vector<Step>> steps = DecodeSteps(*schema_, *record.body);
  if (!steps.ok()) return;
  for (const Step& step : steps.value()) {
    const TableIndex table = step.change.key.table;
    if (table == kNone) continue;
    rows.push_back({schema_->table(table).name, step.change.key.id, step.change.realm});
  }
  effects->Push(MendedEffect(std::move(rows)));
}

}  // namespace skerry
