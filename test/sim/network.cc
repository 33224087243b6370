#include "test/sim/network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kMaxTogether = 3;      // requests of one group commit
constexpr double kSoonMs = 3'000;         // the delay of a copy that comes soon
constexpr double kLongAfterMs = 600'000;  // the delay of a copy that comes late
constexpr uint32_t kSlowMs = 20'000;

Data Response(uint64_t id, double status, std::string body, std::string_view type) {
  Data event = Data::MakeObject();
  event.Set("type", "response").Set("id", id).Set("status", status).Set("contentType", type);
  return event.Set("body", Data::Bytes(std::move(body)));
}

Data Problem(uint64_t id, double status, std::string_view code) {
  Data body = Data::MakeObject();
  body.Set("code", code).Set("detail", "as the simulator wishes");
  return Response(id, status, WriteJson(body), "application/problem+json");
}

Data Unavailable(uint64_t id) { return Problem(id, 503, "unavailable"); }

}  // namespace

Data Ok(uint64_t id, std::string body) {
  return Response(id, 200, std::move(body), "application/json");
}

Data NoResponse(uint64_t id, std::string_view name) {
  Data error = Data::MakeObject();
  Data event = Data::MakeObject();
  event.Set("type", "response").Set("id", id);
  return event.Set("error", error.Set("name", name).Set("message", "as the simulator wishes"));
}

Network::Network(World* world, const PullLimits& answers, size_t nodes,
                 std::optional<uint64_t> large_rows)
    : world_(world),
      database_(world->has_releases() ? &ColumnsSchema() : &SchemaOf(Release::kOnly),
                world->realms()),
      pokes_(world),
      images_(large_rows.value_or(0)),
      has_images_(large_rows.has_value()),
      answers_(answers) {
  for (const std::string& user : Users()) {
    for (const std::string& realm : test::CheckRealms())
      given_[user][realm] = test::naive::May::kWrite;
  }
  for (size_t i = 0; i < nodes; ++i) nodes_.push_back({world->releases()[0], false});
  Start(nodes_[0]);
}

void Network::Send(WorkerHost& worker, const Data& effect) {
  ++requests_;
  Message message;
  message.worker = worker.serial();
  Profile& profile = worker.profile();
  message.profile = profile.index;
  message.id = effect["id"].as_u64();
  message.is_push = effect["path"].as_string() == "/push";
  if (effect["method"].as_string() == "GET") {
    message.path = effect["path"].as_string();
  } else {
    message.body = ParseJson(effect["body"].as_bytes()).value();
  }
  if (message.is_push) world_->checks().Sending(worker, message.body);
  message.token = effect["token"];
  message.heads = world_->checks().AnsweredHeads();
  message.deadline = world_->mono() + effect["timeoutMs"].as_number();
  world_->Trace(worker, "fetch", effect["path"].as_string());
  if (!profile.online) message.answer = NoResponse(message.id, "network");
  wire_.push_back(std::move(message));
}

// The server may still get the request: only its answer is dropped.
void Network::Abort(uint64_t worker, uint64_t id) {
  for (Message& message : wire_) {
    if (message.worker == worker && message.id == id) message.worker = 0;
  }
}

void Network::Forget(uint64_t worker) {
  pokes_.Forget(worker);
  for (Message& message : wire_) {
    if (message.worker == worker) message.worker = 0;
  }
}

void Network::Disconnect(size_t profile) {
  pokes_.Disconnect(profile);
  for (Message& message : wire_) {
    if (message.profile != profile || message.is_late_copy) continue;
    message.answer = NoResponse(message.id, "network");
    message.ready_at = 0;
  }
}

void Network::Reorder() {
  if (wire_.size() < 2) return;
  world_->Happened(Kind::kReorderRequests);
  std::reverse(wire_.begin(), wire_.end());
}

void Network::Heal() {
  armed_.clear();
  pokes_.Heal();
  for (Message& message : wire_) message.ready_at = 0;
}

bool Network::IsReady(const Message& message) const {
  if (message.ready_at > world_->mono()) return false;
  return message.answer || !(message.is_push || message.is_offer) || !open_;
}

size_t Network::steps() const {
  size_t count = (open_ ? 1 : 0) + pokes_.steps();
  for (const Message& message : wire_) count += IsReady(message) ? 1 : 0;
  return count;
}

double Network::next_time() const {
  double next = pokes_.next_time();
  for (const Message& message : wire_) {
    if (message.ready_at > world_->mono()) next = std::min(next, message.ready_at);
  }
  return next;
}

void Network::Step(size_t which) {
  if (open_) {
    if (which == 0) return Commit();
    --which;
  }
  if (which < pokes_.steps()) return pokes_.Step(which);
  which -= pokes_.steps();
  for (size_t i = 0; i < wire_.size(); ++i) {
    if (!IsReady(wire_[i]) || which-- > 0) continue;
    Message message = std::move(wire_[i]);
    wire_.erase(wire_.begin() + static_cast<ptrdiff_t>(i));
    if (message.answer) return Deliver(message);
    return Arrive(std::move(message));
  }
}

