#include "test/core/sync/sync_world.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "log/codec.h"
#include "test/core/log/row_map.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

constexpr int kMaxSteps = 200000;

Data Config(const std::string& tab, size_t index, bool visible, bool locks, const Data& extra) {
  Data config = Data::MakeObject();
  config.Set("schema", SyncSchemaDescription()).Set("tab", tab);
  config.Set("seed", Data::Bytes(std::string(31, 'a') + static_cast<char>('a' + index)));
  config.Set("visible", visible).Set("online", true).Set("locks", locks).Set("auth", false);
  config.Set("socket", false).Set("images", false);
  for (const auto& [name, value] : extra.members()) config.Set(name, value);
  return config;
}

Data Response(const Data& id, double status, std::string body) {
  Data event = Data::MakeObject();
  event.Set("type", "response")
      .Set("id", id)
      .Set("status", status)
      .Set("contentType", "application/json");
  return event.Set("body", Data::Bytes(std::move(body)));
}

Data NoResponse(const Data& id) {
  Data event = Data::MakeObject();
  event.Set("type", "response").Set("id", id);
  return event.Set("error", Json(R"({"name":"network","message":"no network"})"));
}

// What a server rejects before it reads any row.
bool IsSound(bool push, std::string_view body) {
  const Result<Data> request = ParseJson(body);
  if (!request.ok()) return false;
  for (const Data& update : request.value()["updates"].items()) {
    if (push && !UpdateFromData(SyncSchema(), update).ok()) return false;
  }
  return true;
}

// A claim must raise the epoch: each epoch has one owner.
void NoteClaims(SyncWorld* world) {
  if (world->damaged) return;
  const Data lease = world->lease();
  if (!lease["owner"].is_string()) return;
  const auto [it, fresh] =
      world->claims.emplace(lease["epoch"].as_u64(), lease["owner"].as_string());
  SKERRY_CHECK(fresh || it->second == lease["owner"].as_string());
}

}  // namespace

Data Scripted(double status, std::string_view body, std::string_view type) {
  Data event = Data::MakeObject();
  return event.Set("status", status)
      .Set("contentType", type)
      .Set("body", Data::Bytes(std::string(body)));
}

SyncHost::SyncHost(SyncWorld* world, size_t index, std::string tab_in)
    : tab(std::move(tab_in)), world_(world), index_(index) {}

Data SyncHost::Call(Data event) {
  event.Set("now", 1'000'000 + world_->mono + wall_skew).Set("mono", world_->mono);
  return worker_->Handle(event);
}

void SyncHost::Post(Data message) {
  Data event = Data::MakeObject();
  Deliver(std::move(event.Set("type", "post").Set("message", std::move(message))));
}

void SyncHost::PostFirst(Data message) {
  Data event = Data::MakeObject();
  inbox_.push_front(std::move(event.Set("type", "post").Set("message", std::move(message))));
}

bool SyncHost::StepOnce() {
  if (!HasStep()) return false;
  if (!inbox_.empty()) {
    Data event = std::move(inbox_.front());
    inbox_.pop_front();
    const std::string type = event["type"].as_string();
    if (type == "done" || type == "failed") running_ = false;
    Execute(Call(std::move(event)));
    return true;
  }
  const Data transact = std::move(queue_.front());
  queue_.pop_front();
  running_ = true;
  Deliver(world_->storage.Run(transact, this));
  NoteClaims(world_);
  return true;
}

double SyncHost::next_timer() const {
  double next = std::numeric_limits<double>::infinity();
  if (!alive || frozen) return next;
  for (const auto& [name, due] : timers_) next = std::min(next, due);
  return next;
}

bool SyncHost::FireTimers() {
  if (!alive || frozen) return false;
  for (const auto& [name, due] : timers_) {
    if (due > world_->mono) continue;
    Data event = Data::MakeObject();
    Deliver(std::move(event.Set("type", "timer").Set("name", name)));
    timers_.erase(name);
    return true;
  }
  return false;
}

