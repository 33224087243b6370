#include "sync/image_keeper.h"

#include <utility>

namespace skerry {

// Compaction by this version would lose what only a newer version of the application knows.
bool ImageKeeper::IsWorthCompacting(const SyncRecord& sync, const SyncLimits& limits) const {
  return !IsFromNewerVersion(state_->setup.schema, sync) &&
         IsCompactionDue(sync, limits, Layout(state_->setup.schema));
}

bool ImageKeeper::HasWork() const {
  return IsWorthCompacting(state_->seen.record(), state_->setup.limits) ||
         state_->seen.record().leftover.value_or(false);
}

// Whether records keep coming. Compaction reads and writes all of the client's data, and the
// windows that write would wait for the disk. Past the `overdue` limits it runs in any case.
bool ImageKeeper::IsBusy(Turn* turn) {
  const uint64_t n = state_->seen.record().n;
  if (n != last_n_) {
    last_n_ = n;
    is_calm_ = false;
    turn->Timer(WorkerTimer::kImageCalm, state_->setup.times.image_calm_ms);
  }
  if (is_calm_) return false;
  SyncLimits overdue = state_->setup.limits;
  overdue.image_records *= overdue.image_overdue;
  overdue.image_bytes *= overdue.image_overdue;
  return !IsWorthCompacting(state_->seen.record(), overdue);
}

void ImageKeeper::Consider(bool quiet, Turn* turn) {
  const bool may = state_->connection.started() && !state_->connection.stopped() &&
                   state_->connection.visible() && state_->setup.images &&
                   !state_->connection.paused();
  if (active_ || pausing_ || !quiet || !may || !HasWork() || IsBusy(turn)) return;
  active_ = true;
  lease_.Want("image", turn);
}

void ImageKeeper::Leave(Turn* turn) {
  if (!active_) return;
  if (job_ != 0) turn->AbortImageJob(job_);
  Stop(turn);
}

void ImageKeeper::Stop(Turn* turn) {
  active_ = false;
  job_ = 0;
  if (transaction_.id() == 0) step_ = Step::kNone;  // a transaction in flight is finished first
  lease_.Unwant(LeaseOutcome::kDone, turn);
}

void ImageKeeper::GiveUp(Turn* turn) {
  pausing_ = true;
  turn->Timer(WorkerTimer::kImageRetry, state_->setup.times.retry_max_ms);
  Stop(turn);
}

void ImageKeeper::LeaseEventHappened(LeaseEvent event, Turn* turn) {
  if (event == LeaseEvent::kHeld && active_ && step_ == Step::kNone) Transact(Step::kBegin, turn);
  if (event == LeaseEvent::kLost) Leave(turn);
  if (event == LeaseEvent::kFailed) GiveUp(turn);
}

void ImageKeeper::Transact(Step step, Turn* turn) {
  step_ = step;
  transaction_ = FencedTransaction(state_, &lease_, {Store::kSync, Store::kUpdates},
                                   TransactionMode::kWriteStrict, {}, turn);
}

ReadReply ImageKeeper::Read(uint64_t id, const Data& results, Turn* turn) {
  ReadReply reply;
  if (lease_.Owns(id)) {
    reply.writes = lease_.Read(results, turn);
    return reply;
  }
  std::optional<FencedRound> round = transaction_.Read(results, turn);
  if (!round.has_value()) {
    reply.abort = true;
    return reply;
  }
  SyncRecord& sync = round->sync;
  if (step_ == Step::kBegin) {
    ReadBegin(std::move(sync), &reply.writes, turn);
  } else if (step_ == Step::kPublish) {
    ReadPublish(std::move(sync), &reply.writes);
  } else {
    NoteEmptied(emptying_, &sync);
    reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
    state_->seen.See(std::move(sync));
  }
  return reply;
}

// What was given up is removed first, because compaction may fail again and again.
void ImageKeeper::ReadBegin(SyncRecord sync, Data::Array* writes, Turn* turn) {
  compacting_ = IsWorthCompacting(sync, state_->setup.limits) && !sync.leftover.value_or(false);
  if (compacting_) {
    draft_.Begin(state_, turn->now, &sync);
    writes->push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
  }
  state_->seen.See(std::move(sync));
}

void ImageKeeper::ReadPublish(SyncRecord sync, Data::Array* writes) {
  published_ = draft_.IsNext(sync);
  if (published_) {
    draft_.Publish(&sync, writes);
    writes->push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
  }
  state_->seen.See(std::move(sync));
}

void ImageKeeper::Done(uint64_t id, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Done(turn), turn);
  transaction_ = {};
  const Step step = step_;
  step_ = Step::kNone;
  if (step == Step::kPublish && published_) draft_.Broadcast(turn);
  if (!active_ || !lease_.held()) return;
  if (step == Step::kBegin && compacting_) {
    step_ = Step::kCompacting;
    ImageJob job;
    job.kind = ImageJobKind::kCompaction;
    job.generation = draft_.generation;
    job.mount = draft_.mount;
    job.number = draft_.number;
    job.compacts = true;
    job.from = draft_.from;
    job.upto = draft_.upto;
    job.cursors = draft_.cursors;
    job.schema = state_->setup.description;
    job_ = EmitImageJob(job, turn);
  } else if (step == Step::kEmptied) {
    Stop(turn);
  } else {
    Empty(turn);
  }
}

void ImageKeeper::Empty(Turn* turn) {
  if (!state_->seen.record().leftover.value_or(false)) return Stop(turn);
  step_ = Step::kEmptying;
  emptying_ = EmptyingOf(state_->seen.record());
  job_ = EmitImageJob(emptying_, turn);
}

void ImageKeeper::Failed(uint64_t id, const HostError& error, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Failed(error, turn), turn);
  const FencedTransaction failed = std::exchange(transaction_, {});
  const bool fenced_out = failed.is_fenced_out();
  step_ = Step::kNone;
  if (fenced_out) return LeaseEventHappened(lease_.Lose(turn), turn);
  if (failed.obstacle() == FencedTransaction::Obstacle::kNewer)
    state_->reported.SetError(NewerTabError());
  GiveUp(turn);
}

bool ImageKeeper::Image(const ImageEvent& event, Turn* turn) {
  if (job_ == 0 || event.id != job_) return false;
  if (event.progress.has_value()) return true;
  job_ = 0;
  if (!event.parts.has_value()) {
    // A failed compaction loses nothing: the records are still there. Perhaps the image cannot be
    // read: next time, build on the previous one. (Not if the disk is full, nor if another draft was
    // begun meanwhile, which is no failure.)
    if (event.error.name == kOvertaken) {
      GiveUp(turn);
      return true;
    }
    const bool no_room = event.error.name == "quota";
    if (step_ == Step::kCompacting && !no_room) state_->seen.ImageWasUnreadable();
    turn->Post(ImageFailedMessage{{no_room ? "quota" : "image", event.error.message, true}});
    GiveUp(turn);
  } else if (step_ == Step::kCompacting) {
    state_->seen.ImageWasRead();
    draft_.parts = *event.parts;
    Transact(Step::kPublish, turn);
  } else {
    Transact(Step::kEmptied, turn);
  }
  return true;
}

bool ImageKeeper::Timer(WorkerTimer timer, Turn* turn) {
  if (timer == WorkerTimer::kImageCalm) {
    is_calm_ = true;
    return true;
  }
  if (timer == WorkerTimer::kImageRetry) {
    pausing_ = false;
    return true;
  }
  return lease_.Timer(timer, turn);
}

}  // namespace skerry
