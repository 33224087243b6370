// SyncJob: the push: grouping and marking as sent in one transaction, then the request, then the
// answer's transaction.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "sync/chain.h"
#include "sync/sync_job.h"

namespace skerry {

namespace {

constexpr int kMaxFruitless = 4;  // a new identity, and each mutation alone, take one each

}  // namespace

void SyncJob::PushAsk(Turn* turn) {
  if (rebinding_ != Rebinding::kDone) rebinding_ = Rebinding::kNo;
  if (push_most_ == 0) push_most_ = kMaxOutboxUpdates;
  // `sent` is durable before the fetch.
  Transact(Step::kPushAsk, {Store::kSync, Store::kOutbox, Store::kMutations, Store::kConflicts},
           TransactionMode::kWriteStrict, {.outbox = true, .counts = true}, turn);
}

ReadReply SyncJob::ReadPushAsk(FencedRound round, Turn* turn) {
  ReadReply reply;
  if (!round.is_first) {
    grouping_->Add(*round.mutations);
    if (grouping_->wants_more()) ReadNextPage(*round.mutations, &reply);
    return reply.more.empty() ? FinishPushAsk(turn) : reply;
  }
  pushing_sync_ = std::move(round.sync);
  counted_ = lease_.Count(std::move(round.lease), turn->now);
  outbox_ = InChainOrder(*round.outbox);
  damaged_ = DamagedUpdates(*round.outbox);
  Count({});
  was_full_ = outbox_.size() >= kMaxOutboxUpdates;
  grouping_ = std::make_unique<Grouping>(&state_->schema, outbox_.size(), state_->limits.mutations,
                                         IsOfNewer(state_->schema, pushing_sync_));
  grouping_->Know(outbox_);
  if (transaction_.mutation_count() > 0 && grouping_->wants_more()) {
    ReadFirstPage(&reply);
    return reply;
  }
  return FinishPushAsk(turn);
}

ReadReply SyncJob::FinishPushAsk(Turn* turn) {
  ReadReply reply;
  if (counted_.has_value())
    reply.writes.push_back(PutWrite(Store::kSync, lease_.name(), counted_->Write()));
  counted_.reset();
  // What they held is grouped anew.
  for (const Key& key : damaged_) reply.writes.push_back(DeleteWrite(Store::kOutbox, key));
  const double at = turn->now + pushing_sync_.clock_offset.value_or(0);
  Vector<OutboxRecord> fresh =
      grouping_->Finish(at, turn->now, &state_->ids, &pushing_sync_.chain, &reply.writes);
  const bool grouped = !fresh.empty();
  for (OutboxRecord& update : fresh) outbox_.push_back(std::move(update));
  batch_ = ChooseBatch(outbox_, push_most_);
  const Data::Array sent = MarkSent(batch_, lease_.epoch(), &outbox_);
  for (const Data& write : sent) reply.writes.push_back(write);
  for (const OutboxRecord& update : outbox_) {
    if (update.state == OutboxState::kNew && grouped)
      reply.writes.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  }
  if (grouped) {
    reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, pushing_sync_.Write()));
  }
  state_->sync = pushing_sync_;
  push_body_ = batch_.ids.empty() ? String()
                                  : PushBody(batch_, outbox_, pushing_sync_,
                                             state_->schema.version(), lease_.epoch());
  left_over_ = grouping_->left_over();
  set_apart_ = grouping_->set_apart();
  unreadable_ = grouping_->unreadable();
  if (grouping_->saw_newer()) state_->error = NewerTabError();
  grouping_.reset();
  return reply;
}

void SyncJob::DonePushAsk(Turn* turn) {
  const auto awaited = [](const OutboxRecord& update) { return !update.received(); };
  left_over_ += static_cast<size_t>(std::count_if(outbox_.begin(), outbox_.end(), awaited)) -
                batch_.ids.size();
  left_over_ += unreadable_.size();
  const bool unconfirmed = !outbox_.empty();
  outbox_.clear();
  if (!Work() || !lease_.held()) return;
  if (!batch_.ids.empty()) {
    Begin(Step::kPushFetch, Fetch("/push", std::move(push_body_), turn));
  } else if (!unreadable_.empty()) {
    aside_ = std::make_unique<SetAside>(&state_->schema, turn->now);
    for (const Unreadable& one : unreadable_) {
      InboxReason refusal;
      refusal.code = "unreadable";
      refusal.detail = one.status.detail();
      aside_->Refuse(one.record.id, std::move(refusal));
    }
    writes_.clear();
    Transact(Step::kSetAside, {Store::kSync, Store::kMutations, Store::kUpdates, Store::kConflicts},
             TransactionMode::kWriteStrict, {.counts = true, .mutations = true}, turn);
  } else {
    // What found no room waits for confirmations, which the next pull brings; what was set apart
    // waits for nothing.
    loop_.Pushed(false, set_apart_);
    if (set_apart_) return;
    if (!unconfirmed || fill_.active || loop_.wants_pull()) return;
    if (stale_pull_) return FailUnconfirmed(turn);
    loop_.WantPull();
  }
}

// Mutations that this build cannot read must not block the rest: they go to the inbox, whole.
ReadReply SyncJob::ReadSetAside(FencedRound round) {
  ReadReply reply;
  if (round.is_first) pushing_sync_ = std::move(round.sync);
  aside_->Add(*round.mutations, &writes_);
  ReadNextPage(*round.mutations, &reply);
  if (!reply.more.empty()) return reply;
  reply.writes = std::move(writes_);
  writes_.clear();
  aside_record_.reset();
  if (aside_->refused_any()) {
    aside_record_ = RefusalRecord(*aside_, state_->schema, &pushing_sync_);
    reply.writes.push_back(PutWrite(Store::kUpdates, aside_record_->n, aside_record_->Write()));
    reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, pushing_sync_.Write()));
  }
  state_->sync = pushing_sync_;
  Count(reply.writes);
  aside_.reset();
  return reply;
}

