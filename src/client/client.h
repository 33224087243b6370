// Client: the core of one window, as JavaScript holds it (docs/window.md): the view, its live
// queries, the tab, and the open transaction. It has no I/O, no clock and no randomness of its own.
// Each function is shallow: it checks, forwards and encodes.
#ifndef SKERRY_CLIENT_CLIENT_H_
#define SKERRY_CLIENT_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/random.h"
#include "base/status.h"
#include "base/vector.h"
#include "client/live_query.h"
#include "client/tab.h"
#include "client/transaction.h"
#include "client/view.h"
#include "log/members.h"
#include "model/filter_cost.h"
#include "model/query.h"

namespace skerry {

// What a window's core is created with (docs/window.md, section 7).
struct ClientOptions {
  Data schema;
  std::string tab;
  std::optional<std::string> default_realm;  // of a create that names no realm
  std::string seed;
  bool remote = false;
  std::optional<std::string> user;  // none: not known

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("schema", self.schema);
    member("tab", self.tab);
    member("defaultRealm", self.default_realm);
    member.Bytes("seed", self.seed);
    member("remote", self.remote);
    member("user", self.user);
  }
};

// What has changed for JavaScript since it last asked. `slots` and `rows` are packed (PackSlots).
struct DirtyRows {
  uint64_t table = 0;
  std::string slots;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member.Bytes("slots", self.slots);
  }
};
// LiveDelta, to be handed over.
struct LiveNews {
  uint64_t live = 0;
  std::string rows;
  Vector<std::string> added;
  Vector<std::string> removed;
  Vector<std::string> changed;
  Vector<std::string> moved;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("live", self.live);
    member.Bytes("rows", self.rows);
    member("added", self.added);
    member("removed", self.removed);
    member("changed", self.changed);
    member("moved", self.moved);
  }
};
struct Drained {
  Vector<DirtyRows> dirty;
  Vector<LiveNews> live;
  Vector<StreamNews> streams;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("dirty", self.dirty);
    member("live", self.live);
    member("streams", self.streams);
  }
};

class Client {
 public:
  // {schema, tab, defaultRealm, seed, remote, user}
  static Result<std::unique_ptr<Client>> Create(Data options);

  const Schema& schema() const { return schema_; }
  View& view() { return view_; }
  const Tab& tab() const { return tab_; }
  LiveQueries& live() { return live_; }

  Data Handle(Data event);  // returns the effects
  Status LoadPart(SharedBytes bytes) { return tab_.LoadPart(std::move(bytes)); }
  // Checks all scopes that this window wants, together (model/filter_cost.h).
  Status CheckScopes(const Data& scopes) const { return CheckWantedScopes(schema_, scopes); }

  // What is logged from outside of this core (an import, an adoption) is held to the user's own role
  // as a transaction is: the body of its record.
  Status CheckLogged(std::string_view body) const;
  // Whether the user's own role, as far as it is known here, lets rows of this realm be changed.
  bool MayWrite(const std::string& realm) const;

  Status TxBegin(double now);
  // The transaction's action was made elsewhere, or before, under this id. Returns whether it may be
  // run: not if it is pending.
  Result<bool> TxAgain(std::string_view id);
  // `number`: of a TxCall; kInvalidArgument if there is no such call.
  Result<OpOutcome> TxOp(int number, uint32_t table, const Data& operation);
  Status TxCreateMany(uint32_t table, const Data& batch, std::string* made);
  // Undoes, or redoes, in the open transaction what comes next. [KeptProp..]; null if there is
  // nothing. What cannot be undone is not offered again.
  Result<Data> TxUndo(UndoWay way);
  // {id: null|text, name: null|text, unfit: null|text, effects}. `name`: of an undo in a stream it is
  // that of the action that it appends. `unfit`: why the inverse cannot be appended; the action cannot
  // be undone then.
  Result<Data> TxCommit(const Data& action);
  // Returns the effects.
  Data TxRollback();

  // `name`: an id; or an id, U+0000 and a realm, for tables with ids of their own. kNoSlot if there
  // is none; kInvalidArgument (View::Locate).
  Result<Slot> Find(uint32_t table, std::string_view name) const;
  // Appends the bytes of a row, in the format of sk_row.
  Status EncodeRow(uint32_t table, Slot slot, std::string* out) const;
  // The same for several rows, in the format of sk_rows; `slots` are packed (PackSlots).
  Status EncodeRows(uint32_t table, std::string_view slots, std::string* out) const;
  Result<bool> IsPending(uint32_t table, std::string_view name) const;  // as in Find
  // The ids of the mutations because of which a row is pending by its own ops.
  Result<Data> PendingOf(uint32_t table, std::string_view name) const;

  Result<uint32_t> QueryNew(const Data& description);
  void QueryFree(uint32_t query) { queries_.erase(query); }
  Status QueryRun(uint32_t query, Vector<uint32_t>* stream);
  Result<uint32_t> QueryCount(uint32_t query);
  Result<Data> QueryAggregate(uint32_t query, int kind, uint32_t column);
  Result<uint32_t> LiveOpen(uint32_t query, Vector<uint32_t>* stream);
  void LiveClose(uint32_t live);
  // {dirty, live, streams}: what changed since the last call. Inside a transaction, only dirty.
  Data Drain();  // a Drained

 private:
  Status CheckForgotten(const Mutation& mutation) const;
  void NoteMade(const Mutation& mutation, bool is_undoable, StreamItem inverse);
  Client(Schema schema, const ClientOptions& options);
  Result<ObjectKey> KeyNamed(uint32_t table, std::string_view name) const;
  bool HasTable(uint32_t table) const { return table < schema_.tables().size(); }
  const Query* FindQuery(uint32_t query) const;

  Schema schema_;
  std::optional<std::string> user_;
  Random random_;
  UuidGenerator ids_;
  View view_;
  LiveQueries live_;
  QueryEngine engine_;
  Tab tab_;
  Transaction transaction_;
  std::optional<UndoWay> undoing_;  // by the open transaction
  Map<uint32_t, Query> queries_;
  uint32_t next_query_ = 1;
  Vector<LiveDelta> deltas_;  // flushed by LiveQueries, but not returned by Drain yet
};

// u32 little-endian: the format in which streams of rows cross the WebAssembly boundary.
std::string PackSlots(const Vector<uint32_t>& slots);

}  // namespace skerry

#endif  // SKERRY_CLIENT_CLIENT_H_
