// PullSession: streams.
#include <utility>

#include "authority/pull_json.h"
#include "base/vector.h"

namespace skerry {

void PullSession::LoadStreams(Vector<std::optional<wire::LoadedStream>> streams) {
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i]) pull_.streams().LoadActions(i, std::move(*streams[i]));
  }
}

Vector<wire::StreamNeed> PullSession::StreamNeeds() const {
  Vector<wire::StreamNeed> streams;
  for (const PullNeeds::Streams& item : pull_.needs().streams) {
    const StreamScope& scope = pull_.request().streams[item.scope];
    wire::StreamNeed& need = streams.emplace_back();
    need.realm = item.realm;
    need.stream = scope.pattern;
    need.version = scope.version;
    need.migrates = scope.migrates;
    need.from = item.from;
    need.upto = item.upto;
    if (item.last > 0) need.last = item.last;
  }
  return streams;
}

}  // namespace skerry
