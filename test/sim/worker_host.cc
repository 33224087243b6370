#include "test/sim/worker_host.h"

#include <algorithm>
#include <utility>

#include "log/image.h"
#include "sync/image_compactor.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/states.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr size_t kSeedBytes = 32;

Data ImageError(std::string_view name) {
  Data error = Data::MakeObject();
  return error.Set("name", name).Set("message", "");
}

}  // namespace

Mount* ImageOf(const Data& pointer, Images* images) {
  const Data& mount = pointer["mount"];
  const auto found = images->find(mount.as_string());
  if (found == images->end() || found->second.generation != pointer["generation"].as_string())
    return nullptr;
  return &found->second;
}

WorkerHost::WorkerHost(World* world, Profile* profile, std::string tab, uint64_t serial,
                       Release release, bool visible, Mode mode)
    : Host(world, profile, tab, serial, release) {
  Data limits = Data::MakeObject();
  limits.Set("pull", world->pull_limit()).Set("imageRecords", kRecordsToCompact);
  // With one mutation in an update, an outbox is full now and then.
  if (world->mutations_per_update() > 0) limits.Set("mutations", world->mutations_per_update());
  Data config = Data::MakeObject();
  config.Set("schema", world->DescriptionFor(release)).Set("tab", tab);
  std::string seed = "worker " + std::to_string(serial);
  seed.resize(kSeedBytes, '.');
  config.Set("seed", Data::Bytes(std::move(seed)));
  if (world->has_rights()) config.Set("user", profile->user);
  config.Set("visible", visible).Set("online", profile->online);
  config.Set("locks", world->locks() || mode == Mode::kService);
  config.Set("mode", mode == Mode::kService  ? "service"
                     : mode == Mode::kHelper ? "helper"
                                             : "lease");
  config.Set("keepToken", world->keeps_token());
  config.Set("auth", world->Has(Part::kTokens)).Set("socket", world->Has(Part::kPokes));
  config.Set("images", true);
  worker_ = std::move(SyncWorker::Create(config.Set("limits", std::move(limits))).value());
  Data start = Data::MakeObject();
  Deliver(std::move(start.Set("type", "start")));
}

Data WorkerHost::Handle(Data event) {
  const Mode mode = worker_->mode();
  const LeaseState lease = job().lease().state();
  const SyncStep step = job().step();
  const LeaseState listen = worker_->listen().state();
  Data effects = worker_->Handle(event);
  if (worker_->mode() != mode)
    world_->Count(mode == Mode::kHelper ? "mode: helper>lease" : "mode: lease>helper");
  if (worker_->listen().state() != listen)
    world_->Count("listen: " + Transition(listen, worker_->listen().state()));
  if (job().lease().state() != lease)
    world_->Count((is_service() ? "service lease: " : "lease: ") +
                  Transition(lease, job().lease().state()));
  if (job().step() != step)
    world_->Count((is_service() ? "service job: " : "job: ") + Transition(step, job().step()));
  return effects;
}

void WorkerHost::Notify(Data message) {
  Data event = Data::MakeObject();
  Deliver(std::move(event.Set("type", "post").Set("message", std::move(message))));
}

void WorkerHost::ExecuteSpecial(const Data& effect) {
  const std::string& type = effect["type"].as_string();
  if (type == "fetch") {
    world_->network().Send(*this, effect);
  } else if (type == "abortFetch") {
    world_->network().Abort(serial(), effect["id"].as_u64());
  } else if (type == "lock") {
    Lock(effect);
  } else if (type == "socket") {
    // Nothing is heard of a socket after it was closed.
    if (!effect["action"].Is("send")) Withdraw("socket");
    world_->network().pokes().Socket(this, effect);
  } else if (type == "needToken" && is_service()) {
    Data message = Data::MakeObject();
    Post(message.Set("type", "needToken").Set("why", effect["why"]));
  } else if (type == "needToken") {
    world_->TabOf(*this).NeedToken();
  } else if (type == "wakeService") {
    world_->WakeService(&profile(), effect["message"]);
  } else if (type == "image") {
    jobs_.push_back(effect);
  } else if (type == "abortImage") {
    AbortJob(effect["id"]);
  } else if (type == "status" && is_service()) {
    // Its real host uses the status to end the browser's event when no work is left.
  } else if (type == "status") {
    Data message = Data::MakeObject();
    Post(message.Set("type", "status").Set("status", effect["status"]));
  } else {
    world_->Fail("a worker has an effect that nobody knows: " + type);
  }
}

// A service worker sends its messages to windows on the channel.
void WorkerHost::Post(const Data& message) {
  if (is_service()) {
    world_->Broadcast(*this, message);
  } else {
    world_->TabOf(*this).FromWorker(message);
  }
}

void WorkerHost::Lock(const Data& effect) {
  const std::string& name = effect["name"].as_string();
  const std::string& action = effect["action"].as_string();
  LockQueue& lock = profile().locks[name];
  if (action == "request") {
    if (lock.holder == 0) return world_->Grant(&profile(), name, serial());
    lock.waiting.push_back(serial());
    world_->NotifyLock(serial(), name, "refused");
  } else if (action == "steal") {
    std::erase(lock.waiting, serial());
    if (lock.holder != 0 && lock.holder != serial()) world_->NotifyLock(lock.holder, name, "lost");
    world_->Grant(&profile(), name, serial());
  } else {
    std::erase(lock.waiting, serial());
    if (lock.holder == serial()) world_->GrantNext(&profile(), name);
  }
}

