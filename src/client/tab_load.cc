// Loading: the image pointer, the image, then records and mutations in one transaction
// (docs/design.md, "Images"). A damaged image is never fatal: the previous image is loaded instead;
// if that fails, too, an empty image is made, with the cursors back at the start.
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "client/effect.h"
#include "client/tab.h"
#include "log/codec.h"
#include "log/image.h"

namespace skerry {
namespace {

constexpr const char* kLastKey = "\xEF\xBF\xBF";  // above all names

}  // namespace

// A window loads again because it lacks records. If it does not know which of its mutations are
// stored, they may have been confirmed by these.
void Tab::StartLoading(Data* effects) {
  if (committing_.reads_first()) {
    for (Pending* pending : mirror_.pending().Unkeyed()) pending->may_be_logged = true;
  }
  loading_.Begin();
  Transact<PointerTx>({Store::kSync}, SyncRead(), TransactionMode::kRead, effects);
}

void Tab::Read(PointerTx* tx, Data* results, TxReply*) { tx->results = std::move(*results); }

void Tab::Done(PointerTx* tx, const Vector<Key>&, Data* effects) {
  loading_.TakePointers(SyncProgress::Read(tx->results.items()[0]));
  LoadCandidate(effects);
}

void Tab::Failed(const PointerTx&, const HostError& error, Data* effects) {
  StopLoading(error, effects);
}

void Tab::LoadCandidate(Data* effects) {
  loading_.BeginCandidate();
  if (ready_) {
    loading_.staged = std::make_unique<Base>(schema_);
  } else {
    view_->Clear();
  }
  if (loading_.step() == LoadStep::kCatchUp) return CatchUp(effects);
  const ImagePointer& pointer = loading_.candidate();
  effects->Push(LoadImageEffect(pointer));
}

Status Tab::LoadPart(SharedBytes bytes) {
  if (loading_.step() != LoadStep::kImage)
    return {Code::kInvalidArgument, "no image was asked for"};
  const ImagePart* part = loading_.TakePart();
  if (part == nullptr) return {Code::kInvalidArgument, "the image has no more parts"};
  Base* staged = loading_.staged.get();
  Status status;
  if (bytes.size() != part->bytes) {
    status = {Code::kCorrupt, "a part of the image has another length than its pointer says"};
  } else if (!loading_.is_first_part()) {
    // Two parts may have the same object, in two realms: only the first part may be loaded straight
    // into the stores.
    Base later(schema_);
    BaseSink sink(&later);
    status = LoadImage(*schema_, std::move(bytes), &sink);
    BaseRows* rows = view_;
    if (staged != nullptr) rows = staged;
    if (status.ok()) Merge(later, rows);
  } else if (staged != nullptr) {
    BaseSink sink(staged);
    status = LoadImage(*schema_, std::move(bytes), &sink);
  } else {
    status = LoadImage(*schema_, std::move(bytes), view_);
  }
  if (!status.ok()) loading_.PartFailed(status);
  return status;
}

void Tab::OnEvent(const ImageLoadedEvent& event, Data* effects) {
  if (loading_.step() != LoadStep::kImage) return;
  if (event.generation != loading_.candidate().generation) return;
  if (event.ok && loading_.is_whole()) {
    loading_.BeginCatchUp();
    return CatchUp(effects);
  }
  if (loading_.has_newer_part()) return StopAtNewer(effects);
  const ImageLoadError& error = event.error;
  const bool damaged = error.code == "missing" || error.code == "corrupt";
  if (loading_.has_bad_part() || damaged || event.ok) return NextCandidate(effects);
  StopLoading({error.code, error.detail, {}}, effects);
}

// The image is not damaged, and must not be given up: this version cannot read it.
void Tab::StopAtNewer(Data* effects) {
  loading_.End();
  OnApplied(ApplyResult::kNewer, effects);
  if (ready_) return;
  effects->Push(OpenFailedEffect({"storage_newer", "a newer version wrote the image", {}}));
}

// Storage could not be read at this moment. This says nothing about the image: loading is retried.
void Tab::StopLoading(const HostError& error, Data* effects) {
  loading_.End();
  if (freeze_.is_frozen()) return;
  if (ready_) {
    ReadLater(effects);
  } else {
    effects->Push(OpenFailedEffect(error));
  }
}

void Tab::NextCandidate(Data* effects) {
  doubts_ = true;
  if (loading_.NextCandidate()) return LoadCandidate(effects);
  loading_.BeginReset();
  Transact<ResetTx>({Store::kSync, Store::kUpdates, Store::kActions, Store::kStreams}, SyncRead(),
                    TransactionMode::kWriteStrict, effects);
}

void Tab::CatchUp(Data* effects) {
  Data reads = FullReads(loading_.candidate().n);
  reads.Push(RangeRead(Store::kConflicts));
  Transact<CatchUpTx>(
      {Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox, Store::kConflicts},
      std::move(reads), TransactionMode::kRead, effects);
}

void Tab::Read(CatchUpTx* tx, Data* results, TxReply*) { tx->results = std::move(*results); }

void Tab::Failed(const CatchUpTx&, const HostError& error, Data* effects) {
  StopLoading(error, effects);
}

void Tab::Done(CatchUpTx* tx, const Vector<Key>&, Data* effects) {
  const Reading reading = tx->reading();
  const ImagePointer& pointer = loading_.candidate();
  ApplyResult result = ApplyResult::kGap;
  if (Mirror::Continues(pointer.n, pointer.generation, reading)) {
    if (loading_.staged != nullptr) view_->ReplaceBase(loading_.staged.get());
    mirror_.StartAt(pointer);
    result = mirror_.Take(reading, !options_.remote);
  }
  if (result == ApplyResult::kGap || result == ApplyResult::kDamaged) {
    view_->Derive();
    // Another image was published meanwhile: begin again. Otherwise records are missing in storage,
    // and this image cannot be used.
    if (!loading_.IsCurrent(reading.sync)) return StartLoading(effects);
    return NextCandidate(effects);
  }
  OnApplied(result, effects);
  loading_.End();
  TakeSync(reading.sync, effects);
  const bool first = !ready_;
  ready_ = true;
  if (first) effects->Push(ReadyEffect());
  TakeInbox(tx->results.items()[4], effects);
  TryCommit(effects);
}

// Writes an image without parts, at a new n. The record of that n empties all open windows: it
// drops the realms that have a cursor and those that wait for a refill. Cursors and fills begin
// again.
void Tab::Read(ResetTx* tx, Data* results, TxReply* reply) {
  SyncProgress sync = SyncProgress::Read(results->items()[0]);
  // Another window or an image job was first: begin again with what is there now.
  if (!loading_.IsCurrent(sync)) return;
  // A damaged n may be too large to count on exactly: then begin at 1.
  const uint64_t n = (sync.n < kMaxCount ? sync.n : 0) + 1;
  Vector<std::string> dropped = sync.refill;
  for (const auto& [realm, cursor] : sync.cursors) dropped.push_back(realm);
  Vector<Step> steps;
  for (const std::string& realm : dropped) {
    Step step;
    step.kind = StepKind::kDropRealm;
    step.realm = realm;
    steps.push_back(std::move(step));
  }
  UpdateRecord& record = tx->record.emplace();
  record.n = n;
  record.kind = UpdateKind::kImage;
  record.body = EncodeSteps(*schema_, steps);
  sync.leftover = true;
  for (SyncScope& scope : sync.scopes) scope.filled = {};
  sync.n = n;
  sync.cursors.clear();
  ImagePointer& image = sync.image.emplace();
  image.generation = "empty-" + std::to_string(n);
  image.n = n;
  sync.previous.reset();
  Data& writes = reply->writes;
  // Without an image no record can be folded. They may have rows of a realm that was revoked: without
  // a cursor, the server does not say so. It sends the streams again, too. Without a server, storage has
  // the only copy.
  if (options_.remote) {
    for (const Store store : {Store::kUpdates, Store::kActions, Store::kStreams})
      writes.Push(DeleteUpToWrite(store, kLastKey));
  }
  writes.Push(PutWrite(Store::kUpdates, n, record.Write()));
  writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::Done(ResetTx* tx, const Vector<Key>&, Data* effects) {
  if (tx->record.has_value()) {
    Broadcast(RecordMessage{std::move(*tx->record)}, effects);
    effects->Push(DataLostEffect("no image could be read; all rows are fetched again"));
    Broadcast(WakeMessage{WakeFor::kRefill, {}, {}}, effects);
  }
  StartLoading(effects);
}

void Tab::Failed(const ResetTx&, const HostError& error, Data* effects) {
  StopLoading(error, effects);
}

}  // namespace skerry
