#include "test/sim/profile.h"

#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "model/members.h"
#include "model/present_names.h"
#include "sync/lease_rules.h"
#include "test/sim/world.h"

namespace skerry::sim {

Tab::Tab(World* world, Profile* profile, std::string id_in)
    : id(std::move(id_in)), world_(world), profile_(profile) {
  window = std::make_unique<WindowHost>(world, profile, id, world->NextSerial(), profile->release);
}

test::CheckScopes Profile::ScopesOf(Release of) const {
  test::CheckScopes list;
  for (const test::CheckScope& scope : scopes) {
    if (SchemaOf(of).FindTable(scope.table) == kNone) continue;
    list.push_back(scope);
    Data where = ParseJson(scope.where).value();
    UsePresentNames(SchemaOf(of), &list.back().table, &where);
    list.back().where = WriteJson(where);
  }
  return list;
}

bool Profile::KnowsAsLost(const std::string& realm) const {
  return test::ContainsString(storage.Get("sync", "sync")["lost"], realm);
}

// A mutation in a realm that the server has lost waits until it is founded again, and so do later
// ones of the same objects, or in a realm that one of these founds.
Profile::Waiting Profile::WaitingForRealms() const {
  Waiting waiting;
  auto& all = const_cast<sync_test::FakeStorage&>(storage);
  const Data sync = storage.Get("sync", "sync");
  for (const Data& realm : sync["lost"].items()) waiting.realms.insert(realm.as_string());
  if (waiting.realms.empty()) return waiting;
  std::set<std::string> keys, ids;
  const auto is_held = [&](const std::string& realm) {
    return waiting.realms.contains(realm) ||
           keys.contains(std::string(kMembersTable) + '\0' + MembershipId(realm, user));
  };
  for (const auto& [key, record] : all.store("mutations")) {
    bool waits = false;
    for (const Data& realm : record["realms"].items()) waits = waits || is_held(realm.as_string());
    for (const Data& object : record["keys"].items())
      waits = waits || keys.contains(object.as_string());
    // What refers to an object that a waiting one creates waits, too.
    const auto mutation = DecodeMutation(SchemaOf(release), record["body"].as_bytes());
    const Vector<Op> ops = mutation.ok() ? mutation.value().ops : Vector<Op>();
    for (const Op& op : ops) {
      for (const PropValue& set : op.set) waits = waits || ids.contains(set.value.text());
    }
    if (!waits) continue;
    waiting.actions.insert(record["id"].as_string());
    for (const Op& op : ops) {
      if (op.Has(kCreates)) ids.insert(op.id);
    }
    for (const Data& object : record["keys"].items()) keys.insert(object.as_string());
    for (const Data& realm : record["realms"].items()) waiting.touched.insert(realm.as_string());
  }
  return waiting;
}

void Tab::AskForScopes() {
  Data add = Data::MakeArray();
  for (const test::CheckScope& scope : profile_->ScopesOf(window->release())) {
    Data item = Data::MakeObject();
    add.Push(item.Set("table", scope.table).Set("where", ParseJson(scope.where).value()));
  }
  Data event = Data::MakeObject();
  event.Set("type", "scopes").Set("add", std::move(add)).Set("drop", Data::MakeArray());
  window->Deliver(std::move(event));
  if (window->streams().has_value()) window->Deliver(window->streams()->Wanted());
}

void Tab::NeedToken() {
  if (window->stalled) return;
  const Answer answer = std::exchange(next_token, Answer::kToken);
  const uint64_t now = world_->network().token().as_u64();
  GiveToken(answer == Answer::kNoToken    ? Data()
            : answer == Answer::kOldToken ? Data(now - 1)
                                          : Data(now));
}

// A token is a number in the simulator, and its text on the wire.
void Tab::GiveToken(const Data& token) {
  if (worker == nullptr) return;
  Data event = Data::MakeObject();
  event.Set("type", "token");
  event.Set("token", token.is_null() ? Data() : Data(std::to_string(token.as_u64())));
  worker->Deliver(std::move(event));
}

void Tab::StartWorker() {
  worker =
      std::make_unique<WorkerHost>(world_, profile_, id, world_->NextSerial(), window->release(),
                                   visible, profile_->registered ? Mode::kHelper : Mode::kLease);
  AskForScopes();
}

void Tab::EndWorker() {
  if (worker == nullptr) return;
  const uint64_t serial = worker->serial();
  worker.reset();
  leases.clear();
  world_->network().Forget(serial);
  world_->FreeLocks(profile_, serial);
}

void Tab::Leave() {
  Data event = Data::MakeObject();
  window->Dispatch(event.Set("type", "leave"));
  ReleaseLeases();
}

void Tab::ReleaseLeases() {
  for (const auto& [name, epoch] : leases) {
    const Data lease = UnreadRelease(id, epoch, world_->Wall(*profile_)).Write();
    profile_->storage.Put("sync", name, lease);
    Data message = Data::MakeObject();
    message.Set("type", "lease").Set("name", name).Set("lease", lease).Set("outcome", "left");
    world_->Broadcast(*window, message);
  }
}

void Tab::ToWorker(const Data& message) {
  if (worker != nullptr) worker->Notify(message);
  if (!message["type"].Is("mutated")) return;
  Data wake = Data::MakeObject();
  world_->WakeService(
      profile_, wake.Set("type", "wake").Set("reason", "mutation").Set("online", profile_->online));
}

// A window that is shown reads again: another one may have ended before it could announce a change.
void Tab::Show(bool is_visible) {
  visible = is_visible;
  Data message = Data::MakeObject();
  ToWorker(message.Set("type", "visible").Set("visible", visible));
  if (!visible || frozen || !window->ready()) return;
  Data reread = Data::MakeObject();
  window->Dispatch(reread.Set("type", "timer").Set("name", "reread"));
}

void Tab::NotifyMode() {
  Data message = Data::MakeObject();
  ToWorker(message.Set("type", "service").Set("active", profile_->registered).Set("reason", ""));
}

void Tab::FromWorker(const Data& message) {
  const std::string& type = message["type"].as_string();
  if (type == "lease") {
    const std::string& name = message["name"].as_string();
    if (message["owner"].is_null()) {
      leases.erase(name);
    } else {
      leases[name] = message["epoch"].as_u64();
    }
    return;
  }
  if (type == "scopesFailed") AskForScopes();
  Data event = Data::MakeObject();
  window->Deliver(std::move(event.Set("type", "post").Set("message", message)));
}

}  // namespace skerry::sim
