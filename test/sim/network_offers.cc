// What windows give back to a restored server (docs/design.md, "Another history"). Their requests go through a worker, which
// adds nothing but the token; here they go by themselves.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "test/sim/app_rule.h"
#include "test/sim/network.h"
#include "test/sim/world.h"

namespace skerry::sim {

void Network::SendOffer(WindowHost& window, const Data& effect) {
  ++requests_;
  Message message;
  message.window = window.serial();
  message.is_push = effect["path"].Is("/push");
  message.is_offer = !message.is_push;
  Profile& profile = window.profile();
  message.profile = profile.index;
  message.body = ParseJson(effect["request"].as_string()).value();
  message.heads = world_->checks().AnsweredHeads();
  message.deadline = world_->mono() + 60'000;
  world_->Trace(window, message.is_push ? "appends again" : "offer",
                message.body["realm"].as_string());
  if (!profile.online) message.answer = NoResponse(0, "network");
  wire_.push_back(std::move(message));
}

void Network::TakeBack(Message message) {
  const Profile& profile = *world_->profiles()[message.profile];
  const Caller caller = CallerOf(profile);
  clock_ = std::max(clock_ + 1, std::floor(world_->mono()));
  test::MemoryDatabase::Offers offers;
  offers.body = message.body;
  offers.user = caller.user;
  offers.client = offers.update = "offer " + std::to_string(clock_);
  offers.rights = GrantsToData(caller);
  offers.now = clock_;
  if (world_->has_app_rule()) offers.rules = AnswerByAppRule;
  const Schema& served = ServedBy(nodes_[node_]);
  if (!database_.HasAll(message.body["realm"].as_string(), message.body["given"])) {
    world_->Count("another history: restored between two offers");
    return Reply(std::move(message), NoResponse(0, "busy"));
  }
  const std::map<std::string, Database::Head> before = database_.heads();
  const test::MemoryDatabase::OffersTaken taken = database_.TakeBack(served, offers);
  const Data& told = taken.done["offers"];
  world_->TraceServer("offers", node_, WriteJson(message.body) + " -> " + WriteJson(told));
  if (told.is_object()) {
    if (told["taken"].as_u64() > 0) world_->Count("another history: rows are taken back");
    if (!told["refused"].items().empty()) world_->Count("another history: rows are refused");
    world_->checks().TakenBack({message.body, caller, taken.common, taken.done, served});
    world_->checks().CommittedAll(database_);
  }
  Data answer = told.is_object() ? told : Data::MakeObject();
  answer.Set("time", clock_).Set("common", taken.common);
  for (const Data& entry : taken.done["touched"].items()) {
    if (entry["realm"] == message.body["realm"])
      answer.Set("revision", entry["revision"]).Set("at", taken.done["at"]);
  }
  if (const std::string head = database_.HeadCursor(message.body["realm"].as_string());
      !head.empty())
    answer.Set("head", head);
  if (told.is_null()) answer.Set("nothing", "history_lost");
  if (told["forbidden"].as_bool()) answer.Set("nothing", "forbidden");
  const bool is_lost = TakeArmed({Kind::kCutAfterCommit}).has_value();
  if (is_lost) world_->Happened(Kind::kCutAfterCommit);
  Reply(std::move(message), is_lost ? NoResponse(0, "network") : Ok(0, WriteJson(answer)));
  std::map<std::string, uint64_t> moved;
  for (const auto& [realm, head] : database_.heads()) {
    if (head.head > before.at(realm).head) moved[realm] = head.head;
  }
  pokes_.Committed(moved, {}, Readers());
}

void Network::CountReset(const Message& pull) {
  world_->Count("pull: reset");
  const Data answer = ParseJson((*pull.answer)["body"].as_bytes()).value();
  for (const auto& [realm, given] : pull.body["given"].members()) {
    if (test::ContainsString(answer["reset"], realm))
      world_->Count("another history: given back again after a second restore");
  }
}

void Network::DeliverOffers(const Message& message) {
  WindowHost* window = world_->FindWindow(message.window);
  if (window == nullptr) return;
  const Data& answer = *message.answer;
  Data event = Data::MakeObject();
  event.Set("type", "offered");
  if (answer["status"].as_number() == 200) {
    event.Set("answer", ParseJson(answer["body"].as_bytes()).value());
  } else {
    event.Set("code", "network");
  }
  window->Deliver(std::move(event));
}

}  // namespace skerry::sim