std::optional<Event> Network::TakeArmed(std::initializer_list<Kind> kinds) {
  for (size_t i = 0; i < armed_.size(); ++i) {
    for (const Kind kind : kinds) {
      if (armed_[i].kind != kind) continue;
      const Event event = armed_[i];
      armed_.erase(armed_.begin() + static_cast<ptrdiff_t>(i));
      return event;
    }
  }
  return std::nullopt;
}

bool Network::ApplyFault(Message* message) {
  if (message->is_late_copy) return false;
  if (const auto event = TakeArmed({Kind::kDelayRequest})) {
    world_->Happened(event->kind);
    message->ready_at = world_->mono() + static_cast<double>(event->b % kSlowMs);
    wire_.push_back(std::move(*message));
    return true;
  }
  if (const auto event = TakeArmed({Kind::kRepeatRequest})) {
    world_->Happened(event->kind);
    Message copy = *message;
    copy.worker = copy.window = 0;
    copy.is_late_copy = true;
    copy.ready_at = world_->mono() + (event->a % 2 == 0 ? kSoonMs : kLongAfterMs);
    wire_.push_back(std::move(copy));
    return false;
  }
  if (const auto event = TakeArmed({Kind::kLoseRequest, Kind::kHangRequest, Kind::kUnavailable})) {
    world_->Happened(event->kind);
    if (event->kind == Kind::kHangRequest) {
      TimeOut(std::move(*message));
      return true;
    }
    const uint64_t id = message->id;
    Reply(std::move(*message),
          event->kind == Kind::kUnavailable ? Unavailable(id) : NoResponse(id, "network"));
    return true;
  }
  return false;
}

void Network::TimeOut(Message message) {
  message.answer = NoResponse(message.id, "timeout");
  message.ready_at = message.deadline;
  wire_.push_back(std::move(message));
}

void Network::Reply(Message message, Data answer) {
  message.answer = std::move(answer);
  if (message.worker != 0 || message.window != 0) wire_.push_back(std::move(message));
}

void Network::Arrive(Message message) {
  if (ApplyFault(&message)) return;
  const uint64_t asked = message.id;
  if (!message.is_offer && !Accepts(message.token)) {
    world_->Count("token refused");
    return Reply(std::move(message), Problem(asked, 401, "unauthenticated"));
  }
  if (!message.path.empty()) return GiveState(std::move(message));
  if (!message.is_push && !message.is_offer && TakeArmed({Kind::kGone})) {
    world_->Happened(Kind::kGone);
    return Reply(std::move(message), Problem(asked, 410, "gone"));
  }
  node_ = static_cast<size_t>(world_->random().Below(nodes_.size()));
  if (nodes_[node_].outdated) {
    world_->Count("server: takes up the newer schema");
    nodes_[node_].outdated = false;
    return Reply(std::move(message), Unavailable(asked));
  }
  if (!Takes(nodes_[node_], message)) {
    world_->Count("server: older than its client");
    return Reply(std::move(message), Problem(asked, 409, "server-old"));
  }
  if (message.is_offer) return TakeBack(std::move(message));
  const size_t node = node_;
  world_->TraceServer(message.is_push ? "push" : "pull", node, WriteJson(message.body));
  if (message.is_push) {
    const bool lost = TakeArmed({Kind::kCutAfterCommit}).has_value();
    const bool dies = !lost && TakeArmed({Kind::kCutBeforeCommit}).has_value();
    return Begin(std::move(message), lost, dies);
  }
  clock_ = std::max(clock_ + 1, std::floor(world_->mono()));
  const uint64_t id = message.id;
  if (TakeArmed({Kind::kCutAfterCommit})) {
    world_->Happened(Kind::kCutAfterCommit);
    return Reply(std::move(message), NoResponse(id, "network"));
  }
  const Profile& profile = *world_->profiles()[message.profile];
  world_->checks().Pulling(profile, message.body);
  const Caller caller = CallerOf(message);
  Database::Pulled pulled =
      database_.PullText(ServedBy(nodes_[node_]), caller, message.body, answers_, clock_, images());
  for (const std::string& realm : pulled.owned)
    database_.user_rights().RecordOwner(realm, caller.user);
  if (pulled.text.empty()) {
    world_->Count("pull: too large");
    return Reply(std::move(message), Problem(id, 410, "gone"));
  }
  world_->checks().Answering(caller, message.body, pulled.text);
  Reply(std::move(message), Ok(id, std::move(pulled.text)));
}

void Network::GiveState(Message message) {
  const uint64_t id = message.id;
  std::string state;
  for (const auto& [realm, right] : database_.ReadableBy(CallerOf(message))) {
    const std::string below = "/streams/" + PercentEncode(realm) + "/";
    if (message.path.compare(0, below.size(), below) == 0) state = database_.StateAt(message.path);
  }
  world_->Count(state.empty() ? "stream: no such snapshot" : "stream: a snapshot is loaded");
  Data answer = state.empty() ? Problem(id, 404, "not_found") : Ok(id, std::move(state));
  Reply(std::move(message), std::move(answer));
}

