// The streams that windows want, as the record `sync` keeps them (docs/design.md, "Streams"). Like
// scopes, they are the union of what all windows ask for, and stay when windows close.
#ifndef SKERRY_SYNC_STREAMS_H_
#define SKERRY_SYNC_STREAMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "log/message.h"
#include "log/sync_record.h"
#include "log/update_record.h"

namespace skerry {

// Whether windows want the stream.
bool IsWanted(const SyncRecord& sync, std::string_view stream);

// Of several reducers of a stream that with the highest version is asked for, but for one that finds
// nothing on the device that it can use (`is_again`). Returns whether it is another one. Held: what is
// wanted by one window, or by all.
template <typename Held>
bool SetReducer(const WantedStream& wanted, bool is_again, Held* held) {
  if (!wanted.reducer.has_value()) return false;
  const bool is_higher = !held->reducer.has_value() || *wanted.reducer > *held->reducer;
  if (!is_higher && !is_again && *wanted.reducer != *held->reducer) return false;
  const Held before = *held;
  held->reducer = wanted.reducer;
  held->migrates = wanted.migrates;
  return !(*held == before);
}

// Whether more of the last actions of a stream are wanted. None: all of them.
bool IsMore(const std::optional<uint64_t>& last, const std::optional<uint64_t>& than);

// Adds streams; returns whether anything changed: then windows are to be told. An added one has
// nothing yet. One of which only the last actions were wanted begins again if more are. Those that were not asked for in
// kUnaskedDays are dropped when others are added, with their actions; so are those that no window has open, if there is no
// room among kMaxStreamScopes. What does not fit then is left out.
bool ChangeStreams(const Vector<WantedStream>& add, double now, SyncRecord* sync,
                   Data::Array* writes, Vector<WantedStream>* left_out);

// Tells windows which streams are wanted now, in the record if there is one, else in a new one.
void NoteStreams(const Schema& schema, SyncRecord* sync, std::optional<UpdateRecord>* record);

// The realm begins again: nothing of its streams is here. Appends the writes that remove them.
void DropStreamsOf(std::string_view realm, Data::Array* writes);
// Notes that all streams of the realm have to be asked for again.
void BeginStreamsAgain(const std::string& realm, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_STREAMS_H_
