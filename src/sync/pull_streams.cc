// The streams of a pull: what is asked for, what the answer has, and the transaction that stores it.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "base/vector.h"
#include "log/stream_name.h"
#include "log/stream_record.h"
#include "log/wire.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "sync/streams.h"

namespace skerry {
namespace {

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

Status WrongStreams() {
  return {Code::kInvalidArgument, "The server's answer has a wrong `streams`."};
}

Status ReadAction(Data data, ActionPlace place, StreamAction* action) {
  wire::SentAction sent;
  if (ReadStrictly(std::move(data), &sent).found()) return WrongStreams();
  action->place = place;
  action->id = std::move(sent.id);
  action->name = std::move(sent.name);
  action->at = sent.at;
  action->made_at = sent.made_at;
  action->author = std::move(sent.author);
  WriteJson(sent.arg, &action->arg);
  return Status::Ok();
}

// A hash is of hexadecimal digits: it becomes a part of a URL.
bool IsOf(const wire::StreamEntry& entry, const wire::Snapshot& snapshot) {
  return snapshot.revision == entry.revision &&
         std::all_of(snapshot.hash.begin(), snapshot.hash.end(), IsHex);
}

}  // namespace

Vector<wire::PulledStream> StreamsOfRequest(const SyncRecord& sync) {
  Vector<wire::PulledStream> list;
  for (const SyncStream& stream : sync.streams.value_or(Vector<SyncStream>())) {
    wire::PulledStream& item = list.emplace_back();
    item.stream = stream.stream;
    for (const auto& [realm, cursor] : sync.cursors) {
      const std::optional<uint64_t> revision = FilledIn(stream, sync.cursors, realm);
      if (revision.has_value()) item.filled[realm] = *revision;
    }
    item.last = stream.last;
    item.version = stream.reducer;
    if (stream.migrates.value_or(false)) item.migrates = true;
  }
  return list;
}

std::string SnapshotPath(const AnsweredActions& item) {
  const wire::Snapshot& snapshot = *item.snapshot;
  std::string path = "/streams/" + PercentEncode(item.realm) + "/" + PercentEncode(item.stream);
  path += "/" + std::to_string(snapshot.version) + "/" + std::to_string(snapshot.revision);
  return path + "/" + snapshot.hash;
}

Status ReadStreams(PullAnswer* answer) {
  for (wire::StreamEntry& entry : answer->streams) {
    if (!CheckStreamName(entry.stream).ok()) return WrongStreams();
    AnsweredActions& read = answer->actions.emplace_back();
    if (!entry.actions.is_array()) entry.actions = Data::MakeArray();
    for (Data& action : entry.actions.mutable_items()) {
      const ActionPlace place{entry.revision, read.actions.size()};
      SKERRY_RETURN_IF_ERROR(ReadAction(std::move(action), place, &read.actions.emplace_back()));
    }
    if (entry.snapshot.has_value() && !IsOf(entry, *entry.snapshot)) return WrongStreams();
    read.realm = std::move(entry.realm);
    read.stream = std::move(entry.stream);
    read.snapshot = std::move(entry.snapshot);
  }
  answer->streams.clear();
  return Status::Ok();
}

// Those that are stored already are not stored again: their row may hold others. `was_stored`: they
// were stored when the update was confirmed in this realm. Since then the realm may have been read
// again from the start; then they are stored when the answer covers their place, which clears it
// first.
void PullFold::AddOwnActions(const Update& update, const std::string& realm,
                             const wire::OwnEntry& entry, bool was_stored) {
  if (!sync_.streams.has_value()) return;
  for (auto& [stream, action] : AppendsOf(update.actions, update.ops, entry.lost.not_appended,
                                          realm, entry.revision, entry.at, user_)) {
    bool is_missing = false;
    for (const SyncStream& wanted : *sync_.streams) {
      if (!MatchesStream(wanted.stream, stream)) continue;
      if (FilledBefore(wanted, realm).value_or(0) >= entry.revision) {
        is_missing = false;
        break;
      }
      is_missing =
          is_missing || !was_stored || AnsweredUpTo(wanted, realm).value_or(0) >= entry.revision;
    }
    if (is_missing) found_actions_[{realm, stream}][action.place] = std::move(action);
  }
}

// None: the answer says nothing of it.
const wire::StreamFilled* PullFold::FillOf(const SyncStream& stream) const {
  if (!answer_->streams_filled.has_value()) return nullptr;
  for (const wire::StreamFilled& fill : *answer_->streams_filled) {
    if (fill.stream == stream.stream) return &fill;
  }
  return nullptr;
}

// How far the stream is in the realm by this answer. None: it does not say.
std::optional<uint64_t> PullFold::AnsweredUpTo(const SyncStream& stream,
                                               const std::string& realm) const {
  const wire::StreamFilled* fill = FillOf(stream);
  if (fill == nullptr) return std::nullopt;
  const auto filled = fill->filled.find(realm);
  return filled == fill->filled.end() ? std::nullopt : std::optional<uint64_t>(filled->second);
}

std::optional<uint64_t> PullFold::FilledBefore(const SyncStream& stream,
                                               const std::string& realm) const {
  if (IsDropped(realm)) return std::nullopt;
  return FilledIn(stream, request_->cursors, realm);
}

// What the answer covers below the cursor replaces what is there: own actions may have been stored
// beyond the place that the stream had reached.
void PullFold::ClearFilled(const SyncStream& stream, const std::string& realm, uint64_t filled) {
  const std::optional<uint64_t> reached = FilledBefore(stream, realm);
  const uint64_t before = reached.value_or(0);
  const bool is_below = !reached || before < CursorRevision(request_->cursors, realm);
  if (before >= filled || !is_below) return;
  for (const auto& [key, actions] : found_actions_) {
    if (key.first != realm || !MatchesStream(stream.stream, key.second)) continue;
    writes_.push_back(DeleteBetweenWrite(Store::kActions, ActionsKey(realm, key.second, before + 1),
                                         ActionsKey(realm, key.second, filled)));
  }
}

void PullFold::MoveStream(SyncStream* stream) {
  for (const auto& [realm, cursor] : answer_->cursors) {
    const uint64_t now = CursorRevision(answer_->cursors, realm);
    const std::optional<uint64_t> before = FilledBefore(*stream, realm);
    uint64_t filled = before.value_or(0);
    if (const auto answered = AnsweredUpTo(*stream, realm)) {
      filled = std::min(*answered, now);
      ClearFilled(*stream, realm, filled);
      if (!before.has_value()) WriteFloor(*stream, realm, *FillOf(*stream));
    }
    if (filled >= now) {
      stream->behind.erase(realm);
    } else {
      stream->behind[realm] = filled;
    }
  }
  for (const std::string& realm : revoked_) stream->behind.erase(realm);
  for (const std::string& realm : answer_->lost) stream->behind.erase(realm);
  // Without a cursor nothing is here at all.
  erase_if(stream->behind, [&](const auto& place) {
    return !answer_->cursors.contains(place.first) && !sync_.cursors.contains(place.first);
  });
}

// Of a stream of which only the last actions were asked for.
void PullFold::WriteFloor(const SyncStream& stream, const std::string& realm,
                          const wire::StreamFilled& fill) {
  if (IsStreamPrefix(stream.stream)) return;
  const auto from = fill.from.find(realm);
  StreamRecord record;
  if (from != fill.from.end()) record.floor = from->second;
  writes_.push_back(PutWrite(Store::kStreams, StreamKey(realm, stream.stream), ToData(record)));
}

// Replaces what is stored of the stream: states of other reducers lack the actions that it stands
// for. REQUIRES: the stream's place has moved.
void PullFold::StoreSnapshot(const AnsweredActions& item) {
  const wire::Snapshot& snapshot = *item.snapshot;
  auto& found = found_actions_[{item.realm, item.stream}];
  found.erase(found.begin(), found.lower_bound({snapshot.revision + 1, 0}));
  writes_.push_back(DeleteBetweenWrite(Store::kActions, ActionsKey(item.realm, item.stream, 0),
                                       ActionsKey(item.realm, item.stream, snapshot.revision)));
  const KeyRange keys = KeysOfStream(item.realm, item.stream);
  writes_.push_back(DeleteBetweenWrite(Store::kStreams, keys.from, keys.to));
  StreamRecord record;
  record.floor = snapshot.revision;
  writes_.push_back(PutWrite(Store::kStreams, StreamKey(item.realm, item.stream), ToData(record)));
  StateRecord state;
  state.reducer = snapshot.version;
  state.revision = snapshot.revision;
  state.state = item.state;
  writes_.push_back(PutWrite(Store::kStreams, StateKey(item.realm, item.stream, snapshot.version),
                             ToData(state)));
  Step& step = steps_.emplace_back();
  step.kind = StepKind::kSnapshot;
  step.realm = item.realm;
  step.stream = item.stream;
  step.revision = snapshot.revision;
}

// REQUIRES: own updates are in found_actions_.
void PullFold::StreamSteps() {
  for (const AnsweredActions& item : answer_->actions) {
    if (!IsWanted(sync_, item.stream)) continue;
    auto& found = found_actions_[{item.realm, item.stream}];
    for (const StreamAction& action : item.actions) found[action.place] = action;
  }
  if (sync_.streams.has_value()) {
    const Vector<SyncStream> before = *sync_.streams;
    for (SyncStream& stream : *sync_.streams) MoveStream(&stream);
    if (!(*sync_.streams == before)) {
      streams_ = sync_.streams;
      moved_ = true;
    }
  }
  for (const AnsweredActions& item : answer_->actions) {
    if (item.snapshot.has_value() && IsWanted(sync_, item.stream)) StoreSnapshot(item);
  }
  for (auto& [key, found] : found_actions_) {
    if (found.empty()) continue;
    Step& step = steps_.emplace_back();
    step.kind = StepKind::kActions;
    step.realm = key.first;
    step.stream = key.second;
    for (auto& [place, action] : found) step.actions.push_back(std::move(action));
    WriteActions(*schema_, key.first, key.second, step.actions, &writes_);
  }
}

}  // namespace skerry
