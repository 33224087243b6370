// Pull computes the answer to one pull request: for each realm diff(F, E), where F is what the
// client will hold after folding its own updates of `have`, and E is what it should hold
// (docs/design.md, "The answer to a pull"). It does no I/O: needs() says what the caller must read.
//
// Use: call Begin. While needs() is not empty, read and load what it names, and call Run. Then
// answer() holds the answer.
//
// A realm is answered in one of three ways. kRange: the cursor is in this history, and the answer
// covers (cursor, to]. kState: the client holds nothing of the realm (its cursor is 0@0, or of
// another history), so everything in scope is sent. kImage: as kState, but the realm is large: the
// answer names an image, and has nothing else of that realm.
//
// Changes that are too large for an answer (of an entry with many changes, or a whole realm) are
// not read. LoadUnread names their tables. Then the cursor moves past them, the answer has no
// changes of these tables, and `refill` names their scopes, which the client fills again by pages.
// A client that does not understand `refill` (see `accepts_refill`) must load everything again
// (is_too_large).
#ifndef SKERRY_AUTHORITY_PULL_H_
#define SKERRY_AUTHORITY_PULL_H_

#include <optional>
#include <string>
#include <utility>

#include "authority/cursor.h"
#include "authority/scope.h"
#include "authority/stream_scope.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/record.h"
#include "log/wire/pull_answer.h"
#include "log/wire/pull_loaded.h"
#include "log/wire/pull_needs.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct PullInput {
  double now = 0;  // ms
  std::string client;
  Map<std::string, Cursor> cursors;
  Set<std::string> have;
  std::optional<Set<std::string>> known;  // action ids: the client asks which are in the log
  Scopes scopes;
  Vector<StreamScope> streams;
  uint64_t limit = 0;  // entries of a realm; 0: the server's own limit
  bool accepts_refill = false;
  bool asks_for_floors = false;
  bool accepts_images = true;
  bool is_partial = false;  // more realms are readable than this pull is given
};
struct PullRealm {
  uint64_t head = 0;
  double head_at = 0;
  uint64_t rows = 0;  // live rows, an estimate
  Cursor floor;       // what came up to here is forgotten
};

// An entry as it is read from the log.
struct PulledEntry {
  uint64_t revision = 0;
  double at = 0;
  std::string client;
  std::string update;
  bool is_declared = false;
  ByRealm<uint64_t> spans;  // all entries of the update, where it has several
  LostOps lost;
  Vector<std::string> streams;  // to which it appends
};
// A declared entry of an update of `have`.
struct PulledOwn {
  std::string update;
  uint64_t revision = 0;
  double at = 0;
  Vector<Op> ops;
  LostOps lost;
  bool is_forgotten = false;  // its ops are
  ByRealm<uint64_t> spans;    // all entries of the update
};
using RealmKey = std::pair<std::string, ObjectKey>;
struct PulledPage {
  Vector<std::pair<ObjectKey, Row>> rows;  // by id
  bool has_more = false;
  // With `has_more`: all rows up to this id were looked at, also if none of the last ones matches.
  std::optional<std::string> upto;
};

struct PullNeeds {
  struct Entries {
    std::string realm;
    uint64_t from = 0;
    uint64_t limit = 0;
    std::string client;  // not empty: only entries of this client
  };
  struct State {
    std::string realm;
    Set<TableIndex> tables;
  };
  struct RowAt {
    RealmKey key;
    uint64_t after = 0;
  };
  Vector<Entries> entries;
  Vector<std::pair<std::string, uint64_t>> changes;  // realm, from
  Vector<std::string> own;
  Vector<std::string> actions;
  Vector<State> state;
  Vector<size_t> pages;  // indexes of scopes
  Vector<std::string> page_realms;
  Vector<std::string> images;
  Vector<RowAt> rows;
  // For a sub-select: the live rows of the outer table whose prop has one of the values.
  struct Candidates {
    std::string realm;
    size_t join = 0;
    Vector<Value> values;
  };
  // For a sub-select: which of the values are selected by live inner rows that match, and have not
  // changed above revision `upto`.
  struct Selected {
    std::string realm;
    size_t join = 0;
    Vector<Value> values;
    uint64_t upto = 0;
  };
  // Actions above revision `from`, up to `upto`. `last`: only the last so many; 0: all.
  struct Streams {
    size_t scope = 0;  // index of PullInput::streams
    std::string realm;
    uint64_t from = 0;
    uint64_t upto = 0;
    uint64_t last = 0;
  };
  Vector<Candidates> candidates;
  Vector<Selected> selected;
  Vector<Streams> streams;
  bool empty() const {
    return streams.empty() && entries.empty() && changes.empty() && own.empty() &&
           actions.empty() && state.empty() && pages.empty() && images.empty() && rows.empty() &&
           candidates.empty() && selected.empty();
  }
};

