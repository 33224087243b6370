// SyncJob: the push. One transaction groups mutations and marks updates as sent; then comes the
// request; then the transaction for its answer.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "sync/answer.h"
#include "sync/chain.h"
#include "sync/records.h"
#include "sync/sync_job.h"

namespace skerry {

namespace {

// A new identity needs one such push, and each mutation alone another.
constexpr int kMaxFruitless = 4;

}  // namespace

void SyncJob::PushAsk(Turn* turn) {
  // The state `sent` must be durable before the request is made.
  Enter(PushAskStage()).transaction =
      Transact({Store::kSync, Store::kOutbox, Store::kMutations, Store::kConflicts},
               TransactionMode::kWriteStrict, {.outbox = true, .counts = true}, turn);
}

ReadReply SyncJob::ReadPushAsk(PushAskStage* ask, FencedRound round, Turn* turn) {
  ReadReply reply;
  if (!round.is_first) {
    ask->grouping->Add(*round.mutations);
    if (ask->grouping->wants_more()) ReadNextPage(*round.mutations, &reply);
    return reply.more.empty() ? FinishPushAsk(ask, turn) : reply;
  }
  ask->sync = std::move(round.sync);
  ask->counted = lease_.Count(std::move(round.lease), turn->now);
  ask->outbox = InChainOrder(*round.outbox);
  ask->damaged = DamagedUpdates(*round.outbox);
  ask->transaction.Count({});
  was_full_ = ask->outbox.size() >= kMaxOutboxUpdates;
  ask->grouping = std::make_unique<Grouping>(
      &state_->setup.schema, ask->outbox.size(), state_->setup.limits.mutations,
      IsFromNewerVersion(state_->setup.schema, ask->sync), turn->now);
  ask->grouping->KnowDefaults(ask->sync.defaults.value_or(OldDefaults()));
  ask->grouping->Know(ask->outbox);
  ask->grouping->OfUser(state_->setup.user);
  if (ask->sync.lost.has_value()) ask->grouping->Lose(*ask->sync.lost);
  if (ask->transaction.mutation_count() > 0 && ask->grouping->wants_more()) {
    ReadFirstPage(&reply);
    return reply;
  }
  return FinishPushAsk(ask, turn);
}

ReadReply SyncJob::FinishPushAsk(PushAskStage* ask, Turn* turn) {
  ReadReply reply;
  if (ask->counted.has_value())
    reply.writes.push_back(PutWrite(Store::kSync, lease_.name(), ask->counted->Write()));
  // The mutations of these records are grouped again.
  for (const Key& key : ask->damaged) reply.writes.push_back(DeleteWrite(Store::kOutbox, key));
  const double at = turn->now + ask->sync.clock_offset.value_or(0);
  Vector<OutboxRecord> fresh =
      ask->grouping->Finish(at, turn->now, &state_->ids, &ask->sync.chain, &reply.writes);
  const bool grouped = !fresh.empty();
  for (OutboxRecord& update : fresh) ask->outbox.push_back(std::move(update));
  ask->batch = ChooseBatch(ask->outbox, push_most_);
  const Data::Array sent = MarkSent(ask->batch, lease_.epoch(), ask->sync, &ask->outbox);
  for (const Data& write : sent) reply.writes.push_back(write);
  for (const OutboxRecord& update : ask->outbox) {
    if (update.state == OutboxState::kNew && grouped)
      reply.writes.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  }
  if (grouped) reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, ask->sync.Write()));
  state_->seen.See(ask->sync);
  if (!ask->batch.ids.empty())
    ask->body = PushBody(ask->batch, ask->outbox, ask->sync, state_->setup.schema.version(),
                         lease_.epoch());
  if (ask->grouping->saw_newer()) state_->reported.SetError(NewerTabError());
  ask->transaction.Count(reply.writes);
  return reply;
}

