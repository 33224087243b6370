#include "test/fuzz/window_host.h"

#include <utility>

#include "base/fields.h"
#include "test/core/client/client_fixture.h"

namespace skerry::fuzz {
namespace {

constexpr int kMostSteps = 500;  // a few dozen steps open a window
constexpr int kMostTimers = 8;

}  // namespace

WindowHost::WindowHost(sync_test::FakeStorage* storage, Images* images)
    : storage_(storage), images_(images) {
  Result<std::unique_ptr<Client>> client =
      Client::Create(Data::Object{{"schema", client_test::SchemaData()},
                                  {"tab", "hostile"},
                                  {"defaultRealm", "A"},
                                  {"seed", Data::Bytes(std::string(32, '.'))},
                                  {"remote", true},
                                  {"user", Data()}});
  SKERRY_CHECK(client.ok());
  client_ = std::move(client.value());
  Event(Data::Object{{"type", "open"}});
}

Data WindowHost::Call(Data event) {
  now_ += 1;
  event.Set("now", now_).Set("mono", now_);
  Data effects = client_->Handle(std::move(event));
  unreadable_ = unreadable_ || !DecodeData(EncodeData(effects)).ok();
  static_cast<void>(EncodeData(client_->Drain()));
  return effects;
}

void WindowHost::Event(Data event) { Execute(Call(std::move(event))); }

void WindowHost::Hear(const Data& message) {
  Event(Data::Object{{"type", "message"}, {"message", message}});
}

void WindowHost::Execute(const Data& effects) {
  for (const Data& effect : effects.items()) {
    const std::string& type = effect["type"].as_string();
    if (type == "transact") {
      queue_.push_back(effect);
    } else if (type == "timer") {
      timers_.insert(effect["name"].as_string());
    } else if (type == "cancel") {
      timers_.erase(effect["name"].as_string());
    } else if (type == "loadImage") {
      image_ = effect;
    } else if (type == "openFailed") {
      has_reported_ = true;
    } else if (type == "settle" && effect["stage"].Is("durable") && effect["error"].is_null()) {
      durable_.insert(effect["id"].as_string());
    }
  }
}

void WindowHost::LoadImage() {
  const Data effect = std::move(image_);
  image_ = Data();
  const auto it = images_->find(effect["generation"].as_string());
  bool ok = it != images_->end();
  if (ok) {
    for (const std::string& part : it->second) ok = ok && client_->LoadPart(SharedBytes(part)).ok();
  }
  Data event = Fields{{"type", "imageLoaded"}, {"generation", effect["generation"]}, {"ok", ok}};
  if (!ok) event.Set("error", Fields{{"code", "missing"}, {"detail", "no such file"}});
  Event(std::move(event));
}

bool WindowHost::Step() {
  if (image_.is_object()) {
    LoadImage();
  } else if (!queue_.empty()) {
    const Data transact = std::move(queue_.front());
    queue_.pop_front();
    Event(storage_->Run(transact, this));
  } else {
    return false;
  }
  return true;
}

std::string WindowHost::Settle() {
  for (int step = 0; step < kMostSteps; ++step) {
    if (!Step()) return unreadable_ ? "effects that JavaScript cannot decode" : "";
  }
  return "a window that does not come to rest";
}

std::string WindowHost::Rest() {
  for (int round = 0; round < kMostTimers; ++round) {
    std::string problem = Settle();
    if (!problem.empty()) return problem;
    if (timers_.empty()) break;
    for (const std::string& name : std::exchange(timers_, {}))
      Event(Data::Object{{"type", "timer"}, {"name", name}});
  }
  return Settle();
}

bool WindowHost::Edit(const std::string& id) {
  if (!client_->TxBegin(++now_).ok()) return false;
  Data operation = Data::MakeArray();
  operation.Push(id).Push(Data()).Push(Data::Object{{"name", "edited"}});
  const Result<OpOutcome> made =
      client_->TxOp(client_test::kUpsert, client_test::kGroupTable, operation);
  const Result<Data> done = client_->TxCommit(Data::Object{{"name", "edit"}, {"arg", "null"}});
  if (!made.ok() || !done.ok()) return false;
  Execute(done.value()["effects"]);
  return Rest().empty() && durable_.contains(done.value()["id"].as_string());
}

}  // namespace skerry::fuzz
