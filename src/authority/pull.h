// Pull: the answer to one pull request: for each realm diff(F, E), where F is what the client will
// hold after folding its own updates of `have`, and E is what it should hold (docs/design.md,
// "The answer to a pull").
// Pure: it says what must be read, and is given it.
//
// Use: Begin, then while needs() is not empty read them, load, and call Run; then answer().
//
// A realm is answered in one of three ways. kRange: the cursor is in this history, the answer
// covers (cursor, to]. kState: the client holds nothing of it (cursor 0@0, or of another history):
// everything in scope is sent. kImage: as kState, but large: an image is named instead, and nothing
// else of that realm is in the answer.
//
// What is too large to be told (an entry with many changes, all of a realm) is not read: LoadUntold
// says of which tables. The answer passes it, tells nothing of these tables, and names their scopes
// (refill): the client fills them anew, by pages. One that does not understand this
// (`knows_refill`) must take everything anew (is_gone).
#ifndef SKERRY_AUTHORITY_PULL_H_
#define SKERRY_AUTHORITY_PULL_H_

#include <optional>
#include <string>
#include <utility>

#include "authority/cursor.h"
#include "authority/scope.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/record.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct PullInput {
  std::string client;
  Map<std::string, Cursor> cursors;
  Set<std::string> have;
  std::optional<Set<std::string>> known;  // actions: are they in the log?
  Scopes scopes;
  uint64_t limit = 0;  // entries of a realm; 0: as many as we like
  bool knows_refill = false;
};
struct PullRealm {
  uint64_t head = 0;
  double head_at = 0;
  uint64_t rows = 0;
};

// What is read from the log.
struct PulledEntry {
  uint64_t revision = 0;
  double at = 0;
  std::string client;
  std::string update;
  bool is_declared = false;
  ByRealm<uint64_t> spans;  // all entries of the update, where it has several
  Data gone;                // of its answer
};
struct PulledOwn {  // a declared entry of an update of `have`
  std::string update;
  uint64_t revision = 0;
  double at = 0;
  Vector<Op> ops;
  Data gone;  // of its answer
};
using RealmKey = std::pair<std::string, ObjectKey>;
struct PulledPage {
  Vector<std::pair<ObjectKey, Row>> rows;  // by id
  bool has_more = false;
};

struct PullNeeds {
  struct Entries {
    std::string realm;
    uint64_t from = 0;
    uint64_t limit = 0;
    std::string client;  // not empty: its entries only
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
  Vector<size_t> pages;  // scopes
  Vector<std::string> page_realms;
  Vector<std::string> images;
  Vector<RowAt> rows;
  bool empty() const {
    return entries.empty() && changes.empty() && own.empty() && actions.empty() && state.empty() &&
           pages.empty() && images.empty() && rows.empty();
  }
};

struct PullPage {
  size_t scope = 0;
  std::optional<std::string> upto;  // none: to the end
  Vector<std::string> realms;       // that it covers: those that come by image are not among them
  Vector<std::string> ids;
};
struct PullResult {
  Map<std::string, Cursor> cursors;
  Map<std::string, Map<std::string, Cursor>> own;  // update -> realm -> revision and at
  Map<std::string, Data> gone;  // update of `own` -> its ops that the answer called gone
  Map<std::string, Map<std::string, uint64_t>>
      known;  // action -> realm -> revision, of those up to the cursors
  Vector<std::string> revoked;
  Vector<std::string> reset;
  Vector<PullPage> pages;
  Vector<std::string> images;
  Vector<Change> changes;
  // Scopes that the client sets back to unfilled; none named where none was filled.
  std::optional<Vector<size_t>> refill;
  bool has_more = false;
  bool is_gone = false;  // what is to be sent is too much for an answer: everything is taken anew
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
  // As in needs().pages; one that is left out was too much to read beside the rest, and comes
  // later.
  void LoadPage(size_t place, PulledPage page);
  void LoadRow(const RealmKey& key, std::optional<Row> row);
  // Of the realm's range, or of its state, these tables were not read, because they are too large
  // to be told. None: no table was, and not the ops of own updates either.
  void LoadUntold(const std::string& realm, std::optional<Set<TableIndex>> tables);

  // After everything in needs() was loaded: more needs, or none: then answer() holds.
  void Run();
  const PullResult& answer() const { return answer_; }

 private:
  enum class Mode { kRange, kState, kImage };
  struct Untold {
    bool is_any = false;
    bool is_all = false;  // every table
    Set<TableIndex> tables;
    bool Has(TableIndex table) const { return is_all || tables.contains(table); }
    void Add(const Untold& other);
  };
  struct Realm {
    Mode mode = Mode::kRange;
    Cursor from;
    PullRealm now;
    uint64_t to = 0;
    Map<uint64_t, PulledEntry> entries;
    Vector<PulledOwn> own;
    Map<std::string, uint64_t> actions;  // of those asked for: their revisions
    // The rows before each change, by key and revision.
    Map<ObjectKey, Map<uint64_t, std::optional<Row>>> changes;
    Map<ObjectKey, Row> state;
    // Rows as they are at the end of the range.
    Map<ObjectKey, std::optional<Row>> rows;
    Untold untold;
  };

  // How a realm is answered of which the client holds nothing.
  Mode ModeAnew(const PullRealm& realm) const;
  void AskFor(const std::string& name, Realm* realm);
  void AskForState(const std::string& name, Realm* realm);
  bool FindOtherHistories();
  void ChooseEnds();
  void CutSpanning();
  void CollectOwn();
  void CollectUntold();
  Vector<ObjectKey> KeysOf(const Realm& realm) const;  // in order, each once
  bool AskForRows();
  // Null where it is not there.
  static const Row* RowAtEnd(const Realm& realm, const ObjectKey& key);
  static const Row* RowAtStart(const Realm& realm, const ObjectKey& key);
  void ChoosePages();
  // Nulls what any record of the range leaves unknown of the row that the client holds.
  void TakeUnknowns(const Realm& realm, const ObjectKey& key, Row* row) const;
  void DiffRealm(const std::string& name, const Realm& realm);
  void FoldOwn(const std::string& name, const Realm& realm,
               Map<ObjectKey, std::optional<Row>>* rows) const;
  void JoinMoves();
  void WriteChanges();

  // What is to become of a key in a realm.
  struct Outcome {
    std::optional<Row> from;  // F
    std::optional<Change> change;
  };

  const Schema* schema_;
  PullInput request_;
  bool is_whole_ = false;  // the scopes ask for all rows of all tables
  Map<std::string, Realm> realms_;
  PullNeeds needs_;
  Vector<size_t> asked_pages_;
  Vector<std::optional<PulledPage>> pages_;
  Untold untold_;  // of all realms
  Map<RealmKey, Outcome> outcomes_;
  Map<RealmKey, Row> page_rows_;
  PullResult answer_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_H_