void SyncHost::Listens() {
  Deliver(Json(R"({"type":"socket","state":"message","text":"{\"type\":\"ready\"}"})"));
}

void SyncHost::Crash() {
  alive = false;
  inbox_.clear();
  queue_.clear();
  timers_.clear();
  worker_.reset();
  world_->FreeLocks(index_);
}

void SyncHost::Execute(const Data& effects) {
  for (const Data& effect : effects.items()) {
    const std::string& type = effect["type"].as_string();
    if (type == "transact") {
      queue_.push_back(effect);
    } else if (type == "timer") {
      timers_[effect["name"].as_string()] = world_->mono + effect["delayMs"].as_number();
    } else if (type == "cancel") {
      timers_.erase(effect["name"].as_string());
    } else if (type == "broadcast") {
      world_->Broadcast(index_, effect["message"]);
    } else if (type == "post") {
      posts.push_back(effect["message"]);
      // A service worker has no window of its own.
      if (world_->service == static_cast<int>(index_)) world_->Broadcast(index_, effect["message"]);
    } else if (type == "wakeService") {
      wakes.push_back(effect["message"]);
      if (world_->service >= 0)
        world_->host(static_cast<size_t>(world_->service)).Post(effect["message"]);
    } else if (type == "fetch") {
      Fetch(effect);
    } else if (type == "lock") {
      Lock(effect);
    } else if (type == "status") {
      status = effect["status"];
      const std::string& phase = status["phase"].as_string();
      if (phases.empty() || phases.back() != phase) phases.push_back(phase);
    } else if (type == "needToken") {
      token_whys.push_back(effect["why"].as_string());
      if (world_->service == static_cast<int>(index_)) {
        world_->Broadcast(index_, effect);
        continue;
      }
      if (!world_->answers_token) continue;
      Data event = Data::MakeObject();
      Deliver(std::move(event.Set("type", "token").Set("token", world_->token)));
    } else if (type == "image") {
      image_jobs.push_back(effect);
    } else if (type == "socket") {
      socket.push_back(effect["action"].as_string());
      if (effect["text"].is_string()) sent_texts.push_back(effect["text"].as_string());
    } else {
      SKERRY_CHECK(type == "abortFetch" || type == "abortImage");
    }
  }
}

void SyncHost::Get(const Data& effect) {
  world_->paths.push_back(effect["path"].as_string());
  Network& network = world_->network;
  if (network.down) return Deliver(NoResponse(effect["id"]));
  const auto [status, body] = world_->server.Get(effect["path"].as_string());
  Data event = Response(effect["id"], status, body);
  if (network.hold_answers) {
    world_->held.emplace_back(index_, std::move(event));
  } else {
    Deliver(std::move(event));
  }
}

void SyncHost::Fetch(const Data& effect) {
  Network& network = world_->network;
  const bool push = effect["path"].as_string() == "/push";
  if (effect["method"].as_string() == "GET") return Get(effect);
  const std::string& body = effect["body"].as_bytes();
  (push ? push_times : pull_times).push_back(world_->mono);
  (push ? world_->push_bodies : world_->pull_bodies).push_back(body);
  if (network.down || network.lose_requests > 0) {
    if (network.lose_requests > 0) --network.lose_requests;
    return Deliver(NoResponse(effect["id"]));
  }
  if (push && network.lose_push_requests > 0) {
    --network.lose_push_requests;
    return Deliver(NoResponse(effect["id"]));
  }
  if (!network.scripted.empty()) {
    Data event = std::move(network.scripted.front());
    network.scripted.pop_front();
    return Deliver(std::move(event.Set("type", "response").Set("id", effect["id"])));
  }
  if (world_->damaged && !IsSound(push, body)) {
    return Deliver(
        Response(effect["id"], 400, R"({"code":"invalid","detail":"as the test says"})"));
  }
  const Data answer = push ? world_->server.Push(Json(body)) : world_->server.Pull(Json(body));
  if (network.lose_answers > 0) {
    --network.lose_answers;
    return Deliver(NoResponse(effect["id"]));
  }
  if (push && network.lose_push_answers > 0) {
    --network.lose_push_answers;
    return Deliver(NoResponse(effect["id"]));
  }
  const bool is_bad = answer["error"].is_object();
  Data event =
      Response(effect["id"], is_bad ? 400 : 200, WriteJson(is_bad ? answer["error"] : answer));
  if (network.hold_answers) {
    world_->held.emplace_back(index_, std::move(event));
  } else {
    Deliver(std::move(event));
  }
}

void SyncHost::Lock(const Data& effect) {
  const std::string& name = effect["name"].as_string();
  const std::string& action = effect["action"].as_string();
  SyncWorld::LockQueue& lock = world_->lock_queues[name];
  const auto notify = [&name](SyncHost* host, std::string_view state) {
    Data event = Data::MakeObject();
    host->Deliver(std::move(event.Set("type", "lock").Set("name", name).Set("state", state)));
  };
  if (action == "request") {
    if (lock.holder < 0) {
      lock.holder = static_cast<int>(index_);
      notify(this, "granted");
    } else {
      lock.waiting.push_back(index_);
      notify(this, "refused");
    }
  } else if (action == "steal" && world_->refused_steals > 0) {
    --world_->refused_steals;
    notify(this, "refused");
  } else if (action == "steal") {
    erase(lock.waiting, index_);
    if (lock.holder >= 0) notify(&world_->host(static_cast<size_t>(lock.holder)), "lost");
    lock.holder = static_cast<int>(index_);
    notify(this, "granted");
  } else {
    erase(lock.waiting, index_);
    if (lock.holder == static_cast<int>(index_)) world_->GrantNext(name);
  }
}

void SyncWorld::GrantNext(const std::string& name) {
  LockQueue& lock = lock_queues[name];
  lock.holder = -1;
  if (lock.waiting.empty()) return;
  lock.holder = static_cast<int>(lock.waiting.front());
  lock.waiting.pop_front();
  Data event = Data::MakeObject();
  event.Set("type", "lock").Set("name", name).Set("state", "granted");
  host(static_cast<size_t>(lock.holder)).Deliver(std::move(event));
}

void SyncWorld::FreeLocks(size_t index) {
  for (auto& [name, lock] : lock_queues) {
    erase(lock.waiting, index);
    if (lock.holder == static_cast<int>(index)) GrantNext(name);
  }
}

SyncHost& SyncWorld::Open(bool visible, Data extra) {
  SyncHost& host = Add(visible, extra);
  host.Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["true"]}]})"));
  return host;
}

