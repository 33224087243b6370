// The nodes' releases: which schema each serves, and what its start does. The newest that the
// database was served with rules all nodes (server/src/sql/newest-schema.ts).
#include <algorithm>
#include <cmath>

#include "test/sim/network.h"
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
  // What had begun is finished, or was on this node, or finds that a newer schema rules.
  if (open_ && which % 2 == 0) Commit();
  if (open_) RollBack(true);
  const bool ruled = IsServed(release);
  node = {release, false};
  Start(node);
  if (ruled) return;
  for (Node& other : nodes_) other.outdated = other.release != release;
}

}  // namespace skerry::sim
