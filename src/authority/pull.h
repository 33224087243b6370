// Pull: the answer to one pull request: for each realm diff(F, E), where F is what the client will
// hold after folding its own updates of `have`, and E is what it should hold (DESIGN section 7).
// Pure: it says what must be read, and is given it.
//
// Use: Begin, then while needs() is not empty read them, load, and call Run; then answer().
//
// A realm is answered in one of three ways. kRange: the cursor is in this history, the answer
// covers (cursor, to]. kState: the client holds nothing of it (cursor 0@0, or of another history):
// everything in scope is sent. kImage: as kState, but large: an image is named instead, and nothing
// else of that realm is in the answer.
#ifndef SKERRY_AUTHORITY_PULL_H_
#define SKERRY_AUTHORITY_PULL_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "authority/cursor.h"
#include "authority/scope.h"
#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/record.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct PullInput {
  std::string client;
  std::map<std::string, Cursor> cursors;
  std::set<std::string> have;
  Scopes scopes;
  uint64_t limit = 0;  // entries of a realm; 0: as many as we like
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
    std::set<TableIndex> tables;
  };
  struct RowAt {
    RealmKey key;
    uint64_t after = 0;
  };
  Vector<Entries> entries;
  Vector<std::pair<std::string, uint64_t>> changes;  // realm, from
  Vector<std::string> own;
  Vector<State> state;
  Vector<size_t> pages;  // scopes
  Vector<std::string> page_realms;
  Vector<std::string> images;
  Vector<RowAt> rows;
  bool empty() const {
    return entries.empty() && changes.empty() && own.empty() && state.empty() && pages.empty() &&
           images.empty() && rows.empty();
  }
};

struct PullPage {
  size_t scope = 0;
  std::optional<std::string> upto;  // none: to the end
  Vector<std::string> realms;       // that it covers: those that come by image are not among them
  Vector<std::string> ids;
};
struct PullResult {
  std::map<std::string, Cursor> cursors;
  std::map<std::string, std::map<std::string, Cursor>> own;  // update -> realm -> revision and at
  std::map<std::string, Data> gone;  // update of `own` -> its ops that the answer called gone
  Vector<std::string> revoked;
  Vector<std::string> reset;
  Vector<PullPage> pages;
  Vector<std::string> images;
  Vector<Change> changes;
  bool has_more = false;
};

class Pull {
 public:
  explicit Pull(const Schema* schema) : schema_(schema) {}
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  void Begin(PullInput request, std::map<std::string, PullRealm> realms);
  const PullNeeds& needs() const { return needs_; }
  const PullInput& request() const { return request_; }

  void LoadEntry(const std::string& realm, PulledEntry entry);
  void LoadChange(const std::string& realm, uint64_t revision, const ObjectKey& key,
                  std::optional<Row> before);
  void LoadOwn(const std::string& realm, PulledOwn own);
  void LoadState(const ObjectKey& key, Row row);
  void LoadPage(size_t place, PulledPage page);  // as in needs().pages
  void LoadRow(const RealmKey& key, std::optional<Row> row);

  // After everything in needs() was loaded: more needs, or none: then answer() holds.
  void Run();
  const PullResult& answer() const { return answer_; }

 private:
  enum class Mode { kRange, kState, kImage };
  struct Realm {
    Mode mode = Mode::kRange;
    Cursor from;
    PullRealm now;
    uint64_t to = 0;
    std::map<uint64_t, PulledEntry> entries;
    Vector<PulledOwn> own;
    // The rows before each change, by key and revision.
    std::map<ObjectKey, std::map<uint64_t, std::optional<Row>>> changes;
    std::map<ObjectKey, Row> state;
  };

  void AskFor(const std::string& name, const Realm& realm);
  bool FindOtherHistories();
  void ChooseEnds();
  void CutSpanning();
  void CollectOwn();
  std::set<ObjectKey> KeysOf(const Realm& realm) const;
  bool AskForRows();
  std::optional<Row> RowAtEnd(const std::string& name, const Realm& realm,
                              const ObjectKey& key) const;
  std::optional<Row> RowAtStart(const std::string& name, const Realm& realm,
                                const ObjectKey& key) const;
  void ChoosePages();
  void DiffRealm(const std::string& name, const Realm& realm);
  void FoldOwn(const std::string& name, const Realm& realm,
               std::map<ObjectKey, std::optional<Row>>* rows) const;
  void JoinMoves();
  void WriteChanges();

  // What is to become of a key in a realm.
  struct Outcome {
    std::optional<Row> from;  // F
    std::optional<Change> change;
  };

  const Schema* schema_;
  PullInput request_;
  std::map<std::string, Realm> realms_;
  PullNeeds needs_;
  Vector<size_t> asked_pages_;
  Vector<PulledPage> pages_;
  std::map<RealmKey, std::optional<Row>> rows_;
  std::map<RealmKey, Outcome> outcomes_;
  std::map<RealmKey, Row> page_rows_;
  PullResult answer_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_H_
