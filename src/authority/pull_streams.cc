// Pull: the actions of streams. A stream has a position of its own in each realm: all actions above
// it and up to the answer's cursor are sent, in ascending order, as far as there is room.
#include <algorithm>
#include <tuple>
#include <utility>

#include "authority/pull.h"
#include "base/limits.h"
#include "log/stream_name.h"

namespace skerry {
namespace {

bool Touches(const PulledEntry& entry, const std::string& pattern) {
  return std::any_of(entry.streams.begin(), entry.streams.end(),
                     [&](const std::string& stream) { return MatchesStream(pattern, stream); });
}

}  // namespace

std::optional<uint64_t> Pull::FilledOf(const StreamScope& scope, const std::string& realm) const {
  const bool is_reset =
      std::find(answer_.reset.begin(), answer_.reset.end(), realm) != answer_.reset.end();
  const auto filled = scope.filled.find(realm);
  if (is_reset || filled == scope.filled.end()) return std::nullopt;
  return filled->second;
}

// The entries of the range say which streams they touched. What lies below it has to be read.
bool Pull::HasActions(const Realm& realm, const std::string& pattern, uint64_t filled) const {
  if (realm.mode != Mode::kRange || filled < realm.from.revision) return true;
  for (auto entry = realm.entries.upper_bound(filled);
       entry != realm.entries.end() && entry->first <= realm.to; ++entry) {
    if (Touches(entry->second, pattern)) return true;
  }
  return false;
}

bool Pull::AskForStreams() {
  for (size_t i = 0; i < request_.streams.size(); ++i) {
    const StreamScope& scope = request_.streams[i];
    for (const auto& [name, realm] : realms_) {
      if (realm.mode == Mode::kImage) continue;
      const std::optional<uint64_t> filled = FilledOf(scope, name);
      if (filled.value_or(0) >= realm.to ||
          (filled && !HasActions(realm, scope.pattern, *filled))) {
        answer_.streams_filled.push_back({i, name, realm.to, {}});
      } else if (needs_.streams.size() < kMaxStreamReads) {
        const uint64_t last = filled ? 0 : scope.last;
        needs_.streams.push_back({i, name, filled.value_or(0), realm.to, last});
      } else {
        has_more_actions_ = true;
      }
    }
  }
  asked_streams_ = needs_.streams;
  actions_.resize(asked_streams_.size());
  return !needs_.streams.empty();
}

void Pull::LoadActions(size_t place, PulledActions actions) {
  if (place < actions_.size()) actions_[place] = std::move(actions);
}

// The client has its own updates of `have`, and folds them itself.
Set<std::pair<std::string, uint64_t>> Pull::OwnEntries() const {
  Set<std::pair<std::string, uint64_t>> own;
  for (const auto& [update, by_realm] : answer_.own) {
    if (!request_.have.contains(update)) continue;
    for (const auto& [realm, place] : by_realm) own.insert({realm, place.revision});
  }
  return own;
}

void Pull::WriteStreams() {
  const Set<std::pair<std::string, uint64_t>> own = OwnEntries();
  // By realm, revision, stream and position: an action that two scopes have is sent once.
  Map<std::tuple<std::string, uint64_t, std::string, uint64_t>, std::string> found;
  for (size_t i = 0; i < asked_streams_.size(); ++i) {
    const PullNeeds::Streams& asked = asked_streams_[i];
    if (!actions_[i]) {
      has_more_actions_ = true;
      continue;
    }
    PulledActions& read = *actions_[i];
    const bool is_cut = read.has_more && !read.actions.empty();
    PullStreamFilled filled{asked.scope, asked.realm, asked.upto, {}};
    if (is_cut && asked.last == 0) {
      filled.filled = read.actions.back().revision;
      has_more_actions_ = true;
    }
    if (is_cut && asked.last > 0) filled.from = read.actions.front().revision - 1;
    for (PulledAction& action : read.actions) {
      if (own.contains({asked.realm, action.revision})) continue;
      found[{asked.realm, action.revision, action.stream, action.position}] =
          std::move(action.json);
    }
    answer_.streams_filled.push_back(std::move(filled));
  }
  for (auto& [place, json] : found) {
    const auto& [realm, revision, stream, position] = place;
    const bool is_next = !answer_.streams.empty() && answer_.streams.back().realm == realm &&
                         answer_.streams.back().revision == revision &&
                         answer_.streams.back().stream == stream;
    if (!is_next) answer_.streams.push_back({realm, stream, revision, {}});
    answer_.streams.back().actions.push_back(std::move(json));
  }
  answer_.has_more = answer_.has_more || has_more_actions_;
}

}  // namespace skerry
