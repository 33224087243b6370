// Loading: image pointer, image, then records and mutations in one transaction (docs/design.md,
// "Images"). A damaged image is never fatal: the previous one, and failing that an empty one with
// the cursors back at the start.
#include <utility>

#include "base/fields.h"
#include "base/limits.h"
#include "base/vector.h"
#include "client/effect.h"
#include "client/tab.h"
#include "log/codec.h"
#include "log/image.h"

namespace skerry {

namespace {

// Of the image; empty: there is none.
String GenerationOf(const SyncRecord& sync) {
  return sync.image.has_value() ? sync.image->generation : String();
}

}  // namespace

void Tab::StartLoading(Data* effects) {
  load_ = Load::kPointer;
  staged_.reset();
  Tx tx;
  tx.kind = Kind::kPointer;
  Data reads = Data::MakeArray();
  reads.Push(GetRead(Store::kSync, kSyncKey));
  Transact(std::move(tx), {Store::kSync}, std::move(reads), TransactionMode::kRead, effects);
}

void Tab::FinishPointer(const SyncRecord& sync, Data* effects) {
  pointers_.clear();
  if (sync.image.has_value()) pointers_.push_back(*sync.image);
  if (sync.previous.has_value()) pointers_.push_back(*sync.previous);
  generation_ = GenerationOf(sync);
  candidate_ = 0;
  // Until a second image is made the records go back to the first one.
  if (!sync.previous.has_value()) pointers_.emplace_back();
  LoadCandidate(effects);
}

void Tab::LoadCandidate(Data* effects) {
  part_ = 0;
  part_failed_ = false;
  part_newer_ = false;
  staged_.reset();
  if (ready_) {
    staged_ = std::make_unique<Base>(schema_);
  } else {
    view_->Clear();
  }
  const ImagePointer& pointer = pointers_[candidate_];
  if (pointer.parts.empty()) return CatchUp(effects);
  load_ = Load::kImage;
  effects->Push(Fields{
      {"type", "loadImage"}, {"generation", pointer.generation}, {"parts", ToData(pointer.parts)}});
}

Status Tab::LoadPart(SharedBytes bytes) {
  if (load_ != Load::kImage) return {Code::kInvalidArgument, "no image was asked for"};
  const Vector<ImagePart>& parts = pointers_[candidate_].parts;
  if (part_ >= parts.size()) return {Code::kInvalidArgument, "the image has no more parts"};
  const ImagePart& part = parts[part_++];
  Status status;
  if (bytes->size() != part.bytes) {
    status = {Code::kCorrupt, "a part of the image has another length than its pointer says"};
  } else if (part_ > 1) {
    // Parts may hold the same object in two realms: only the first may go into the stores as it is.
    Base later(schema_);
    BaseSink sink(&later);
    status = LoadImage(*schema_, std::move(bytes), &sink);
    BaseRows* rows = view_;
    if (staged_ != nullptr) rows = staged_.get();
    if (status.ok()) Merge(later, rows);
  } else if (staged_ != nullptr) {
    BaseSink sink(staged_.get());
    status = LoadImage(*schema_, std::move(bytes), &sink);
  } else {
    status = LoadImage(*schema_, std::move(bytes), view_);
  }
  if (!status.ok()) part_failed_ = true;
  if (status.code() == Code::kVersion) part_newer_ = true;
  return status;
}

void Tab::OnImageLoaded(const Data& event, Data* effects) {
  if (load_ != Load::kImage) return;
  const ImagePointer& pointer = pointers_[candidate_];
  if (event["generation"].as_string() != pointer.generation) return;
  const bool whole = part_ == pointer.parts.size() && !part_failed_;
  if (event["ok"].as_bool() && whole) return CatchUp(effects);
  if (part_newer_) return StopAtNewer(effects);
  const Data& error = event["error"];
  const bool damaged = error["code"].Is("missing") || error["code"].Is("corrupt");
  if (part_failed_ || damaged || event["ok"].as_bool()) return NextCandidate(effects);
  StopLoading(Fields{{"name", error["code"]}, {"message", error["detail"]}}, effects);
}

// Nothing is wrong with it, and it is not given up: this version cannot read it.
void Tab::StopAtNewer(Data* effects) {
  load_ = Load::kNone;
  staged_.reset();
  OnFit(Fit::kNewer, effects);
  if (ready_) return;
  effects->Push(Fields{{"type", "openFailed"},
                       {"error", Fields{{"name", "storage_newer"},
                                        {"message", "a newer version wrote the image"}}}});
}

// Storage could not be read just now. That says nothing about the image: it is tried again.
void Tab::StopLoading(const Data& error, Data* effects) {
  load_ = Load::kNone;
  staged_.reset();
  if (frozen_) return;
  if (ready_) {
    effects->Push(TimerEffect("reread", kRereadMs));
  } else {
    effects->Push(Fields{{"type", "openFailed"}, {"error", error}});
  }
}

void Tab::NextCandidate(Data* effects) {
  if (++candidate_ < pointers_.size()) return LoadCandidate(effects);
  load_ = Load::kReset;
  staged_.reset();
  Tx tx;
  tx.kind = Kind::kReset;
  Data reads = Data::MakeArray();
  reads.Push(GetRead(Store::kSync, kSyncKey));
  Transact(std::move(tx), {Store::kSync, Store::kUpdates}, std::move(reads),
           TransactionMode::kWriteStrict, effects);
}

void Tab::CatchUp(Data* effects) {
  load_ = Load::kCatchUp;
  Tx tx;
  tx.kind = Kind::kCatchUp;
  Data reads = FullReads(pointers_[candidate_].n);
  reads.Push(RangeRead(Store::kConflicts));
  Transact(std::move(tx),
           {Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox, Store::kConflicts},
           std::move(reads), TransactionMode::kRead, effects);
}

void Tab::FinishCatchUp(const Tx& tx, Data* effects) {
  const Reading reading = ReadingOf(tx);
  const ImagePointer pointer = pointers_[candidate_];
  Fit fit = Fit::kGap;
  if (Mirror::Continues(pointer.n, pointer.generation, reading)) {
    if (staged_ != nullptr) view_->ReplaceBase(staged_.get());
    mirror_.StartAt(pointer);
    fit = mirror_.Take(reading, !options_.remote);
  }
  if (fit == Fit::kGap || fit == Fit::kDamaged) {
    view_->Derive();
    // Another image was published meanwhile: begin again. Otherwise there is a hole in storage, and
    // this image is of no use.
    if (GenerationOf(reading.sync) != generation_) return StartLoading(effects);
    return NextCandidate(effects);
  }
  OnFit(fit, effects);
  load_ = Load::kNone;
  staged_.reset();
  TakeSync(reading.sync, effects);
  const bool first = !ready_;
  ready_ = true;
  if (first) effects->Push(Fields{{"type", "ready"}});
  TakeInbox(tx.results.items()[4], effects);
  TryCommit(effects);
}

// An image without parts, at a new n whose record empties the windows that are open (of realms that
// have a cursor, and of those that wait to be filled again); cursors and fills begin again.
void Tab::WriteReset(Tx* tx, Data* writes) {
  SyncRecord sync = SyncRecord::Read(tx->results.items()[0]);
  // Another window was first, or the image job: begin again with what is there now.
  if (GenerationOf(sync) != generation_) return;
  // Counting on stays exact: a number that somebody has put there may be at its end.
  const uint64_t n = (sync.n < kMaxCount ? sync.n : 0) + 1;
  Vector<String> dropped = sync.refill;
  for (const auto& [realm, cursor] : sync.cursors) dropped.push_back(realm);
  Vector<Step> steps;
  for (const String& realm : dropped) {
    Step step;
    step.kind = StepKind::kDropRealm;
    step.realm = realm;
    steps.push_back(std::move(step));
  }
  UpdateRecord& record = tx->record.emplace();
  record.n = n;
  record.kind = UpdateKind::kImage;
  record.body = EncodeSteps(*schema_, steps);
  // What is given up is deleted by the next image job.
  if (sync.image.has_value())
    sync.generations.push_back(ReadRecord<Generation>(ToData(*sync.image)));
  if (sync.previous.has_value())
    sync.generations.push_back(ReadRecord<Generation>(ToData(*sync.previous)));
  for (SyncScope& scope : sync.scopes) scope.filled = {};
  sync.n = n;
  sync.cursors.clear();
  ImagePointer& image = sync.image.emplace();
  image.generation = "empty-" + std::to_string(n);
  image.n = n;
  sync.previous.reset();
  writes->Push(PutWrite(Store::kUpdates, n, record.Write()));
  writes->Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

}  // namespace skerry
