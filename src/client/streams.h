// Streams: what a window shows of streams (docs/design.md, "Streams"). It hands the application's
// code the confirmed actions in their order, and the pending ones over them, and folds nothing
// itself. Like the View it has no I/O: the tab reads storage (tab_streams.cc), and the mirror says
// which records were applied, and which mutations are pending.
//
// A stream is loaded from storage once. From then on records bring what is new. Storage may be ahead
// of this window when it is read: then what was read waits until the window has reached that n, so
// that an action is never shown as confirmed and as pending at once.
#ifndef SKERRY_CLIENT_STREAMS_H_
#define SKERRY_CLIENT_STREAMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/event.h"
#include "client/pending.h"
#include "log/record.h"
#include "log/stream_record.h"
#include "log/sync_record.h"

namespace skerry {

// One page of what storage has of a stream.
struct StoredStream {
  uint64_t n = 0;                    // of the record `sync` then
  std::optional<StateRecord> state;  // with which the first page begins
  uint64_t floor = 0;                // nothing at or below this revision is stored
  Vector<StreamAction> actions;
  bool has_more = false;  // of a reduced stream: others follow
};

// What JavaScript reads of streams, and of their actions that are not confirmed.
struct PendingAction {
  std::string id;
  std::string name;
  Data arg;
  double at = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("arg", self.arg);
    member("at", self.at);
  }
};
// `all`: instead of `added`. The actions that are no longer pending, and those that are now, after
// all others.
struct PendingNews {
  std::optional<Vector<PendingAction>> all;
  Vector<PendingAction> added;
  Vector<std::string> removed;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("all", self.all);
    member("added", self.added);
    member("removed", self.removed);
  }
};
// With which a reduced stream begins.
struct FoldedState {
  uint64_t reducer = 0;
  uint64_t revision = 0;
  Data state;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("reducer", self.reducer);
    member("revision", self.revision);
    member("state", self.state);
  }
};
struct StreamNews {
  uint64_t stream = 0;  // its handle
  PendingNews pending;
  bool reset = false;  // nothing of what was handed over before is valid
  std::optional<FoldedState> state;
  DataOf<Vector<ConfirmedAction>> actions;
  uint64_t upto = 0;  // reduced: all actions up to this revision were handed over
  bool loaded = false;
  bool gone = false;   // the server has neither the actions that the reducer needs nor a state
  bool whole = false;  // nothing is missing that a server has

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    member("pending", self.pending);
    member("reset", self.reset);
    member("state", self.state);
    member("actions", self.actions);
    member("upto", self.upto);
    member("loaded", self.loaded);
    member("gone", self.gone);
    member("whole", self.whole);
  }
};

class Streams {
 public:
  Streams(const PendingList* pending, bool remote) : pending_(pending), remote_(remote) {}

  // A stream that the application has opened.
  struct Stream {
    uint32_t handle = 0;
    std::string realm;
    std::string name;
    uint64_t keep = 0;                // plain: so many of the last actions are shown
    std::optional<uint64_t> reducer;  // reduced: the version of its reducer
    bool migrates = false;            // states of older versions can be used

    bool is_loaded = false;
    uint64_t loaded_n = 0;   // records up to this n are in what was loaded
    uint64_t read_upto = 0;  // while a reduced stream is loaded: revision of the last page's end
    bool is_stale = false;   // what is being read is out of date
    // Reduced: storage has neither a state nor all actions. Nothing is handed over until the stream
    // is filled again, from its beginning.
    bool is_cut_off = false;
    bool has_asked_again = false;  // it was read once more, for that reason
    // Confirmed actions that are not handed over. Those of a reduced stream wait for their turn.
    Map<ActionPlace, StreamAction> confirmed;
    uint64_t handed_upto = 0;          // reduced: all up to this revision were
    std::optional<StateRecord> state;  // to be handed over
    bool is_reset = false;             // nothing of what was handed over before is valid
    bool is_reordered = true;          // the pending actions are handed over as a whole
    Vector<std::string> removed;       // pending no more
    Vector<std::string> added;         // pending, after all others
    bool has_news = true;
    uint64_t reported_filled = 0;
    bool reported_complete = false;
  };

  void Open(Stream stream) { streams_[stream.handle] = std::move(stream); }
  void Close(uint32_t handle) { streams_.erase(handle); }
  const Stream* Find(uint32_t handle) const;
  // A stream that has to be read from storage; null: none.
  Stream* NextToLoad();
  // What was read; `n`: that the window has reached.
  void Loaded(uint32_t handle, StoredStream stored, uint64_t n);
  // Whether nothing but a server can give the stream's reducer what it needs.
  static bool IsCutOff(const Stream& stream, const StoredStream& stored) {
    return stream.reducer.has_value() && stream.read_upto == 0 && !stored.state.has_value() &&
           stored.floor > 0;
  }

  // What the mirror does.
  void SetWanted(Vector<SyncStream> wanted) { wanted_ = std::move(wanted); }
  const Vector<SyncStream>& wanted() const { return wanted_; }
  void SetCursors(const Cursors& cursors) { cursors_ = cursors; }
  void Apply(const Vector<Step>& steps, uint64_t n);
  void Reached(uint64_t n);  // after all records up to n
  void LoadAgain();          // records were missed
  void AskedAgain(uint32_t handle) { streams_[handle].has_asked_again = true; }
  void Added(const Pending& pending);
  void Removed(const Pending& pending);
  void Reordered(const Pending& pending);

  // The revision up to which a realm's stream is in storage as a whole. Without a remote, all of it.
  uint64_t FilledOf(const Stream& stream) const;
  bool IsWhole(const Stream& stream) const;

  // What has changed since the last call, for each stream.
  Vector<StreamNews> Drain();

 private:
  struct Waiting {
    uint32_t handle = 0;
    StoredStream stored;
  };
  void Install(Stream* stream, StoredStream stored);
  // The stream itself, if it is wanted under its name, else the prefixes.
  template <typename Visit>
  void ForEachWanted(const Stream& stream, Visit visit) const;
  void DropRealm(const std::string& realm, uint64_t n);
  void ReadAgain(Stream* stream);
  void Replaced(const Step& step, uint64_t n);
  template <typename Visit>
  void ForEach(const Pending& pending, Visit visit);
  Vector<StreamAction> TakeConfirmed(Stream* stream);
  PendingNews PendingOf(Stream* stream);

  const PendingList* pending_;
  bool remote_;
  Map<uint32_t, Stream> streams_;
  Vector<SyncStream> wanted_;
  Cursors cursors_;
  uint64_t n_ = 0;
  Vector<Waiting> waiting_;  // read at an n that this window has not reached
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_STREAMS_H_
