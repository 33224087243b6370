// The streams of a MemoryDatabase: what is read of them, and snapshots in the place of actions.
#include <algorithm>
#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "base/text.h"
#include "log/stream_name.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {

Data StateOf(uint64_t version, const Vector<std::string>& actions) {
  Data ids = Data::MakeArray();
  for (const std::string& id : actions) ids.Push(id);
  return Fields{{"version", version}, {"actions", std::move(ids)}};
}

Vector<std::string> ActionsOfState(const Data& state) {
  Vector<std::string> actions;
  for (const Data& id : state["actions"].items()) actions.push_back(id.as_string());
  return actions;
}

const Snapshot* MemoryDatabase::LastSnapshot(const std::string& realm, const std::string& stream,
                                             uint64_t version) const {
  const auto found = snapshots_.find({realm, stream});
  if (found == snapshots_.end()) return nullptr;
  const Snapshot* last = nullptr;
  for (const Snapshot& one : found->second) {
    if (one.version > version) continue;
    if (last == nullptr ||
        std::pair(one.version, one.revision) > std::pair(last->version, last->revision))
      last = &one;
  }
  return last;
}

bool MemoryDatabase::MakeSnapshot(const std::string& realm, const std::string& stream,
                                  uint64_t version) {
  Snapshot made;
  made.version = version;
  // A later version takes over the state of an earlier one.
  if (const Snapshot* last = LastSnapshot(realm, stream, version); last != nullptr) {
    made.revision = last->revision;
    made.actions = last->actions;
  }
  if (made.revision < FloorOf(realm, stream)) return false;
  const size_t before = made.actions.size();
  for (const Data& append : appends_.at(realm)) {
    if (append["stream"].as_string() != stream) continue;
    if (append["revision"].as_u64() <= made.revision) continue;
    made.actions.push_back(append["id"].as_string());
  }
  if (made.actions.size() == before) return false;
  for (const Data& append : appends_.at(realm)) {
    if (append["stream"].as_string() == stream) made.revision = append["revision"].as_u64();
  }
  snapshots_[{realm, stream}].push_back(std::move(made));
  return true;
}

bool MemoryDatabase::ForgetActions(const std::string& realm, const std::string& stream) {
  const Snapshot* last = LastSnapshot(realm, stream, ~uint64_t{0});
  if (last == nullptr || last->revision <= FloorOf(realm, stream)) return false;
  stream_floors_[{realm, stream}] = last->revision;
  erase_if(appends_.at(realm), [&](const Data& append) {
    return append["stream"].as_string() == stream && append["revision"].as_u64() <= last->revision;
  });
  return true;
}

uint64_t MemoryDatabase::FloorOf(const std::string& realm, const std::string& stream) const {
  const auto found = stream_floors_.find({realm, stream});
  return found == stream_floors_.end() ? 0 : found->second;
}

std::string MemoryDatabase::StateAt(const std::string& path) const {
  for (const auto& [place, snapshots] : snapshots_) {
    for (const Snapshot& one : snapshots) {
      const std::string at = "/streams/" + PercentEncode(place.first) + "/" +
                             PercentEncode(place.second) + "/" + std::to_string(one.version) + "/" +
                             std::to_string(one.revision) + "/" + kSnapshotHash;
      if (path == at) return WriteJson(StateOf(one.version, one.actions));
    }
  }
  return {};
}