// A sub-select of a scope.
struct PullJoin {
  size_t scope = 0;
  TableIndex outer = kNone;
  SubSelect select;
};

class Pull {
 public:
  explicit Pull(const Schema* schema) : schema_(schema) {}
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  void Begin(PullInput request, Map<std::string, PullRealm> realms);
  const PullNeeds& needs() const { return needs_; }
  const PullInput& request() const { return request_; }

  void LoadEntry(const std::string& realm, PulledEntry entry);
  void LoadChange(const std::string& realm, uint64_t revision, const ObjectKey& key,
                  std::optional<Row> before);
  void LoadOwn(const std::string& realm, PulledOwn own);
  void LoadAction(const std::string& realm, const std::string& action, uint64_t revision);
  void LoadState(const ObjectKey& key, Row row);
  // Of a realm in needs().images.
  void LoadImage(wire::Image image);
  // `place`: index into needs().pages. A page that is not loaded had no room in this answer, and
  // comes with a later pull.
  void LoadPage(size_t place, PulledPage page);
  void LoadRow(const RealmKey& key, std::optional<Row> row);
  // These tables were not read in the realm's range, or its state, because no answer can hold them.
  // Empty optional: no table was read, and neither were the ops of own updates.
  void LoadUnread(const std::string& realm, std::optional<Set<TableIndex>> tables);
  // The changes of sub-selects' tables were not read up to the head, because they are too many.
  void LoadUnreadJoins(const std::string& realm);
  // `place`: index into needs().candidates. `has_more`: there are too many of them.
  void LoadCandidates(size_t place, Vector<std::pair<ObjectKey, Row>> rows, bool has_more);
  // `found`: indexes of values of needs().selected.
  void LoadSelected(size_t place, const Vector<size_t>& found);
  const Vector<PullJoin>& joins() const { return joins_; }
  // `place`: index into needs().streams. What is not loaded had no room in this answer.
  void LoadActions(size_t place, wire::LoadedStream actions);
  // The tables whose changes are needed up to the head: those of sub-selects and of their scopes.
  Set<TableIndex> TablesToHead() const;

  // REQUIRES: everything in needs() is loaded. Afterwards needs() has more, or it is empty and
  // answer() is complete, unless is_too_large().
  void Run();
  const wire::PullAnswer& answer() const { return answer_; }
  // 410: no answer can hold the changes, or they are forgotten; the client loads all again.
  bool is_too_large() const { return is_too_large_; }

 private:
  enum class Mode { kRange, kState, kImage };
  struct Unread {
    bool is_any = false;
    bool is_all = false;  // every table
    Set<TableIndex> tables;
    bool Has(TableIndex table) const { return is_all || tables.contains(table); }
    void Add(const Unread& other);
  };
  // The values that the inner rows of a realm select. Values are compared as numbers and texts.
  using Selectable = std::pair<double, std::string>;
  struct Selection {
    Set<Selectable> unchanged;  // by rows that did not change after the range's start
    Set<Selectable> start;      // by rows that did, as they were at the range's start
    Set<Selectable> end;        // and at its end
  };
  struct Realm {
    Mode mode = Mode::kRange;
    Cursor from;
    PullRealm now;
    uint64_t to = 0;
    Map<uint64_t, PulledEntry> entries;
    Vector<PulledOwn> own;
    Map<std::string, uint64_t> actions;  // revisions of those in `known`
    // The rows before each change, by key and revision.
    Map<ObjectKey, Map<uint64_t, std::optional<Row>>> changes;
    Map<ObjectKey, Row> state;
    // The rows at the end of the range, where neither `changes` nor `state` has them.
    Map<ObjectKey, std::optional<Row>> rows;
    // Objects that may have entered or left a scope because inner rows have changed.
    Set<ObjectKey> candidates;
    Vector<Selection> selections;  // by join
    Unread omitted;
  };
  enum class Phase { kLog, kRows, kCandidates, kSelected };
  class InnerRows;

