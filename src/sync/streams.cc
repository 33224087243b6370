#include "sync/streams.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "log/codec.h"
#include "log/cursor.h"
#include "log/stream_name.h"
#include "log/stream_record.h"
#include "log/transaction_builder.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

void BeginAgain(const Cursors& cursors, SyncStream* stream) {
  stream->behind.clear();
  for (const auto& [realm, cursor] : cursors) stream->behind[realm] = 0;
}

SyncStream* Find(Vector<SyncStream>* streams, const std::string& stream) {
  for (SyncStream& one : *streams) {
    if (one.stream == stream) return &one;
  }
  return nullptr;
}

bool IsCovered(const Vector<SyncStream>& streams, const WantedStream& wanted) {
  return std::any_of(streams.begin(), streams.end(), [&](const SyncStream& one) {
    return !one.last.has_value() && CoversStreams(one.stream, wanted.stream);
  });
}

// Removes what is kept of streams that nobody wants any more.
void Forget(const SyncStream& dropped, const SyncRecord& sync, Data::Array* writes) {
  for (const auto& [realm, cursor] : sync.cursors) {
    const KeyRange keys = KeysOfStream(realm, dropped.stream);
    writes->push_back(DeleteBetweenWrite(Store::kActions, keys.from, keys.to));
    writes->push_back(DeleteBetweenWrite(Store::kStreams, keys.from, keys.to));
  }
}

// Drops those that were asked for last before this day. Streams of which a part is wanted under
// another name stay whole, or begin again.
bool DropBefore(double day, SyncRecord* sync, Data::Array* writes) {
  Vector<SyncStream> kept;
  Vector<SyncStream> dropped;
  for (SyncStream& one : *sync->streams) {
    const bool is_stale = one.asked.has_value() && *one.asked < day;
    (is_stale ? dropped : kept).push_back(std::move(one));
  }
  for (const SyncStream& gone : dropped) {
    Forget(gone, *sync, writes);
    for (SyncStream& one : kept) {
      const bool overlaps =
          CoversStreams(gone.stream, one.stream) || CoversStreams(one.stream, gone.stream);
      if (overlaps) BeginAgain(sync->cursors, &one);
    }
  }
  *sync->streams = std::move(kept);
  return !dropped.empty();
}

// Makes room for another one by those that nobody has asked for for longest. Open windows ask each
// day.
bool MakeRoom(double today, SyncRecord* sync, Data::Array* writes) {
  double oldest = today;
  for (const SyncStream& one : *sync->streams) oldest = std::min(oldest, one.asked.value_or(today));
  return oldest < today - 1 && DropBefore(oldest + 1, sync, writes);
}

}  // namespace

bool IsWanted(const SyncRecord& sync, std::string_view stream) {
  if (!sync.streams.has_value()) return false;
  return std::any_of(sync.streams->begin(), sync.streams->end(),
                     [&](const SyncStream& one) { return MatchesStream(one.stream, stream); });
}

bool IsMore(const std::optional<uint64_t>& last, const std::optional<uint64_t>& than) {
  return than.has_value() && (!last.has_value() || *last > *than);
}

bool ChangeStreams(const Vector<WantedStream>& add, double now, SyncRecord* sync,
                   Data::Array* writes, Vector<WantedStream>* left_out) {
  if (add.empty()) return false;
  const double today = std::floor(now / kDayMs);
  if (!sync->streams.has_value()) sync->streams.emplace();
  for (const WantedStream& wanted : add) {
    if (SyncStream* held = Find(&*sync->streams, wanted.stream)) held->asked = today;
  }
  bool changed = DropBefore(today - kUnaskedDays, sync, writes);
  for (const WantedStream& wanted : add) {
    SyncStream* held = Find(&*sync->streams, wanted.stream);
    if (held != nullptr) {
      const bool is_again = wanted.again.value_or(false);
      changed = SetReducer(wanted, is_again, held) || changed;
      const bool is_more = IsMore(wanted.last, held->last);
      if (!is_more && !is_again) continue;
      held->last = wanted.last;
      BeginAgain(sync->cursors, held);
      changed = true;
    } else if (wanted.again.value_or(false) || !IsCovered(*sync->streams, wanted)) {
      if (sync->streams->size() >= kMaxStreamScopes && !MakeRoom(today, sync, writes)) {
        left_out->push_back(wanted);
        continue;
      }
      SyncStream& added = sync->streams->emplace_back();
      added.stream = wanted.stream;
      added.last = wanted.last;
      added.asked = today;
      SetReducer(wanted, true, &added);
      BeginAgain(sync->cursors, &added);
      changed = true;
    }
  }
  if (changed) ++sync->scope_version;
  return changed;
}

void NoteStreams(const Schema& schema, SyncRecord* sync, std::optional<UpdateRecord>* record) {
  if (!record->has_value()) *record = ScopesRecord(schema, {}, sync);
  (*record)->streams = sync->streams;
}

void DropStreamsOf(std::string_view realm, Data::Array* writes) {
  const KeyRange keys = KeysOfRealm(realm);
  writes->push_back(DeleteBetweenWrite(Store::kActions, keys.from, keys.to));
  writes->push_back(DeleteBetweenWrite(Store::kStreams, keys.from, keys.to));
}

void BeginStreamsAgain(const std::string& realm, SyncRecord* sync) {
  if (!sync->streams.has_value()) return;
  for (SyncStream& stream : *sync->streams) stream.behind[realm] = 0;
}

}  // namespace skerry
