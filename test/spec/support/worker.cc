#include "test/spec/support/worker.h"

#include <utility>

#include "base/json.h"
#include "doctest/doctest.h"
#include "log/image.h"
#include "sync/image_compactor.h"
#include "test/core/authority/world.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

Worker::Worker(Window* window, Device* device, const std::string& name)
    : Actor(device, name), window_(window) {
  const Story& story = *device->story;
  Data config = Data::MakeObject();
  config.Set("schema", authority_test::WorldSchemaData()).Set("tab", name);
  config.Set("seed", Data::Bytes(device->story->NextSeed()));
  config.Set("visible", true).Set("online", true).Set("locks", true).Set("auth", false);
  config.Set("mode", window == nullptr ? "service" : "lease");
  config.Set("socket", story.has_sockets).Set("images", story.has_images);
  Data limits = Data::MakeObject();
  limits.Set("mutations", story.mutations_per_update).Set("imageRecords", uint64_t{2});
  config.Set("limits", std::move(limits));
  worker_ = std::move(SyncWorker::Create(config).value());
  Deliver(NamedEvent("start"));
}

void Worker::Notify(Data message) {
  Deliver(NamedEvent("post").Set("message", std::move(message)));
}

void Worker::Wake(std::string_view reason) { Notify(NamedEvent("wake").Set("reason", reason)); }

void Worker::Sync() { Notify(NamedEvent("sync").Set("id", 1)); }

void Worker::NotifyLock(const std::string& name, std::string_view state) {
  lock_events_.push_back(NamedEvent("lock").Set("name", name).Set("state", state));
}

void Worker::Respond(const Answer& answer) {
  Data event = NamedEvent("response");
  event.Set("id", answer.id).Set("status", 200).Set("contentType", "application/json");
  Deliver(std::move(event.Set("body", Data::Bytes(WriteJson(answer.body)))));
}

void Worker::Special(const Data& effect) {
  const std::string& type = effect["type"].as_string();
  if (type == "fetch") {
    requests_.push_back(effect);
  } else if (type == "abortFetch") {
    erase_if(requests_, [&](const Data& request) { return request["id"] == effect["id"]; });
    erase_if(answers_, [&](const auto& answer) { return answer.id == effect["id"]; });
  } else if (type == "lock") {
    Lock(effect);
  } else if (type == "image") {
    image_jobs_.push_back(effect);
  } else if (type == "abortImage") {
    erase_if(image_jobs_, [&](const Data& job) { return job["id"] == effect["id"]; });
  } else if (type == "socket" && effect["action"].Is("open")) {
    Deliver(NamedEvent("socket").Set("state", "open"));
  } else if (type == "status" && window_ != nullptr) {
    Post(NamedEvent("status").Set("status", effect["status"]));
  }
}

// A service worker sends its messages to windows on the channel.
void Worker::Post(const Data& message) {
  if (window_ == nullptr) return device().Broadcast(*this, message);
  window_->page.Deliver(NamedEvent("post").Set("message", message));
}

bool Worker::TakeOwnStep() {
  if (!lock_events_.empty() && May(Step::kLock)) {
    Data event = std::move(lock_events_.front());
    lock_events_.pop_front();
    Dispatch(std::move(event));
    return true;
  }
  if (!answers_.empty() && May(answers_.front().is_push ? Step::kPushAnswer : Step::kPullAnswer)) {
    Respond(answers_.front());
    answers_.pop_front();
    return true;
  }
  const bool is_push = !requests_.empty() && requests_.front()["path"].Is("/push");
  if (!requests_.empty() && May(is_push ? Step::kPush : Step::kPull)) {
    const Data request = std::move(requests_.front());
    requests_.pop_front();
    Server& server = device().story->server;
    const std::string& body = request["body"].as_bytes();
    answers_.push_back({request["id"], is_push, is_push ? server.Push(body) : server.Pull(body)});
    return true;
  }
  if (image_jobs_.empty() || !May(Step::kImage)) return false;
  const Data effect = std::move(image_jobs_.front());
  image_jobs_.pop_front();
  const Data& job = effect["job"];
  Data parts = Data::MakeArray();
  if (!job["kind"].Is("empty")) parts = job["kind"].Is("fill") ? Fill(job) : Compact(job);
  Deliver(NamedEvent("image").Set("id", effect["id"]).Set("parts", std::move(parts)));
  return true;
}

Data Worker::ImagePart(const std::string& generation, const std::string& file, std::string bytes) {
  Data part = Data::MakeObject();
  part.Set("file", file).Set("bytes", static_cast<uint64_t>(bytes.size()));
  part.Set("checksum", ImageChecksum(bytes));
  device().images[generation][file] = std::move(bytes);
  return part;
}

// The server's image of a realm; what the profile holds already is compacted into a second file.
Data Worker::Fill(const Data& job) {
  const std::string& image = device().story->server.Image(job["fetch"]["url"].as_string());
  Data parts = Data::MakeArray();
  parts.Push(ImagePart(job["generation"].as_string(), "realm", image));
  if (job["compacts"].as_bool()) parts.Push(Compact(job).items()[0]);
  return parts;
}

Data Worker::Compact(const Data& job) {
  ImageCompactor compactor(&authority_test::WorldSchema());
  const Data& from = job["from"];
  for (const Data& part : from["parts"].items()) {
    const auto& files = device().images.at(from["generation"].as_string());
    REQUIRE(compactor.AddPart(files.at(part["file"].as_string())).ok());
  }
  for (uint64_t n = from["n"].as_u64() + 1; n <= job["upto"].as_u64(); ++n)
    REQUIRE(compactor.AddRecord(device().storage.Get("updates", n)["body"].as_bytes()).ok());
  for (const Data& realm : job["dropRealms"].items()) compactor.DropRealm(realm.as_string());
  return Data::MakeArray().Push(ImagePart(job["generation"].as_string(), "rows",
                                          compactor.Finish(job["upto"].as_u64(), job["cursors"])));
}

void Worker::Lock(const Data& effect) {
  const std::string& name = effect["name"].as_string();
  const std::string& action = effect["action"].as_string();
  WebLock& lock = device().locks[name];
  if (action == "request") {
    if (lock.holder == nullptr) return device().Grant(name, this);
    lock.waiting.push_back(this);
    NotifyLock(name, "refused");
  } else if (action == "steal") {
    std::erase(lock.waiting, this);
    if (lock.holder != nullptr && lock.holder != this) lock.holder->NotifyLock(name, "lost");
    device().Grant(name, this);
  } else {
    device().Free(name, this);
  }
}

}  // namespace skerry::spec
