#include "authority/pull_streams.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "log/stream_name.h"

namespace skerry {
namespace {

bool Touches(const wire::LoadedEntry& entry, const std::string& pattern) {
  return std::any_of(entry.streams.begin(), entry.streams.end(),
                     [&](const std::string& stream) { return MatchesStream(pattern, stream); });
}

// Of one stream, at one revision.
struct FoundActions {
  Map<uint64_t, std::string> actions;  // JSON, by position
  std::optional<wire::Snapshot> snapshot;
};

// There may be thousands of actions: each is passed on as text.
Data ActionList(const Map<uint64_t, std::string>& actions) {
  std::string text = "[";
  for (const auto& [position, action] : actions) {
    if (text.size() > 1) text.push_back(',');
    text += action;
  }
  text.push_back(']');
  return Data::Json(std::move(text));
}

}  // namespace

std::optional<uint64_t> PullStreams::FilledOf(const StreamScope& scope,
                                              const std::string& realm) const {
  const bool is_reset = std::find(io_->answer.reset.begin(), io_->answer.reset.end(), realm) !=
                        io_->answer.reset.end();
  const auto filled = scope.filled.find(realm);
  if (is_reset || filled == scope.filled.end()) return std::nullopt;
  return filled->second;
}

// The entries of the range say which streams they touched. What lies below it has to be read.
bool PullStreams::HasActions(const PullRange& realm, const std::string& pattern, uint64_t filled) {
  if (realm.mode != RealmMode::kRange || filled < realm.from.revision) return true;
  for (auto entry = realm.entries.upper_bound(filled);
       entry != realm.entries.end() && entry->first <= realm.to; ++entry) {
    if (Touches(entry->second, pattern)) return true;
  }
  return false;
}

bool PullStreams::AskForStreams() {
  if (!io_->request.streams.empty()) io_->answer.streams_filled.emplace();
  for (const StreamScope& scope : io_->request.streams)
    io_->answer.streams_filled->push_back({scope.pattern, {}, {}});
  for (size_t i = 0; i < io_->request.streams.size(); ++i) {
    const StreamScope& scope = io_->request.streams[i];
    for (const auto& [name, realm] : ranges_->all()) {
      if (realm.mode == RealmMode::kImage) continue;
      const std::optional<uint64_t> filled = FilledOf(scope, name);
      if (filled.value_or(0) >= realm.to ||
          (filled && !HasActions(realm, scope.pattern, *filled))) {
        (*io_->answer.streams_filled)[i].filled[name] = realm.to;
      } else if (io_->needs.streams.size() < kMaxStreamReads) {
        const uint64_t last = filled ? 0 : scope.last;
        io_->needs.streams.push_back({i, name, filled.value_or(0), realm.to, last});
      } else {
        has_more_ = true;
      }
    }
  }
  asked_ = io_->needs.streams;
  actions_.resize(asked_.size());
  return !io_->needs.streams.empty();
}

void PullStreams::LoadActions(size_t place, wire::LoadedStream actions) {
  if (place < actions_.size()) actions_[place] = std::move(actions);
}

// Returns whether the stream is filled as far as was asked for.
bool PullStreams::AddFilled(const PullNeeds::Streams& asked, const wire::LoadedStream& read) {
  const bool is_cut = read.more && !read.actions.empty();
  wire::StreamFilled& said = (*io_->answer.streams_filled)[asked.scope];
  uint64_t& filled = said.filled[asked.realm];
  filled = read.upto.value_or(asked.upto);
  if (asked.last == 0) {
    if (is_cut) filled = read.actions.back().revision;
  } else if (is_cut) {
    said.from[asked.realm] = read.actions.front().revision - 1;
  } else if (read.floor > 0) {
    said.from[asked.realm] = read.floor;
  }
  return filled >= asked.upto;
}

// The client has its own updates of `have`, and folds them itself.
Set<std::pair<std::string, uint64_t>> PullStreams::OwnEntries() const {
  Set<std::pair<std::string, uint64_t>> own;
  for (const auto& [update, by_realm] : io_->answer.own) {
    if (!io_->request.have.contains(update)) continue;
    for (const auto& [realm, place] : by_realm) own.insert({realm, place.revision});
  }
  return own;
}

void PullStreams::WriteStreams() {
  const Set<std::pair<std::string, uint64_t>> own = OwnEntries();
  // By realm, revision and stream. What two scopes have is sent once.
  Map<std::tuple<std::string, uint64_t, std::string>, FoundActions> found;
  for (size_t i = 0; i < asked_.size(); ++i) {
    const PullNeeds::Streams& asked = asked_[i];
    if (!actions_[i]) {
      has_more_ = true;
      continue;
    }
    wire::LoadedStream& read = *actions_[i];
    if (!AddFilled(asked, read)) has_more_ = true;
    for (wire::LoadedStreamAction& action : read.actions) {
      if (own.contains({asked.realm, action.revision})) continue;
      found[{asked.realm, action.revision, action.stream}].actions[action.position] =
          std::move(action.action);
    }
    for (auto& [stream, snapshot] : read.snapshots) {
      auto& kept = found[{asked.realm, snapshot.revision, stream}].snapshot;
      if (!kept.has_value()) kept = std::move(snapshot);
    }
  }
  for (auto& [place, content] : found) {
    const auto& [realm, revision, stream] = place;
    io_->answer.streams.push_back(
        {realm, stream, revision, ActionList(content.actions), std::move(content.snapshot)});
  }
  io_->answer.more = io_->answer.more || has_more_;
}

}  // namespace skerry
