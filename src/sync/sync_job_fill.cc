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
  return {GetRead("sync", lease), GetRead("sync", "sync")};
}

}  // namespace

void SyncJob::BeginFill(const ImageFill& image, bool last, Turn* turn) {
  fill_ = {};
  fill_.last = last;
  fill_.active = true;
  fill_.image = image;
  fill_.scope_version = state_->sync["scopeVersion"].as_u64();
  fill_.transaction = turn->Transact("sync", true, true, FillReads(lease_.name()));
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
  fill_.base = sync["image"];
  fill_.from = passes_over_ && !HasRealmFile(fill_.base) ? sync["previous"] : fill_.base;
  fill_.generation = state_->ids.Next(turn->now);
  const bool has_parts = !fill_.from["parts"].items().empty();
  // Also a realm that was pulled while it was empty: the records then hold a page that says so.
  const bool spoken_of =
      sync["cursors"].Find(realm) != nullptr || ContainsString(sync["refill"], realm);
  // Where nothing lies below, the server's file is the image as it is; records that are there are
  // folded over it, so none of them may be about this realm.
  fill_.roll = has_parts || spoken_of;
  fill_.upto = fill_.roll ? sync["n"].as_u64() : fill_.from["n"].as_u64();
  fill_.record_bytes =
      fill_.roll ? sync["recordBytes"].as_u64() : fill_.from["recordBytes"].as_u64();
  fill_.cursors = fill_.roll ? sync["cursors"] : fill_.from["cursors"];
  if (!fill_.cursors.is_object()) fill_.cursors = Data::MakeObject();
  fill_.cursors.Set(realm, MakeCursor(fill_.image.revision, fill_.image.at));
  EnterGeneration(fill_.generation, lease_.name(), lease_.epoch(), &sync);
  state_->sync = sync;
  writes->push_back(PutWrite("sync", "sync", std::move(sync)));
}

void SyncJob::SwingFill(Data sync, Data::Array* writes) {
  const String& realm = fill_.image.realm;
  const bool same_pointer =
      fill_.base.is_object() ? SameGeneration(fill_.base, sync["image"]) : sync["image"].is_null();
  // Rows of a scope that was dropped meanwhile must not come with it.
  fill_.stale = !same_pointer || sync["scopeVersion"].as_u64() != fill_.scope_version ||
                !(sync["cursors"][realm] == state_->sync["cursors"][realm]);
  if (fill_.stale) return;
  if (!(fill_.from == fill_.base)) DropImage(&sync);
  const uint64_t spare = SwingPointer(
      MakePointer(fill_.generation, fill_.parts, fill_.upto, fill_.cursors, fill_.record_bytes),
      &sync);
  const uint64_t n = sync["n"].as_u64() + 1;
  Data cursors = sync["cursors"];
  cursors.Set(realm, fill_.cursors[realm]);
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
  fill_.record = Data::MakeObject();
  fill_.record.Set("v", kRecordVersion)
      .Set("n", n)
      .Set("kind", "image")
      .Set("generation", fill_.generation);
  fill_.record.Set("confirmed", Data::MakeArray())
      .Set("refused", Data::MakeArray())
      .Set("partly", Data::MakeArray());
  fill_.record.Set("cursors", sync["cursors"]).Set("body", Data::Bytes(std::move(body)));
  writes->push_back(PutWrite("updates", n, fill_.record));
  if (spare > 0) {
    Data range = Data::MakeObject();
    range.Set("to", spare);
    Data drop = Data::MakeObject();
    writes->push_back(std::move(drop.Set("store", "updates").Set("deleteRange", std::move(range))));
  }
  state_->sync = sync;
  writes->push_back(PutWrite("sync", "sync", std::move(sync)));
}

void SyncJob::DoneFill(Turn* turn) {
  fill_.transaction = 0;
  if (fill_.swinging) {
    if (!fill_.stale) {
      BroadcastRecord(fill_.record, turn);
      turn->Broadcast(Message("image").Set("n", fill_.upto).Set("generation", fill_.generation));
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
  fill_.job = turn->NextId();
  Data fetch = Data::MakeObject();
  fetch.Set("url", fill_.image.url)
      .Set("bytes", fill_.image.bytes)
      .Set("checksum", fill_.image.hash);
  token_ = state_->token;
  fetch.Set("realm", fill_.image.realm)
      .Set("token", token_)
      .Set("timeoutMs", state_->times.image_fetch_ms);
  Data job = Data::MakeObject();
  job.Set("kind", "fill").Set("generation", fill_.generation).Set("roll", fill_.roll);
  job.Set("from", fill_.roll ? fill_.from : Data())
      .Set("upto", fill_.upto)
      .Set("fetch", std::move(fetch));
  job.Set("dropRealms", Data(Data::Array{fill_.image.realm})).Set("cursors", fill_.cursors);
  job.Set("schema", state_->description);
  turn->Emit(Message("image").Set("id", fill_.job).Set("job", std::move(job)));
}

bool SyncJob::Image(const Data& event, Turn* turn) {
  if (!fill_.active || fill_.job == 0 || event["id"].as_u64() != fill_.job) return false;
  if (event["progress"].is_object()) {
    state_->progress = event["progress"];
    return true;
  }
  fill_.job = 0;
  if (event["parts"].is_array()) {
    passes_over_ = false;
    fill_.parts = event["parts"];
    fill_.swinging = true;
    fill_.transaction = turn->Transact("sync updates", true, true, FillReads(lease_.name()));
    return true;
  }
  const double status = event["error"]["status"].as_number();
  const String message = event["error"]["message"].as_string();
  DropFill(turn);
  if (status == 401) {
    Unauthenticated({"unauthenticated", message, true}, turn);
  } else {
    // Also an image that has been replaced meanwhile (404): the next pull names the new one.
    const String& name = event["error"]["name"].as_string();
    const bool network = name == "network" || name == "timeout";
    // Perhaps it is the image of this client that cannot be read: then the one before will do.
    if (!network && status == 0) passes_over_ = !passes_over_;
    Fail({network ? name : "image", message, true}, turn);
  }
  Advance(turn);
  return true;
}

// As ImageKeeper::Discard.
void SyncJob::DiscardFill(Turn* turn) {
  EmitDelete(Data(Data::Array{Data(fill_.generation)}), turn);
}

void SyncJob::DropFill(Turn* turn) {
  if (!fill_.active) return;
  if (fill_.job != 0) {
    turn->Emit(Message("abortImage").Set("id", fill_.job));
    DiscardFill(turn);
  }
  state_->progress = nullptr;
  fill_.dropped = true;
  fill_.job = 0;
  // A transaction in flight is finished first: what it wrote must be told.
  if (fill_.transaction == 0) fill_ = {};
}

}  // namespace skerry