// A node takes some of the waiting pushes into one transaction. Pushes to other nodes wait for its
// locks.
void Network::Begin(Message first, bool answers_lost, bool dies) {
  Transaction open;
  const auto any = static_cast<size_t>(world_->random().Below(nodes_.size()));
  open.node = world_->has_releases() ? node_ : any;
  open.served = &ServedBy(nodes_[open.node]);
  open.answers_lost = answers_lost;
  open.requests.push_back(std::move(first));
  const uint64_t most = 1 + world_->random().Below(kMaxTogether);
  for (size_t i = 0; i < wire_.size() && open.requests.size() < most;) {
    if (!wire_[i].is_push || wire_[i].answer || wire_[i].ready_at > world_->mono() ||
        !Takes(nodes_[open.node], wire_[i])) {
      ++i;
      continue;
    }
    open.requests.push_back(std::move(wire_[i]));
    wire_.erase(wire_.begin() + static_cast<ptrdiff_t>(i));
  }
  if (open.requests.size() > 1) world_->Count("server: group commit");
  clock_ = std::max(clock_ + 1, std::floor(world_->mono()));
  Vector<Database::Pushed> requests;
  for (const Message& message : open.requests) {
    open.authors.push_back(CallerOf(message));
    requests.push_back({message.body, open.authors.back()});
  }
  open.refused = database_.RefusedOf(requests);
  open.admitted =
      database_.AdmitAll(*open.served, requests, open.refused, clock_, world_->has_app_rule());
  const std::string results = WriteJson(open.admitted.done()["results"]);
  if (results.find("\"rule\"") != std::string::npos)
    world_->Count("server: refused by the rule of the application");
  if (!open.refused.items().empty()) world_->Count("stream: it takes no more actions");
  open_ = std::move(open);
  if (!dies) return;
  world_->Happened(Kind::kCutBeforeCommit);
  RollBack(false);
}

void Network::Commit() {
  Transaction open = std::move(*open_);
  open_.reset();
  const std::map<std::string, Database::Head> before = database_.heads();
  const auto readers = Readers();
  database_.Commit(*open.served, open.admitted, &versions_);
  const Data& done = open.admitted.done();
  world_->TraceServer("commit", open.node, "");
  for (size_t i = 0; i < open.requests.size(); ++i) {
    Message& message = open.requests[i];
    const Data& decided = done["results"].items()[i];
    world_->checks().Committed({message.body, open.authors[i], decided.items(),
                                done["at"].as_number(), message.heads, *open.served, open.refused});
    if (open.answers_lost) {
      world_->Happened(Kind::kCutAfterCommit);
      const uint64_t id = message.id;
      Reply(std::move(message), NoResponse(id, "network"));
      continue;
    }
    Data results = Data::MakeArray();
    for (const Data& result : decided.items()) {
      world_->Count("push: " + result["status"].as_string());
      results.Push(result);
    }
    Data body = Data::MakeObject();
    body.Set("time", clock_).Set("results", std::move(results));
    const uint64_t id = message.id;
    Reply(std::move(message), Ok(id, WriteJson(body)));
  }
  world_->checks().CommittedAll(database_);
  std::map<std::string, uint64_t> moved;
  for (const auto& [realm, head] : database_.heads()) {
    if (head.head > before.at(realm).head) moved[realm] = head.head;
  }
  Vector<std::string> authors;
  for (const Message& message : open.requests)
    authors.push_back(message.body["client"].as_string());
  const auto now = Readers();
  for (const std::string& user : Users()) {
    if (readers.at(user) != now.at(user)) pokes_.Regranted(user);
  }
  pokes_.Committed(moved, authors, now);
}

void Network::RollBack(bool answered) {
  Transaction open = std::move(*open_);
  open_.reset();
  world_->TraceServer("rollback", open.node, "");
  for (Message& message : open.requests) {
    const uint64_t id = message.id;
    Reply(std::move(message), answered ? Unavailable(id) : NoResponse(id, "network"));
  }
}

void Network::RestartNode(uint64_t which) {
  if (!open_) return;
  world_->Happened(Kind::kRestartNode);
  RollBack(which % 2 == 0);
}

std::string Network::Peek(const Profile& profile, const Data& request) const {
  const Caller caller = CallerOf(profile);
  return database_.PullText(ServedBy(nodes_[node_]), caller, request, answers_, clock_, images())
      .text;
}

void Network::Deliver(const Message& message) {
  if (message.window != 0) return DeliverOffers(message);
  WorkerHost* worker = world_->FindWorker(message.worker);
  if (worker == nullptr) return;
  const Data& answer = *message.answer;
  const bool heard = answer["status"].as_number() == 200;
  if (heard && !message.is_push && answer["body"].as_bytes().find("\"reset\"") != std::string::npos)
    CountReset(message);
  if (heard && !message.is_push &&
      answer["body"].as_bytes().find("\"refill\"") != std::string::npos)
    world_->Count("pull: refill");
  if (heard && message.is_push && !message.is_from_lost_history)
    world_->checks().Answered(answer["body"].as_bytes());
  world_->Trace(*worker, "response", heard ? answer["body"].as_bytes() : std::string("none"));
  worker->Deliver(answer);
}

}  // namespace skerry::sim