// As the server's SQL has it (server/src/stream/snapshots.ts).
Data MemoryDatabase::SnapshotFor(const Data& need, const std::string& stream, size_t saves) const {
  const std::string& realm = need["realm"].as_string();
  const uint64_t from = need["from"].as_u64();
  const uint64_t floor = FloorOf(realm, stream);
  const auto found = snapshots_.find({realm, stream});
  if (found == snapshots_.end()) return {};
  const uint64_t version = need["version"].as_u64();
  const auto is_usable = [&](const Snapshot& one) {
    return one.version == version || (need["migrates"].as_bool() && one.version < version);
  };
  const Snapshot* best = nullptr;
  for (const Snapshot& one : found->second) {
    if (one.revision > need["upto"].as_u64() || one.revision <= from || one.revision < floor)
      continue;
    // The last one that the client can use; or else the first, which takes the place of least.
    const auto rank = [&](const Snapshot& of) {
      const bool usable = is_usable(of);
      return std::tuple(usable, usable ? of.version : 0, usable ? of.revision : ~of.revision);
    };
    if (best == nullptr || rank(one) > rank(*best)) best = &one;
  }
  if (best == nullptr) return {};
  size_t saved = 0;
  for (const Data& append : appends_.at(realm)) {
    const uint64_t revision = append["revision"].as_u64();
    if (append["stream"].as_string() == stream && revision > from && revision <= best->revision)
      ++saved;
  }
  const bool is_exact = need["stream"].as_string() == stream;
  if (floor <= from && !(is_exact && is_usable(*best) && saved >= saves)) return {};
  return Fields{{"stream", stream},
                {"version", best->version},
                {"revision", best->revision},
                {"hash", kSnapshotHash}};
}

// Whole entries: as many as hold `most` actions, and at least one.
Data MemoryDatabase::ReadStream(const Data& need, const Reads& reads) const {
  const std::string& realm = need["realm"].as_string();
  const std::string& pattern = need["stream"].as_string();
  const bool is_last = !need["last"].is_null();
  uint64_t from = need["from"].as_u64();
  Data found = Data::MakeObject();
  Vector<std::pair<uint64_t, Data>> snapshots;  // with their floors
  for (const auto& [place, of] : snapshots_) {
    if (is_last || place.first != realm || !MatchesStream(pattern, place.second)) continue;
    Data snapshot = SnapshotFor(need, place.second, reads.snapshot_saves);
    if (snapshot.is_null() && FloorOf(realm, place.second) > need["from"].as_u64()) {
      return Fields{
          {"actions", Data::MakeArray()}, {"snapshots", Data::MakeArray()}, {"upto", need["from"]}};
    }
    if (snapshot.is_null()) continue;
    if (pattern == place.second) from = snapshot["revision"].as_u64();
    snapshots.emplace_back(FloorOf(realm, place.second), std::move(snapshot));
  }
  Vector<Vector<Data>> entries;
  for (const Data& append : appends_.at(realm)) {
    const uint64_t revision = append["revision"].as_u64();
    if (revision <= from || revision > need["upto"].as_u64()) continue;
    if (!MatchesStream(pattern, append["stream"].as_string())) continue;
    if (entries.empty() || !(entries.back()[0]["revision"] == append["revision"]))
      entries.emplace_back();
    Data action = Data::MakeObject();
    for (const char* member : {"id", "name", "arg", "at", "madeAt", "author"})
      action.Set(member, append[member]);
    entries.back().push_back(Fields{{"stream", append["stream"]},
                                    {"revision", append["revision"]},
                                    {"position", append["position"]},
                                    {"action", WriteJson(action)}});
  }
  size_t most = reads.most_actions;
  if (is_last) most = std::min<size_t>(most, need["last"].as_u64());
  if (is_last) std::reverse(entries.begin(), entries.end());
  Vector<Vector<Data>> taken;
  size_t count = 0;
  for (const Vector<Data>& entry : entries) {
    if (!taken.empty() && (is_last ? count >= most : count + entry.size() > most)) break;
    taken.push_back(entry);
    count += entry.size();
  }
  if (is_last) std::reverse(taken.begin(), taken.end());
  Data actions = Data::MakeArray();
  for (const Vector<Data>& entry : taken) {
    for (const Data& action : entry) actions.Push(action);
  }
  const bool has_more = taken.size() < entries.size();
  const uint64_t end =
      has_more && !is_last ? actions.items().back()["revision"].as_u64() : ~uint64_t{0};
  Data told = Data::MakeArray();
  for (auto& [floor, snapshot] : snapshots) {
    if (floor <= end) told.Push(std::move(snapshot));
  }
  found.Set("actions", std::move(actions)).Set("more", has_more).Set("snapshots", std::move(told));
  if (is_last) found.Set("floor", FloorOf(realm, pattern));
  return found;
}

}  // namespace skerry::test
