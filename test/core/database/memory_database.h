// MemoryDatabase: the server's database in memory: heads, rows, log, changes, chains and actions in
// maps. It answers the authority's `needs` by scanning everything, without indexes, and has no
// rules of its own. It speaks the JSON of docs/authority.md, as the server does, so whatever runs
// on it checks that contract, too. A copy of it is a backup.
//
// All rows have the props of one schema. A subclass may serve other schemas (test/sim/database.h).
#ifndef SKERRY_TEST_CORE_DATABASE_MEMORY_DATABASE_H_
#define SKERRY_TEST_CORE_DATABASE_MEMORY_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "authority/row_data.h"
#include "base/data.h"
#include "base/vector.h"
#include "model/filter.h"
#include "model/schema.h"

namespace skerry::test {

// A step's answer, parsed. `done` gets the lists that follow it, with the rows of all tables in one.
Data ReadStep(std::string_view text);

// The ops on memberships among these.
Data MemberOps(const Data& ops);

bool ContainsString(const Data& array, std::string_view text);

// Looks up the rows of sub-selects among live rows.
class LiveInnerRows final : public FilterContext {
 public:
  explicit LiveInnerRows(const std::map<PlacedKey, StoredRow>& rows) : rows_(rows) {}
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override;

 private:
  const std::map<PlacedKey, StoredRow>& rows_;
};

// The state of the tests' reducers: which actions it holds. A newer version takes over the state of
// an older one.
Data StateOf(uint64_t version, const Vector<std::string>& actions);
Vector<std::string> ActionsOfState(const Data& state);

inline constexpr char kSnapshotHash[] = "0f";
struct Snapshot {
  uint64_t version = 0;
  uint64_t revision = 0;
  Vector<std::string> actions;
};

class MemoryDatabase {
 public:
  explicit MemoryDatabase(const Schema* schema) : schema_(schema) {}
  MemoryDatabase(const MemoryDatabase&) = default;
  MemoryDatabase(MemoryDatabase&&) = default;
  MemoryDatabase& operator=(const MemoryDatabase&) = default;
  MemoryDatabase& operator=(MemoryDatabase&&) = default;
  virtual ~MemoryDatabase() = default;

  void AddRealm(const std::string& realm);

  // ---- push ----

  struct Request {
    std::string client, user;
    Vector<Data> updates;
    Data rights;                   // {realm: "write" | "read"}
    Data seen = {}, follows = {};  // as pushed
    bool is_older = false;         // of an earlier release
    Data sent = {};                // as pushed
  };
  struct Push {
    double now = 0;
    Vector<Request> requests;  // of one group commit, in order
    Data refuse;               // updates that are rejected before the rules are asked
    bool gives_rows = false;   // the rows of all ops come with the first step
    bool asks_consent = true;  // the invited accept their memberships
    // The rules of the application: a wire::RuleAnswer to a wire::RuleQuestion. Empty: there are none.
    std::function<Data(const Data& question)> rules = {};
  };
  struct Admitted {
    Data out;     // {done} or {error}
    Data locked;  // {realm: {head, headAt, ..} | null}
    Data said;    // [{client, seen, follows, now}], of each request
    int rounds = 0;
    const Data& done() const { return out["done"]; }
  };
  // Changes nothing.
  Admitted Admit(const Schema& served, const Push& push) const;
  // REQUIRES: `admitted` is done, and nothing was committed since.
  void Commit(const Schema& served, const Admitted& admitted);

  // ---- other programs ----

  // What another program does to a row.
  struct ForeignWrite {
    PlacedKey key;
    std::optional<Row> row = {};  // it is inserted, or has these props; empty: it is deleted, or
    std::string to = {};          // is moved to this realm
  };
  // One transaction of another program. Returns {entries, changes}.
  Data WriteForeign(const Schema& served, const Vector<ForeignWrite>& writes, double now,
                    const std::string& client, const std::string& update);
  // What at most so many rows that other programs have written still have to do to others. Returns `done`;
  // null: nothing is owed.
  Data FollowUp(const Schema& served, size_t most, double now, const std::string& client,
                const std::string& update);
  bool owes() const { return !owed_.empty(); }

  // ---- what a restored server gets back ----

  struct Offers {
    Data body;  // of POST /v1/offer
    std::string client, user, update;
    Data rights;  // {realm: "write" | "read"}
    double now = 0;
    std::function<Data(const Data& question)> rules = {};
  };
  struct OffersTaken {
    uint64_t common = 0;
    Data done;  // of the authority; null: nothing is taken
  };
  // One request, which is committed.
  OffersTaken TakeBack(const Schema& served, const Offers& offers);
  // The last revision that this history and that of the cursor have in common.
  uint64_t CommonOf(const std::string& realm, const std::string& cursor) const;
  // Whether the log has the entries of all these cursors, or has forgotten what was there.
  bool HasAll(const std::string& realm, const Data& cursors) const;
  // Of the last entry; empty: there is none.
  std::string HeadCursor(const std::string& realm) const;

  // ---- pull ----

