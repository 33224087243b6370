// SyncJob: the fill of a whole realm by the server's image, beside the loop. Until it is complete
// nothing is pulled, but pushes go on. A transaction begins the draft, the host fetches and
// stores the file, and a second transaction publishes it, sets the realm's cursor, and writes a
// record of its own for the windows.
#include <utility>

#include "log/codec.h"
#include "sync/image_job.h"
#include "sync/records.h"
#include "sync/streams.h"
#include "sync/sync_job.h"

namespace skerry {
namespace {

std::string CursorOf(const SyncRecord& sync, const std::string& realm) {
  const auto cursor = sync.cursors.find(realm);
  return cursor == sync.cursors.end() ? std::string() : cursor->second;
}

}  // namespace

void SyncJob::BeginFill(const wire::Image& image, bool last, Turn* turn) {
  fill_.Move(FillStep::kEnter);
  fill_.is_last = last;
  fill_.image = image;
  fill_.scope_version = state_->seen.record().scope_version;
  fill_.transaction = Transact({Store::kSync}, TransactionMode::kWriteStrict, {}, turn);
  state_->reported.SetProgress(Progress{0, static_cast<double>(image.bytes)});
}

ReadReply SyncJob::ReadFill(SyncRecord sync, Turn* turn) {
  ReadReply reply;
  if (fill_.is_dropped) {
    reply.abort = true;
  } else if (fill_.step == FillStep::kPublish) {
    PublishFill(std::move(sync), &reply.writes);
  } else {
    PrepareFill(std::move(sync), &reply.writes, turn);
  }
  return reply;
}

void SyncJob::PrepareFill(SyncRecord sync, Data::Array* writes, Turn* turn) {
  const std::string& realm = fill_.image.realm;
  ImageDraft& draft = fill_.draft;
  draft.Begin(state_, turn->now, &sync);
  const ImagePointer from = draft.from.value_or(ImagePointer());
  // True for a realm that was pulled while it was empty, too: then a record has a page that says
  // so.
  const bool named = sync.cursors.contains(realm) || Contains(sync.refill, realm);
  // If there is no image below, the server's file can be the image at from.n as it is. The records
  // above from.n are then folded over it, so none of them may be about this realm. A realm without
  // a cursor is in the records only if one of them brought it and another dropped it again (a right
  // that was granted and revoked, for example), which takes two records.
  fill_.compacts = !from.parts.empty() || named || draft.upto > from.n + 1;
  if (!fill_.compacts) {
    draft.upto = from.n;
    draft.record_bytes = from.record_bytes.value_or(0);
    draft.cursors = from.cursors;
  }
  fill_.cursor = CursorOf(sync, realm);
  draft.cursors[realm] = MakeCursor(fill_.image.revision, fill_.image.at);
  writes->push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
  state_->seen.See(std::move(sync));
}

void SyncJob::PublishFill(SyncRecord sync, Data::Array* writes) {
  const std::string& realm = fill_.image.realm;
  // The image must not bring back rows of a scope that was dropped meanwhile. Nor may it replace
  // what another worker has pulled since: a service worker does so beside a window that fills.
  const bool stale = !fill_.draft.IsNext(sync) || sync.scope_version != fill_.scope_version ||
                     CursorOf(sync, realm) != fill_.cursor;
  fill_.record.reset();
  if (stale) return;
  fill_.draft.Publish(&sync, writes);
  sync.cursors[realm] = fill_.draft.cursors.at(realm);
  // The image has no streams.
  DropStreamsOf(realm, writes);
  BeginStreamsAgain(realm, &sync);
  const auto is_filled = [&realm](const std::string& other) { return other == realm; };
  erase_if(sync.refill, is_filled);
  for (SyncScope& scope : sync.scopes) {
    // The server offers an image only if the scopes cover the whole realm.
    if (fill_.is_last && !scope.filled.upto.has_value()) scope.filled.whole = true;
  }
  UpdateRecord& record = fill_.record.emplace();
  record.n = ++sync.n;
  record.kind = UpdateKind::kImage;
  record.generation = fill_.draft.generation;
  record.cursors = sync.cursors;
  record.streams = sync.streams;
  if (sync.lost.has_value()) {
    sync.Regain(realm);
    record.lost = sync.lost;
    if (sync.lost->empty()) sync.lost.reset();
  }
  record.body = EncodeSteps(state_->setup.schema, {});
  sync.record_bytes += record.body->size();
  writes->push_back(PutWrite(Store::kUpdates, record.n, record.Write()));
  writes->push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
  state_->seen.See(std::move(sync));
}

void SyncJob::DoneFill(Turn* turn) {
  fill_.transaction = {};
  if (fill_.step == FillStep::kPublish) {
    if (fill_.record.has_value()) {
      BroadcastRecord(fill_.record, turn);
      fill_.draft.Broadcast(turn);
    }
    fill_.End();
    failed_fills_ = 0;
    state_->reported.SetProgress({});
    loop_.WantPull();
    return Advance(turn);
  }
  if (fill_.is_dropped) return fill_.End();
  fill_.Move(FillStep::kFetch);
  token_ = state_->sign_in.token();
  const wire::Image& image = fill_.image;
  const ImageDraft& draft = fill_.draft;
  ImageJob job;
  job.kind = ImageJobKind::kFill;
  job.generation = draft.generation;
  job.mount = draft.mount;
  job.number = draft.number;
  job.compacts = fill_.compacts;
  if (fill_.compacts) job.from = draft.from;
  job.upto = draft.upto;
  job.fetch = ImageFetch{image.url,   image.bytes, image.hash,
                         image.realm, token_,      state_->setup.times.image_fetch_ms};
  job.drop_realms = {image.realm};
  job.cursors = draft.cursors;
  job.schema = state_->setup.description;
  fill_.job = EmitImageJob(job, turn);
}

void SyncJob::FailedFill(const HostError& error, Turn* turn) {
  const FencedTransaction failed = std::exchange(fill_.transaction, {});
  const bool dropped = fill_.is_dropped;
  DropFill(turn);
  if (dropped) return Advance(turn);
  if (!failed.is_fenced_out()) return Fail(failed.ErrorOf(error), turn);
  LeaseEventHappened(lease_.Lose(turn), turn);
  Advance(turn);
}

bool SyncJob::Image(const ImageEvent& event, Turn* turn) {
  if (fill_.job == 0 || event.id != fill_.job) return false;
  if (event.progress.has_value()) {
    state_->reported.SetProgress(event.progress);
    return true;
  }
  fill_.job = 0;
  if (event.parts.has_value()) {
    state_->seen.ImageWasRead();
    fill_.draft.parts = *event.parts;
    fill_.Move(FillStep::kPublish);
    fill_.transaction = Transact({Store::kSync, Store::kUpdates, Store::kActions, Store::kStreams},
                                 TransactionMode::kWriteStrict, {}, turn);
    return true;
  }
  const auto& [name, message, status] = event.error;
  const bool is_last_resort = fill_.draft.is_last_resort;
  DropFill(turn);
  if (name == kOvertaken) {
    loop_.WantPull();  // as after a draft that was written, and may not be published any more
  } else if (status == 401) {
    Unauthenticated({"unauthenticated", message, true}, turn);
  } else {
    // This includes an image that was replaced meanwhile (404): the next pull names the new one.
    // These errors do not mean that an image cannot be read.
    const bool blameless = name == "network" || name == "timeout" || name == "quota";
    // Perhaps this client's own image cannot be read: next time the fill is built on the previous
    // one. If that was already the case, each window checks whether it can read either image, and
    // gives both up if not.
    if (!blameless && status == 0) {
      if (is_last_resort) turn->Broadcast(UnreadableMessage());
      state_->seen.ImageWasUnreadable();
    }
    // On a full disk there is no room for pages either.
    const bool accepted = AcceptsImages();
    if (name != "quota") ++failed_fills_;
    if (accepted && !AcceptsImages()) {
      loop_.WantPull();
    } else {
      Fail({blameless ? name : "image", message, true}, turn);
    }
  }
  Advance(turn);
  return true;
}

void SyncJob::DropFill(Turn* turn) {
  if (!fill_.active()) return;
  if (fill_.job != 0) turn->AbortImageJob(fill_.job);
  state_->reported.SetProgress({});
  fill_.is_dropped = true;
  fill_.job = 0;
  // A transaction in flight is finished first: windows must be notified of what it wrote.
  if (fill_.transaction.id() == 0) fill_.End();
}

}  // namespace skerry