Data WorkerHost::Compact(const Data& job, std::map<std::string, std::string>* files) {
  ImageCompactor compactor(&schema());
  const Data& from = job["from"];
  const Mount* const old = ImageOf(from, &profile().images);
  for (const Data& part : from["parts"].items()) {
    if (old == nullptr) return ImageError("missing");
    const auto bytes = old->files.find(part["file"].as_string());
    if (bytes == old->files.end() || ImageChecksum(bytes->second) != part["checksum"].as_string())
      return ImageError("corrupt");
    if (!compactor.AddPart(bytes->second).ok()) return ImageError("corrupt");
  }
  for (uint64_t n = from["n"].as_u64() + 1; n <= job["upto"].as_u64(); ++n) {
    const Data record = profile().storage.Get("updates", n);
    if (!record.is_object() || !compactor.AddRecord(record["body"].as_bytes()).ok())
      return ImageError("corrupt");
  }
  for (const Data& realm : job["dropRealms"].items()) compactor.DropRealm(realm.as_string());
  std::string bytes = compactor.Finish(job["upto"].as_u64(), job["cursors"]);
  Data part = Data::MakeObject();
  part.Set("file", kRowsFile).Set("bytes", static_cast<uint64_t>(bytes.size()));
  part.Set("checksum", ImageChecksum(bytes));
  if (compactor.left_out()) part.Set("leftOut", true);
  (*files)[kRowsFile] = std::move(bytes);
  return Data::MakeArray().Push(std::move(part));
}

// Stores the server's file as it is. If the profile holds other rows below it, they are compacted
// into a second file beside it.
Data WorkerHost::Fill(const Data& job, std::map<std::string, std::string>* files) {
  const Data& fetch = job["fetch"];
  const Data fetched = world_->network().FetchImage(*this, fetch);
  if (!fetched.is_bytes()) return fetched;
  const std::string& bytes = fetched.as_bytes();
  if (bytes.size() != fetch["bytes"].as_u64() ||
      ImageChecksum(bytes) != fetch["checksum"].as_string())
    return ImageError("corrupt");
  Data parts = Data::MakeArray();
  Data part = Data::MakeObject();
  part.Set("file", kRealmFile).Set("bytes", static_cast<uint64_t>(bytes.size()));
  parts.Push(part.Set("checksum", fetch["checksum"]));
  if (job["compacts"].as_bool()) {
    const Data rest = Compact(job, files);
    if (!rest.is_array()) return rest;
    parts.Push(rest.items()[0]);
  }
  (*files)[kRealmFile] = bytes;
  return parts;
}

void WorkerHost::Empty(const Data& job) {
  const uint64_t number = job["number"].as_u64();
  for (const Data& name : job["mounts"].items()) {
    const auto mount = profile().images.find(name.as_string());
    if (mount == profile().images.end()) continue;
    if (mount->second.number >= number) {
      world_->Count("image job: a mount is in use again");
      continue;
    }
    mount->second = Mount{number, {}, {}};
  }
}

// In one step, as in the transaction of wasm/image.cc.
Data WorkerHost::Write(const Data& effect) {
  const Data& job = effect["job"];
  const uint64_t number = job["number"].as_u64();
  Mount& mount = profile().images[job["mount"].as_string()];
  if (mount.number > number) return ImageError("overtaken");
  if (number < profile().storage.Get("sync", "sync")["drafts"].as_u64())
    world_->Count("image job: written after another draft was begun");
  mount = Mount{number, job["generation"].as_string(), std::move(files_)};
  return effect["parts"];
}

// A transaction that writes the files may be under way: then it is not stopped.
void WorkerHost::AbortJob(const Data& id) {
  for (Data& job : jobs_) {
    if (job["id"] == id && job["parts"].is_array()) job.Set("aborted", true);
  }
  std::erase_if(jobs_,
                [&](const Data& job) { return job["id"] == id && !job["parts"].is_array(); });
}

// A job has two steps: first the files are made, and later they are written. Much may happen between
// the two.
void WorkerHost::Work() {
  Data& effect = jobs_.front();
  const Data& job = effect["job"];
  Data outcome = Data::MakeArray();
  if (job["kind"].Is("empty")) {
    Empty(job);
  } else if (effect["parts"].is_array()) {
    outcome = Write(effect);
  } else {
    files_.clear();
    outcome = job["kind"].Is("fill") ? Fill(job, &files_) : Compact(job, &files_);
    if (outcome.is_array()) {
      effect.Set("parts", std::move(outcome));
      return;  // to be written later
    }
  }
  End(outcome);
}

void WorkerHost::End(const Data& outcome) {
  const Data effect = std::move(jobs_.front());
  jobs_.pop_front();
  const Data& job = effect["job"];
  if (effect["aborted"].as_bool()) return;
  world_->Trace(*this, "image", job["kind"].as_string());
  world_->Count("image job: " + job["kind"].as_string() + (outcome.is_array() ? "" : " failed"));
  Data event = Data::MakeObject();
  event.Set("type", "image").Set("id", effect["id"]);
  event.Set(outcome.is_array() ? "parts" : "error", outcome);
  Deliver(std::move(event));
}

}  // namespace skerry::sim
