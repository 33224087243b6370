#include "test/sim/pokes.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/json.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr double kAbnormal = 1006;
constexpr double kUnauthenticated = 4401;

}  // namespace

void Pokes::Notify(uint64_t worker, std::string_view state, const Data& more, double delay_ms) {
  Data event = Data::MakeObject();
  event.Set("type", "socket").Set("state", state);
  for (const auto& [name, value] : more.members()) event.Set(name, value);
  events_.push_back({worker, std::move(event), world_->mono() + delay_ms});
}

void Pokes::Close(uint64_t worker, double code) {
  lines_.erase(worker);
  Data more = Data::MakeObject();
  Notify(worker, "closed", more.Set("code", code), 0);
}

void Pokes::Socket(WorkerHost* worker, const Data& effect) {
  const std::string& action = effect["action"].as_string();
  const uint64_t serial = worker->serial();
  if (action == "send") {
    const auto line = lines_.find(serial);
    if (line == lines_.end() || line->second.silent) return;
    Data hello = ParseJson(effect["text"].as_string()).value();
    events_.push_back({serial, std::move(hello), world_->mono() + std::exchange(delay_ms_, 0)});
    return;
  }
  Forget(serial);
  if (action == "close") return;
  world_->checks().Listening(*worker);
  lines_[serial] = {worker->profile().index, worker->profile().user, {}};
  if (!worker->profile().online) return Close(serial, kAbnormal);
  Notify(serial, "open", Data::MakeObject(), 0);
}

// The server takes its time with a hello: it checks the token, the filters and the rights.
void Pokes::Greet(uint64_t worker, const Data& hello) {
  const auto line = lines_.find(worker);
  if (line == lines_.end()) return;
  if (!world_->network().Accepts(hello["token"])) return Close(worker, kUnauthenticated);
  line->second.client = hello["client"].as_string();
  Say(worker, R"({"type":"ready","features":["ping"]})");
}

void Pokes::Say(uint64_t worker, const char* text) {
  Data more = Data::MakeObject();
  Notify(worker, "message", more.Set("text", text), 0);
}

void Pokes::Forget(uint64_t worker) {
  lines_.erase(worker);
  erase_if(events_, [&](const Event& event) { return event.worker == worker; });
}

void Pokes::Disconnect(std::optional<size_t> profile) {
  Vector<uint64_t> closed;
  for (const auto& [worker, line] : lines_) {
    if (!profile || line.profile == *profile) closed.push_back(worker);
  }
  for (const uint64_t worker : closed) {
    Forget(worker);
    Close(worker, kAbnormal);
  }
}

void Pokes::CloseOne(uint32_t which) {
  if (lines_.empty()) return;
  auto line = lines_.begin();
  std::advance(line, which % lines_.size());
  if (line->second.silent) return;
  world_->Happened(Kind::kCloseSocket);
  Close(line->first, kAbnormal);
}

void Pokes::SilenceOne(uint32_t which) {
  if (lines_.empty()) return;
  auto line = lines_.begin();
  std::advance(line, which % lines_.size());
  world_->Happened(Kind::kSilenceSocket);
  line->second.silent = true;
  erase_if(events_, [&](const Event& event) { return event.worker == line->first; });
}

void Pokes::Poke(uint64_t worker, const std::string& realm, uint64_t revision) {
  if (to_lose_ > 0) {
    --to_lose_;
    world_->Happened(Kind::kLosePoke);
    return;
  }
  if (delay_ms_ > 0) world_->Happened(Kind::kDelayPoke);
  Data poke = Data::MakeObject();
  poke.Set("type", "poke").Set("realm", realm).Set("revision", revision);
  poke.Set("tables", Data::MakeArray()).Set("streams", Data::MakeArray());
  Data more = Data::MakeObject();
  Notify(worker, "message", more.Set("text", WriteJson(poke)), std::exchange(delay_ms_, 0));
  world_->Count("poke");
}

void Pokes::Regranted(const std::string& user) {
  for (const auto& [worker, line] : lines_) {
    if (line.user == user && !line.client.empty() && !line.silent) Poke(worker, "user:" + user, 0);
  }
}

void Pokes::Committed(const std::map<std::string, uint64_t>& moved,
                      const Vector<std::string>& authors,
                      const std::map<std::string, test::naive::Names>& readers) {
  for (const auto& [worker, line] : lines_) {
    const bool is_author = std::find(authors.begin(), authors.end(), line.client) != authors.end();
    if (line.client.empty() || line.silent || is_author) continue;
    for (const auto& [realm, revision] : moved) {
      if (readers.at(line.user).contains(realm)) Poke(worker, realm, revision);
    }
  }
}

void Pokes::Heal() {
  to_lose_ = 0;
  delay_ms_ = 0;
}

bool Pokes::has_silent() const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [](const auto& line) { return line.second.silent; });
}

size_t Pokes::steps() const {
  size_t count = 0;
  for (const Event& event : events_) count += event.ready_at <= world_->mono() ? 1 : 0;
  return count;
}

void Pokes::Step(size_t which) {
  for (size_t i = 0; i < events_.size(); ++i) {
    if (events_[i].ready_at > world_->mono() || which-- > 0) continue;
    const Event event = std::move(events_[i]);
    events_.erase(events_.begin() + static_cast<ptrdiff_t>(i));
    if (event.event["type"].Is("hello")) return Greet(event.worker, event.event);
    if (event.event["type"].Is("ping")) return Say(event.worker, R"({"type":"pong"})");
    WorkerHost* worker = world_->FindWorker(event.worker);
    if (worker == nullptr) return;
    world_->Trace(*worker, "socket", event.event["state"].as_string());
    return worker->Deliver(event.event);
  }
}

double Pokes::next_time() const {
  double next = std::numeric_limits<double>::infinity();
  for (const Event& event : events_) {
    if (event.ready_at > world_->mono()) next = std::min(next, event.ready_at);
  }
  return next;
}

}  // namespace skerry::sim