  // kState or kImage, for a realm of which the client holds nothing.
  Mode InitialMode(const PullRealm& realm) const;
  void AskFor(const std::string& name, Realm* realm);
  void AskForState(const std::string& name, Realm* realm);
  bool FindOtherHistories();
  bool IsForgotten(const Realm& realm) const {
    return realm.mode == Mode::kRange && realm.from.revision < realm.now.floor.revision;
  }
  bool BeginAnew();
  void ChooseEnds();
  void CutSpanning();
  void CollectOwn();
  void CollectSpans(const PulledOwn& own);
  void AddOwn(const std::string& realm, const std::string& update, uint64_t revision, double at,
              const LostOps& lost);
  void WriteLost();
  wire::Scope NameOf(const Scope& scope) const;
  void CollectOmitted();
  void SpreadUnread();
  // Memberships are always read.
  bool IsUnread(TableIndex table) const {
    return table != request_.scopes.members() && unread_.Has(table);
  }
  // The objects that the answer may have changes of: sorted, each once.
  Vector<ObjectKey> KeysOf(const Realm& realm) const;
  bool AskForRows();
  void FindJoins();
  // Whether a sub-select reads the table.
  bool IsSelectedFrom(TableIndex table) const;
  bool AskForCandidates();
  bool AskForSelected();
  // Finds what the changed inner rows of a join select, and returns the values for which this may
  // have put outer rows into the scope, or out of it.
  Vector<Value> SelectByChanges(const PullJoin& join, Realm* realm, Selection* selection) const;
  static Selectable SelectableOf(const Value& value) { return {value.number(), value.text()}; }
  void AskForRow(const std::string& name, const Realm& realm, const ObjectKey& key);
  // Null if the row is not live in the realm then.
  static const Row* RowAtEnd(const Realm& realm, const ObjectKey& key);
  static const Row* RowAtStart(const Realm& realm, const ObjectKey& key);
  void ChoosePages();
  // Sets each prop of `row`, which the client holds, to null if any `before` in the range leaves
  // it unknown (row_data.h).
  void ClearUnknownDefaults(const Realm& realm, const ObjectKey& key, Row* row) const;
  void DiffRealm(const std::string& name, const Realm& realm);
  void FoldOwn(const std::string& name, const Realm& realm,
               Map<ObjectKey, std::optional<Row>>* rows) const;
  void JoinMoves();
  void NameLeaves();
  void WriteChanges();
  // None: the client has nothing of the scope in this realm.
  std::optional<uint64_t> FilledOf(const StreamScope& scope, const std::string& realm) const;
  bool HasActions(const Realm& realm, const std::string& pattern, uint64_t filled) const;
  bool AskForStreams();
  Set<std::pair<std::string, uint64_t>> OwnEntries() const;
  bool AddFilled(const PullNeeds::Streams& asked, const wire::LoadedStream& read);
  void WriteStreams();

  // One object in one realm.
  struct Outcome {
    std::optional<Row> from;  // F
    std::optional<Change> change;
    bool lives = false;  // the row is in this realm at the end, in scope or not
  };

  const Schema* schema_;
  PullInput request_;
  bool is_whole_ = false;  // the scopes ask for all rows of all tables
  Map<std::string, Realm> realms_;
  PullNeeds needs_;
  Phase phase_ = Phase::kLog;
  Vector<PullJoin> joins_;
  Vector<PullNeeds::Candidates> asked_candidates_;
  Vector<PullNeeds::Selected> asked_selected_;
  Vector<size_t> asked_pages_;
  Vector<std::optional<PulledPage>> pages_;
  Vector<PullNeeds::Streams> asked_streams_;
  Vector<std::optional<wire::LoadedStream>> actions_;
  bool has_more_actions_ = false;
  Unread unread_;  // of all realms
  Map<RealmKey, Outcome> outcomes_;
  Map<RealmKey, Row> page_rows_;
  Vector<std::string> image_realms_;
  Map<std::string, LostOps> lost_;  // by update of the answer's `own`
  wire::PullAnswer answer_;
  bool is_too_large_ = false;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_H_
