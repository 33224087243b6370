// The nodes' releases, and their database as a whole: which schema a node serves, and the changes
// that its start makes. The newest schema that was ever deployed applies to all nodes
// (server/src/sql/newest-schema.ts).
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "test/core/model_check/check_schema.h"
#include "test/sim/network.h"
#include "test/sim/window_streams.h"
#include "test/sim/world.h"

namespace skerry::sim {

const Schema& Network::ServedBy(const Node& node) const {
  const Schema& own = SchemaOf(node.release);
  return database_.newest() == &own ? own : WidenedSchema();
}

bool Network::Takes(const Node& node, const Message& message) const {
  if (!world_->has_releases()) return true;
  const Schema& served = ServedBy(node);
  const auto version = static_cast<uint32_t>(message.body["schema"].as_u64());
  const Vector<uint32_t>& accepts = served.accepts();
  return version == served.version() ||
         std::find(accepts.begin(), accepts.end(), version) != accepts.end();
}

bool Network::IsServed(Release release) const {
  return database_.newest()->version() >= SchemaOf(release).version();
}

void Network::Start(const Node& node) {
  clock_ = std::max(clock_ + 1, std::floor(world_->mono()));
  const Schema* const before = database_.newest();
  const Vector<Database::Corrected> corrected = database_.Deploy(SchemaOf(node.release), clock_);
  if (database_.newest() == before) return;
  for (const Database::Corrected& entry : corrected) clock_ = std::max(clock_, entry.at);
  world_->checks().Deployed(database_, corrected);
}

void Network::Deploy(uint64_t which, Release release) {
  Node& node = nodes_[which % nodes_.size()];
  if (node.release == release) return;
  world_->Happened(Kind::kDeployNode);
  world_->TraceServer("deploy", which % nodes_.size(), release == Release::kNewer ? "new" : "old");
  // An open transaction commits before the deployment, or is rolled back, because it ran on this
  // node or notices the newer schema.
  if (open_ && which % 2 == 0) Commit();
  if (open_) RollBack(true);
  const bool ruled = IsServed(release);
  node = {release, false};
  Start(node);
  if (ruled) return;
  for (Node& other : nodes_) other.outdated = other.release != release;
}

void Network::EndDeployment() {
  for (Node& node : nodes_) node.outdated = false;
}

// ---- the database as a whole ----

void Network::Seed(const std::string& client, const Data& update) {
  Message message;
  message.is_push = true;
  message.author = Caller{Users()[0], given_.at(Users()[0])};
  Data updates = Data::MakeArray();
  updates.Push(update);
  message.body = Data::MakeObject();
  message.body.Set("client", client).Set("updates", std::move(updates));
  Begin(std::move(message), false, false);
  Commit();
}

void Network::BackUp() {
  world_->Happened(Kind::kBackUpServer);
  copy_ = Copy{database_, world_->checks().naive()};
}

// All nodes are stopped for it, as docs/server.md asks, so every socket closes. The clock is not set
// back, so that no new entry has the time of a lost one.
void Network::Restore() {
  if (!copy_) return;
  if (open_) RollBack(false);
  images_.Clear();
  const Database before = std::move(database_);
  database_ = copy_->database;
  if (before.actions().size() > database_.actions().size()) world_->Happened(Kind::kRestoreServer);
  world_->checks().ServerRestored(before, copy_->naive);
  for (const Node& node : nodes_) Start(node);
  pokes_.Disconnect({});
  for (Message& message : wire_) {
    message.is_from_lost_history = message.answer.has_value();
    for (auto& [realm, head] : message.heads)
      head = std::min(head, database_.heads().at(realm).head);
  }
}

void Network::MakeSnapshot(uint32_t which, uint32_t how) {
  if (database_.heads().empty()) return;
  auto realm = database_.heads().begin();
  std::advance(realm, which % database_.heads().size());
  const char* stream = how % 3 == 0 ? kStreamWithPrefix : kReducedStream;
  if (database_.FoldOf(realm->first, stream) != Fold::kWorks) return;
  const bool is_made = database_.MakeSnapshot(realm->first, stream, 1 + how % 2);
  if (!is_made) return;
  world_->Happened(Kind::kSnapshot);
  if (how % 5 < 2 && database_.ForgetActions(realm->first, stream))
    world_->Count("stream: actions are forgotten");
}

void Network::SetApart(uint32_t which, uint32_t how) {
  if (database_.heads().empty()) return;
  auto realm = database_.heads().begin();
  std::advance(realm, which % database_.heads().size());
  const char* stream = how % 3 == 0 ? kStreamWithPrefix : kReducedStream;
  static constexpr Fold kFolds[] = {Fold::kFails, Fold::kIsFull, Fold::kIsFull, Fold::kWorks};
  database_.SetFold(realm->first, stream, kFolds[how / 3 % 4]);
  world_->Happened(Kind::kSetApart);
}

// The retention period is as long as it happens to be: everything, or all but the last entries, are
// old. A transaction that holds the lock of the realm is waited for.
void Network::ForgetLog(uint32_t which, uint32_t how) {
  const Vector<std::string> realms(world_->realms().begin(), world_->realms().end());
  const std::string& realm = realms[which % realms.size()];
  const uint64_t head = database_.heads().at(realm).head, young = how % 4;
  if (open_ || head <= young) return;
  const Data& oldest = database_.log(realm)[head - young - 1];
  const double before = young > 0 ? oldest["at"].as_number() + 1 : clock_ + 1;
  const uint64_t gone = database_.Forget(realm, before);
  world_->checks().naive().Forget(realm, database_.heads().at(realm).floor);
  if (gone > 0) world_->Happened(Kind::kForgetLog);
}

}  // namespace skerry::sim