void SyncJob::DonePushAsk(PushAskStage* ask, Turn* turn) {
  if (!Work() || !lease_.held() || helps()) return;
  const Grouping& grouping = *ask->grouping;
  if (grouping.dropped_any()) {
    // The user sees it at once, and not only when the server has answered. Then the push goes on.
    BeginQuarantine(grouping.unreadable(), turn);
  } else if (!ask->batch.ids.empty()) {
    const auto awaited = [](const OutboxRecord& update) { return !update.received(); };
    const size_t left_over =
        grouping.left_over() + grouping.unreadable().size() +
        static_cast<size_t>(std::count_if(ask->outbox.begin(), ask->outbox.end(), awaited)) -
        ask->batch.ids.size();
    const uint64_t fetch = Fetch("/push", std::move(ask->body), turn);
    Enter(PushFetchStage{{fetch}, std::move(ask->batch), left_over});
  } else if (!grouping.unreadable().empty()) {
    BeginQuarantine(grouping.unreadable(), turn);
  } else {
    // Mutations that found no room wait for confirmations, which the next pull brings. Those that
    // were set apart need not wait.
    loop_.Pushed(false, grouping.set_apart());
    if (grouping.set_apart()) return;
    if (ask->outbox.empty() || fill_.active() || loop_.wants_pull()) return;
    if (stale_pull_) return FailUnconfirmed(turn);
    loop_.WantPull();
  }
}

// Mutations that this build cannot read, or has no place for, must not block the others: they go to
// the inbox as they are.
void SyncJob::BeginQuarantine(const Vector<Unreadable>& unreadable, Turn* turn) {
  auto quarantine =
      std::make_unique<Quarantine>(&state_->setup.schema, state_->setup.user, turn->now);
  for (const Unreadable& one : unreadable) {
    InboxReason refusal;
    if (one.is_dropped) refusal.reason = kDropped;
    refusal.code = one.is_dropped ? kNoPlace : "unreadable";
    refusal.detail = one.status.detail();
    quarantine->Refuse(one.record.id, std::move(refusal));
  }
  QuarantineStage& stage = Enter(QuarantineStage());
  stage.quarantine = std::move(quarantine);
  stage.transaction =
      Transact({Store::kSync, Store::kMutations, Store::kUpdates, Store::kConflicts},
               TransactionMode::kWriteStrict, {.counts = true, .mutations = true}, turn);
}

ReadReply SyncJob::ReadQuarantine(QuarantineStage* stage, FencedRound round) {
  ReadReply reply;
  if (round.is_first) stage->sync = std::move(round.sync);
  stage->quarantine->Add(*round.mutations, &stage->writes);
  ReadNextPage(*round.mutations, &reply);
  if (!reply.more.empty()) return reply;
  reply.writes = std::move(stage->writes);
  if (stage->quarantine->removed_any()) {
    stage->record = RefusalRecord(*stage->quarantine, state_->setup.schema, &stage->sync);
    reply.writes.push_back(PutWrite(Store::kUpdates, stage->record->n, stage->record->Write()));
    reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, stage->sync.Write()));
  }
  state_->seen.See(stage->sync);
  stage->transaction.Count(reply.writes);
  return reply;
}

void SyncJob::PushResponse(const ResponseEvent& event, Turn* turn) {
  PushFetchStage& sent = In<PushFetchStage>();
  Answer answer = ReadAnswer(event);
  state_->reach.Answered(answer.is_of_server, turn->now);
  if (answer.kind == AnswerKind::kAuth) return Unauthenticated(answer.error, turn);
  if (answer.kind == AnswerKind::kBound) return Rebind(turn);
  const bool too_much = answer.kind == AnswerKind::kTooLarge || answer.kind == AnswerKind::kInvalid;
  if (too_much && sent.batch.ids.size() > 1) {
    push_most_ = sent.batch.ids.size() / 2;
    return;  // the loop still wants to push
  }
  if (too_much) {
    // A single update that the server can never accept must not block the queue for ever.
    PushResults rejected =
        RejectedWhole(sent.batch.ids[0], answer.error.code, answer.error.message);
    return BeginPushAnswer(std::move(sent.batch), std::move(rejected), sent.left_over, turn);
  }
  if (answer.kind != AnswerKind::kOk) return Fail(std::move(answer.error), turn);
  Answered();
  std::optional<PushResults> results = ReadPushResults(std::move(answer.json));
  if (!results.has_value()) {
    return Fail({"bad_answer", "The server's answer has no `results`.", true}, turn);
  }
  BeginPushAnswer(std::move(sent.batch), std::move(*results), sent.left_over, turn);
}