SyncHost& SyncWorld::OpenService(Data extra) {
  service = static_cast<int>(hosts_.size());
  return Add(true,
             extra.Set("mode", "service").Set("tab", "service-" + std::to_string(hosts_.size())));
}

SyncHost& SyncWorld::Add(bool visible, const Data& extra) {
  const size_t index = hosts_.size();
  hosts_.push_back(std::make_unique<SyncHost>(this, index, "tab-" + std::to_string(index)));
  SyncHost& host = *hosts_.back();
  if (extra["tab"].is_string()) host.tab = extra["tab"].as_string();
  Result<std::unique_ptr<SyncWorker>> worker =
      SyncWorker::Create(Config(host.tab, index, visible, locks_, extra));
  SKERRY_CHECK(worker.ok());
  host.worker_ = std::move(worker.value());
  Data event = Data::MakeObject();
  host.Deliver(std::move(event.Set("type", "start")));
  return host;
}

std::string SyncWorld::Log(const Vector<Op>& ops) {
  const std::string id = SyncUuid(1000 + ++serial_);
  storage.Add("mutations", MutationRecord(id, ops, 1'000'000 + mono));
  return id;
}

std::string SyncWorld::Mutate(const Vector<Op>& ops, size_t window) {
  const std::string id = Log(ops);
  const Data wake = Json(R"({"type":"wake","reason":"mutation"})");
  host(window).Post(wake);
  Broadcast(window, wake);
  return id;
}

void SyncWorld::Broadcast(size_t from, const Data& message) {
  messages.push_back(message);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (i == from || !hosts_[i]->alive) continue;
    Data event = Data::MakeObject();
    hosts_[i]->Deliver(std::move(event.Set("type", "message").Set("message", message)));
  }
}

void SyncWorld::Settle() {
  for (int step = 0; step < kMaxSteps; ++step) {
    bool any = false;
    for (const auto& host : hosts_) any = host->StepOnce() || any;
    if (!any) return;
  }
  SKERRY_CHECK(false);  // a busy loop
}

void SyncWorld::Run(double ms) {
  const double end = mono + ms;
  for (int step = 0; step < kMaxSteps; ++step) {
    Settle();
    double next = std::numeric_limits<double>::infinity();
    for (const auto& host : hosts_) next = std::min(next, host->next_timer());
    if (next > end) {
      mono = end;
      return;
    }
    mono = std::max(mono, next);
    for (const auto& host : hosts_) host->FireTimers();
  }
  SKERRY_CHECK(false);
}

void SyncWorld::Release() {
  for (auto& [index, event] : held) {
    if (host(index).alive) host(index).Deliver(std::move(event));
  }
  held.clear();
}

std::unique_ptr<Base> SyncWorld::Fold() const {
  test::TouchedKeys touched;
  auto base = std::make_unique<Base>(&SyncSchema());
  const Data last = storage.Get("sync", "sync");
  for (uint64_t n = 1; n <= last["n"].as_u64(); ++n) {
    const Data record = storage.Get("updates", n);
    SKERRY_CHECK(record.is_object());  // the records have no gap
    Result<Vector<Step>> steps = DecodeSteps(SyncSchema(), record["body"].as_bytes());
    SKERRY_CHECK(steps.ok());
    SKERRY_CHECK(ApplySteps(SyncSchema(), steps.value(), base.get(), &touched).ok());
  }
  return base;
}

bool SyncWorld::Converged() {
  const std::unique_ptr<Base> base = Fold();
  size_t rows = 0;
  for (const auto& [key, stored] : server.database().rows()) {
    const Row& row = stored.row;
    if (stored.deleted_at || key.object.table != 0) continue;
    if (server.write_only.count(row.realm) != 0 || server.revoked.count(row.realm) != 0) continue;
    ++rows;
    const std::optional<Row> mine = base->GetBase(row.realm, key.object);
    if (!mine || *mine != row) return false;
  }
  return base->BaseKeys(0).size() == rows;
}

}  // namespace skerry::sync_test