void SyncJob::PushResponse(const Data& event, Turn* turn) {
  EndStep();
  Answer answer = ReadAnswer(event);
  if (answer.kind == AnswerKind::kAuth) return Unauthenticated(answer.error, turn);
  if (answer.kind == AnswerKind::kBound) return Rebind(turn);
  const bool too_much = answer.kind == AnswerKind::kTooLarge || answer.kind == AnswerKind::kInvalid;
  if (too_much && batch_.ids.size() > 1) {
    push_most_ = batch_.ids.size() / 2;
    return;  // the loop still wants to push
  }
  if (too_much) {
    // One update that the server cannot take at all: it must not block the queue for ever.
    return BeginPushAnswer(
        PushAnswer::RejectedWhole(batch_.ids[0], answer.error.code, answer.error.message), turn);
  }
  if (answer.kind != AnswerKind::kOk) return Fail(std::move(answer.error), turn);
  Answered();
  if (!answer.json["results"].is_array()) {
    return Fail({"bad_answer", "The server's answer has no `results`.", true}, turn);
  }
  BeginPushAnswer(answer.json["results"], turn);
}

void SyncJob::BeginPushAnswer(Data results, Turn* turn) {
  push_answer_ =
      std::make_unique<PushAnswer>(&state_->schema, batch_.ids, std::move(results), turn->now);
  Transact(Step::kPushAnswer,
           {Store::kSync, Store::kOutbox, Store::kMutations, Store::kUpdates, Store::kConflicts},
           TransactionMode::kWriteStrict, {.outbox = true, .counts = true}, turn);
}

// The identity is another user's, by the server's account. Where an answer was taken under it, it
// was this user's (WrongUser), and it is the token that is wrong. Else another token was used
// first: the identity is given up, if nothing of it can be in the log.
void SyncJob::Rebind(Turn* turn) {
  const PersonalRealms personal = PersonalRealmsOf(state_->sync.cursors, state_->user);
  if (personal.own) return Unauthenticated(WrongUser(""), turn);
  Answered();
  const bool accepted = !state_->sync.cursors.empty() && personal.other.empty();
  if (accepted || rebinding_ == Rebinding::kDone) return FailBound(turn);
  rebinding_ = Rebinding::kAsked;
  batch_.ids.clear();
  left_over_ = 0;
  BeginPushAnswer(Data::MakeArray(), turn);
}

void SyncJob::FailBound(Turn* turn) {
  Fail({"client_bound",
        "What this database has sent was sent as another user, by the server's account. Take "
        "along what is pending: export({ pendingOnly: true }), logout({ unsynced: 'discard' }), "
        "open again, and import the file.",
        false},
       turn);
}

ReadReply SyncJob::ReadPushAnswer(FencedRound round) {
  ReadReply reply;
  if (!round.is_first) {
    push_answer_->AddMutations(*round.mutations);
    ReadNextPage(*round.mutations, &reply);
    return reply.more.empty() ? FinishPushAnswer() : reply;
  }
  Vector<OutboxRecord> outbox = InChainOrder(*round.outbox);
  if (rebinding_ == Rebinding::kAsked) {
    const bool taken = push_answer_->Rebind(std::move(outbox), std::move(round.sync), &state_->ids);
    rebinding_ = taken ? Rebinding::kDone : Rebinding::kRefused;
    if (!taken) return reply;
  } else {
    push_answer_->Decide(std::move(outbox), std::move(round.sync), &state_->ids);
  }
  if (push_answer_->needs_mutations()) {
    ReadFirstPage(&reply);
    return reply;
  }
  return FinishPushAnswer();
}

ReadReply SyncJob::FinishPushAnswer() {
  ReadReply reply;
  reply.writes = push_answer_->Finish();
  state_->sync = push_answer_->sync();
  Count(reply.writes);
  return reply;
}

void SyncJob::DonePushAnswer(Turn* turn) {
  const std::unique_ptr<PushAnswer> answer = std::move(push_answer_);
  if (!answer->pushed().items().empty()) {
    turn->Broadcast(Message("pushed").Set("results", answer->pushed()));
  }
  BroadcastRecord(answer->record(), turn);
  if (!Work()) return;
  if (rebinding_ == Rebinding::kRefused) return FailBound(turn);
  if (!answer->progress()) {
    // The pull may bring what the answer lacked; without that, pushing again at once would be a
    // busy loop.
    loop_.Pushed(true, false);
    return Fail({"no_progress", "The server took no update, and did not say why.", true}, turn);
  }
  push_most_ = kMaxOutboxUpdates;
  stale_pull_ = false;
  fruitless_ = answer->fruitless() ? fruitless_ + 1 : 0;
  if (fruitless_ > kMaxFruitless) {
    // As by a server that forgets every client at once: without a pause this would be a busy loop.
    fruitless_ = 0;
    loop_.Pushed(true, false);
    return Fail({"no_progress", "The server takes nothing, however it is sent.", true}, turn);
  }
  state_->ForgetErrors();
  const bool again = answer->regrouped() || answer->unanswered() || left_over_ > 0;
  loop_.Pushed(true, again);
}

}  // namespace skerry