void SyncJob::BeginPushAnswer(PushBatch batch, PushResults results, size_t left_over, Turn* turn) {
  auto answer = std::make_unique<PushAnswer>(&state_->setup.schema, state_->setup.user,
                                             std::move(batch), std::move(results), turn->now);
  PushAnswerStage& stage = Enter(PushAnswerStage());
  stage.answer = std::move(answer);
  stage.left_over = left_over;
  stage.transaction = Transact(
      {Store::kSync, Store::kOutbox, Store::kMutations, Store::kUpdates, Store::kConflicts},
      TransactionMode::kWriteStrict, {.outbox = true, .counts = true}, turn);
}

// The server says that the identity is another user's. If an answer was accepted under it, it was
// this user's (WrongUser), and the token is wrong. Otherwise another token was used first: the
// identity is given up, unless something of it may be in the log.
void SyncJob::Rebind(Turn* turn) {
  const PersonalRealms personal =
      PersonalRealmsOf(state_->seen.record().cursors, state_->setup.user);
  if (personal.own) return Unauthenticated(WrongUser(""), turn);
  Answered();
  const bool accepted = !state_->seen.record().cursors.empty() && personal.other.empty();
  if (accepted || run_.has_new_identity) return FailBound(turn);
  BeginPushAnswer({}, {}, 0, turn);
  In<PushAnswerStage>().rebinding = PushAnswerStage::Rebinding::kAsked;
}

void SyncJob::FailBound(Turn* turn) {
  Fail({"client_bound",
        "What this database has sent was sent as another user, by the server's account. Take "
        "along what is pending: export({ pendingOnly: true }), logout({ unsynced: 'discard' }), "
        "open again, and import the file.",
        false},
       turn);
}

ReadReply SyncJob::ReadPushAnswer(PushAnswerStage* stage, FencedRound round) {
  using Rebinding = PushAnswerStage::Rebinding;
  ReadReply reply;
  PushAnswer& answer = *stage->answer;
  if (!round.is_first) {
    answer.AddMutations(*round.mutations);
    ReadNextPage(*round.mutations, &reply);
  } else {
    Vector<OutboxRecord> outbox = InChainOrder(*round.outbox);
    if (stage->rebinding == Rebinding::kNo) {
      answer.Decide(std::move(outbox), std::move(round.sync), &state_->ids);
    } else {
      const bool taken = answer.Rebind(std::move(outbox), std::move(round.sync), &state_->ids);
      stage->rebinding = taken ? Rebinding::kDone : Rebinding::kRefused;
      if (!taken) return reply;
    }
    if (answer.needs_mutations()) ReadFirstPage(&reply);
  }
  if (!reply.more.empty()) return reply;
  reply.writes = answer.Finish();
  state_->seen.See(answer.sync());
  stage->transaction.Count(reply.writes);
  return reply;
}

void SyncJob::DonePushAnswer(PushAnswerStage* stage, Turn* turn) {
  using Rebinding = PushAnswerStage::Rebinding;
  const PushAnswer* answer = stage->answer.get();
  if (stage->rebinding == Rebinding::kDone) run_.has_new_identity = true;
  if (!answer->pushed().empty()) turn->Broadcast(PushedMessage{answer->pushed()});
  BroadcastRecord(answer->record(), turn);
  if (!Work()) return;
  if (stage->rebinding == Rebinding::kRefused) return FailBound(turn);
  if (!answer->progress()) {
    // The pull may bring what was missing in the answer. Without it, another push at once would be
    // a busy loop.
    loop_.Pushed(true, false);
    return Fail({"no_progress", "The server accepted no update, and gave no reason.", true}, turn);
  }
  push_most_ = kMaxOutboxUpdates;
  stale_pull_ = false;
  regroup_only_pushes_ = answer->only_undone() ? regroup_only_pushes_ + 1 : 0;
  if (regroup_only_pushes_ > kMaxFruitless) {
    // For example, the server forgets every client at once. Without a pause this would be a busy
    // loop.
    regroup_only_pushes_ = 0;
    loop_.Pushed(true, false);
    return Fail(
        {"no_progress",
         "The server accepts no mutation, although all were grouped again several times.", true},
        turn);
  }
  state_->reported.ForgetErrors();
  const bool again = answer->regrouped() || answer->unanswered() || stage->left_over > 0;
  loop_.Pushed(true, again);
}

}  // namespace skerry