  // What is read for a pull. The server reads less if the answer would be too large.
  struct Reads {
    size_t page_rows = 0;
    size_t page_looks = ~size_t{0};  // rows that one page looks at, whether they match or not
    std::map<std::string, uint64_t> most_entries;  // of a range, by realm
    // Of these realms, neither changes nor rows are read, and only one entry of a range.
    std::set<std::string> omitted;
    bool omits_all = false;                // not even the ops of own updates
    std::set<std::string> pages_left_out;  // tables
    size_t most_to_head = ~size_t{0};      // changes of sub-selects' tables beyond a range
    size_t most_candidates = ~size_t{0};
    size_t most_actions = ~size_t{0};  // of a stream of a realm; all of an entry in any case
    bool omits_actions = false;
    // A snapshot that the client can use is offered if it saves so many actions.
    size_t snapshot_saves = ~size_t{0};
    bool rows_along = false;  // each change comes with its row at the end of the range
    std::function<Data(const Data& need)> image;  // an element of `images`
  };
  // `realms`: those that the user may read, as HeadOf gives them, with `rows`. Returns {answer},
  // {gone} or {error}. `rounds`: null, or the number of steps.
  Data Pull(const Schema& served, const Data& request, const Data& realms, double now,
            const Reads& reads, int* rounds = nullptr) const;
  Data HeadOf(const std::string& realm) const;  // {head, headAt, floor, floorAt}

  // Forgets what the log has of the time before `before` (ms). Returns the number of entries that
  // are gone.
  uint64_t Forget(const std::string& realm, double before);
  bool HasEntry(const std::string& realm, uint64_t revision) const;  // false if it is forgotten

  // Stores the state of a reducer of this version after all actions of a stream. Returns false if
  // there are none that no snapshot holds, or if the reducer needs some that are gone.
  bool MakeSnapshot(const std::string& realm, const std::string& stream, uint64_t version);
  // Forgets the actions that the last snapshot of the highest version holds. False: there are none.
  bool ForgetActions(const std::string& realm, const std::string& stream);
  // The actions of a stream up to this revision are gone.
  uint64_t FloorOf(const std::string& realm, const std::string& stream) const;
  // What GET answers for the path of a snapshot; empty: there is none.
  std::string StateAt(const std::string& path) const;

  struct Head {
    uint64_t head = 0;
    double at = 0;
    uint64_t floor = 0;  // up to here the log is forgotten
    double floor_at = 0;
    double given_back = 0;
  };
  const std::map<std::string, Head>& heads() const { return heads_; }
  using Rows = std::map<PlacedKey, StoredRow>;
  const Rows& rows() const { return rows_; }  // with tombstones; with the props of schema()
  const Schema& schema() const { return *schema_; }
  // The entries of a realm, as the authority made them, also those that are forgotten; revision 1 is
  // at 0.
  const Vector<Data>& log(const std::string& realm) const { return log_.at(realm); }
  // What the entries that are not forgotten did to rows, in the order of the realm's log.
  const Vector<Data>& changes(const std::string& realm) const { return changes_.at(realm); }
  // The actions of a realm's streams, in the order of its log.
  const Vector<Data>& appends(const std::string& realm) const { return appends_.at(realm); }
  using Actions = std::map<std::string, Vector<Data>>;  // by id: an item for each realm
  const Actions& actions() const { return actions_; }   // with those that are forgotten

  // The rows with the props of `served`: rows() itself, or a copy in `space`.
  virtual const Rows& RowsOf(const Schema& served, Rows* space) const;

 protected:
  virtual void Write(const Schema& served, const StoredRow& row);
  void Log(Data entry);
  void LogChange(Data change);
  Rows& mutable_rows() { return rows_; }
  std::map<std::string, Head>& mutable_heads() { return heads_; }

 private:
  Admitted TryToAdmit(const Schema& served, const Rows& rows, const Push& push,
                      const std::set<std::string>& locked) const;
  Data FirstStep(const Push& push, const Data& locked) const;
  static void GiveRows(const Schema& served, const Rows& rows, const Push& push, Data* in);
  Data NeededRows(const Schema& served, const Rows& rows, const Data& needs) const;
  uint64_t LastRevisionByOthers(const Data& other) const;
  Data DoneActions(const Data& undone) const;
  Data ChangesSince(const Data& since) const;

  Data ReadFor(const Schema& served, const Rows& rows, const Data& needs, const Reads& reads) const;
  void ReadLog(const Schema& served, const Rows& rows, const Data& needs, const Reads& reads,
               Data* found) const;
  static Data CandidatesOf(const Schema& served, const Rows& rows, const Data& need, size_t most);
  static Data SelectedOf(const Schema& served, const Rows& rows, const Data& need);
  Data ReadOwn(const Data& ids, const Reads& reads) const;
  Data ReadActions(const Data& ids) const;
  void AddActions(const std::string& id, Data* to) const;
  Data ReadStream(const Data& need, const Reads& reads) const;
  Data SnapshotFor(const Data& need, const std::string& stream, size_t saves) const;
  const Snapshot* LastSnapshot(const std::string& realm, const std::string& stream,
                               uint64_t version) const;
  Data TablesOf(const std::string& realm, uint64_t from, uint64_t upto) const;
  Data RowAfter(const Schema& served, const Rows& rows, const Data& need) const;

  static constexpr int kMaxRounds = 1000;

  const Schema* schema_;
  std::map<std::string, Head> heads_;
  Rows rows_;
  std::map<std::string, Vector<Data>> log_;      // by realm
  std::map<std::string, Vector<Data>> changes_;  // by realm, in the order of its log
  std::map<std::string, Vector<Data>> appends_;  // by realm, in the order of its log
  std::map<std::pair<std::string, std::string>, Vector<Snapshot>> snapshots_;  // realm, stream
  std::map<std::pair<std::string, std::string>, uint64_t> stream_floors_;
  std::map<std::string, std::set<uint64_t>> gone_;              // by realm: entries
  std::map<std::pair<std::string, std::string>, Data> chains_;  // client, realm
  std::map<std::string, Data> since_;  // when clients that follow another one began; null: others
  Actions actions_;
  std::set<PlacedKey> owed_;
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_DATABASE_MEMORY_DATABASE_H_
