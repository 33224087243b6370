// SyncJob: filling a whole realm by the server's image, beside the loop. While it is on its way
// nothing is pulled, and pushes go on. A transaction enters the generation, the host fetches and
// stores the file, and a second transaction swings the pointer, sets the realm's cursor and tells
// the windows by a record of its own.
#include <utility>

#include "log/codec.h"
#include "sync/image_job.h"
#include "sync/sync_job.h"

namespace skerry {
namespace {

Data::Array FillReads(const String& lease) {
  return {GetRead(Store::kSync, lease), GetRead(Store::kSync, kSyncKey)};
}

}  // namespace

void SyncJob::BeginFill(const ImageFill& image, bool last, Turn* turn) {
  fill_ = {};
  fill_.last = last;
  fill_.active = true;
  fill_.image = image;
  fill_.scope_version = state_->sync["scopeVersion"].as_u64();
  fill_.transaction =
      turn->Transact({Store::kSync}, TransactionMode::kWriteStrict, FillReads(lease_.name()));
  Data progress = Data::MakeObject();
  progress.Set("done", 0).Set("total", image.bytes);
  state_->progress = std::move(progress);
}

ReadReply SyncJob::ReadFill(const Data& results, Turn* turn) {
  const Data::Array& read = results.items();
  ReadReply reply;
  fill_.fenced_out = !Fenced(read[0]);
  if (fill_.fenced_out || fill_.dropped || !read[1].is_object()) {
    reply.abort = true;
    return reply;
  }
  if (fill_.swinging) {
    SwingFill(read[1], &reply.writes);
  } else {
    PrepareFill(read[1], &reply.writes, turn);
  }
  return reply;
}

void SyncJob::PrepareFill(Data sync, Data::Array* writes, Turn* turn) {
  const String& realm = fill_.image.realm;
  ImageDraft& draft = fill_.draft;
  draft.Begin(state_, lease_, turn->now, &sync);
  const bool has_parts = !draft.from["parts"].items().empty();
  // Also a realm that was pulled while it was empty: the records then hold a page that says so.
  const bool spoken_of =
      sync["cursors"].Find(realm) != nullptr || ContainsString(sync["refill"], realm);
  // Where nothing lies below, the server's file is the image as it is; records that are there are
  // folded over it, so none of them may be about this realm. It takes two to bring and drop it.
  fill_.roll = has_parts || spoken_of || draft.upto > draft.from["n"].as_u64() + 1;
  if (!fill_.roll) {
    draft.upto = draft.from["n"].as_u64();
    draft.record_bytes = draft.from["recordBytes"].as_u64();
    draft.cursors = draft.from["cursors"];
  }
  if (!draft.cursors.is_object()) draft.cursors = Data::MakeObject();
  draft.cursors.Set(realm, MakeCursor(fill_.image.revision, fill_.image.at));
  state_->sync = sync;
  writes->push_back(PutWrite(Store::kSync, kSyncKey, std::move(sync)));
}

void SyncJob::SwingFill(Data sync, Data::Array* writes) {
  const String& realm = fill_.image.realm;
  // Rows of a scope that was dropped meanwhile must not come with it.
  fill_.stale = !fill_.draft.IsNext(sync) || sync["scopeVersion"].as_u64() != fill_.scope_version ||
                !(sync["cursors"][realm] == state_->sync["cursors"][realm]);
  if (fill_.stale) return;
  fill_.draft.Swing(&sync, writes);
  const uint64_t n = sync["n"].as_u64() + 1;
  Data cursors = sync["cursors"];
  cursors.Set(realm, fill_.draft.cursors[realm]);
  Data refill = Data::MakeArray();
  for (const Data& other : sync["refill"].items()) {
    if (other.as_string() != realm) refill.Push(other);
  }
  Data scopes = Data::MakeArray();
  for (Data scope : sync["scopes"].items()) {
    // Only where the scopes cover the whole realm does an image come.
    if (fill_.last && scope["filled"].is_bool()) scope.Set("filled", true);
    scopes.Push(std::move(scope));
  }
  String body = EncodeSteps(state_->schema, {});
  sync.Set("n", n)
      .Set("cursors", std::move(cursors))
      .Set("refill", std::move(refill))
      .Set("scopes", std::move(scopes));
  sync.Set("recordBytes", sync["recordBytes"].as_u64() + body.size());
  UpdateRecord& record = fill_.record.emplace();
  record.n = n;
  record.kind = UpdateKind::kImage;
  record.generation = fill_.draft.generation;
  FromData(Data(sync["cursors"]), &record.cursors);
  record.body = std::move(body);
  writes->push_back(PutWrite(Store::kUpdates, n, record.Write()));
  state_->sync = sync;
  writes->push_back(PutWrite(Store::kSync, kSyncKey, std::move(sync)));
}

void SyncJob::DoneFill(Turn* turn) {
  fill_.transaction = 0;
  if (fill_.swinging) {
    if (!fill_.stale) {
      BroadcastRecord(fill_.record, turn);
      fill_.draft.Broadcast(turn);
    }
    fill_ = {};
    state_->progress = nullptr;
    loop_.WantPull();
    return Advance(turn);
  }
  if (fill_.dropped) {
    fill_ = {};
    return;
  }
  Data fetch = Data::MakeObject();
  fetch.Set("url", fill_.image.url)
      .Set("bytes", fill_.image.bytes)
      .Set("checksum", fill_.image.hash);
  token_ = state_->token;
  fetch.Set("realm", fill_.image.realm)
      .Set("token", token_)
      .Set("timeoutMs", state_->times.image_fetch_ms);
  const ImageDraft& draft = fill_.draft;
  Data job = Data::MakeObject();
  job.Set("kind", "fill").Set("generation", draft.generation).Set("roll", fill_.roll);
  job.Set("from", fill_.roll ? draft.from : Data())
      .Set("upto", draft.upto)
      .Set("fetch", std::move(fetch));
  job.Set("dropRealms", Data(Data::Array{fill_.image.realm})).Set("cursors", draft.cursors);
  job.Set("schema", state_->description);
  fill_.job = EmitImageJob(std::move(job), turn);
}

bool SyncJob::Image(const Data& event, Turn* turn) {
  if (!fill_.active || fill_.job == 0 || event["id"].as_u64() != fill_.job) return false;
  if (event["progress"].is_object()) {
    state_->progress = event["progress"];
    return true;
  }
  fill_.job = 0;
  if (event["parts"].is_array()) {
    state_->passes_over = false;
    fill_.draft.parts = event["parts"];
    fill_.swinging = true;
    fill_.transaction = turn->Transact({Store::kSync, Store::kUpdates},
                                       TransactionMode::kWriteStrict, FillReads(lease_.name()));
    return true;
  }
  const double status = event["error"]["status"].as_number();
  const String message = event["error"]["message"].as_string();
  const bool is_last_resort = fill_.draft.is_last_resort;
  DropFill(turn);
  if (status == 401) {
    Unauthenticated({"unauthenticated", message, true}, turn);
  } else {
    // Also an image that has been replaced meanwhile (404): the next pull names the new one.
    const String& name = event["error"]["name"].as_string();
    // Nothing of it says that an image cannot be read.
    const bool blameless = name == "network" || name == "timeout" || name == "quota";
    // Perhaps it is the image of this client that cannot be read: then the one before will do. Or a
    // window looks whether it can read either, and gives both up where it cannot.
    if (!blameless && status == 0) {
      if (is_last_resort) turn->Broadcast(Message("unreadable"));
      state_->passes_over = !state_->passes_over;
    }
    Fail({blameless ? name : "image", message, true}, turn);
  }
  Advance(turn);
  return true;
}

void SyncJob::DropFill(Turn* turn) {
  if (!fill_.active) return;
  if (fill_.job != 0) {
    turn->Emit(Message("abortImage").Set("id", fill_.job));
    fill_.draft.Discard(turn);
  }
  state_->progress = nullptr;
  fill_.dropped = true;
  fill_.job = 0;
  // A transaction in flight is finished first: what it wrote must be told.
  if (fill_.transaction == 0) fill_ = {};
}

}  // namespace skerry
