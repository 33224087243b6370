// The naive model: what server and client have to do, written in the simplest way that shows the
// rules of docs/design.md ("Objects and ops" to "Filling a scope"). Rows are maps of names, every
// state that a realm ever had is kept, and every rule scans everything. It shares no code with src/
// but Data. step_by_step_test.cc runs the production code in step with it. naive_world_test.cc runs
// it by itself, whole and with one rule at a time disabled, which shows that the checks would
// notice.
//
// Keys are "<table>/<id>", or "<table>/<id>@<realm>" where ids are the application's own. Rights
// are those of an update's author: what the caller grants, and what memberships say.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_NAIVE_MODEL_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_NAIVE_MODEL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::test::naive {

using Key = std::string;
using Names = std::set<std::string>;

struct Row {
  std::string realm;
  std::map<std::string, Data> props;  // without null
  double created = 0;
  double modified = 0;
  uint64_t revision = 0;
  friend bool operator==(const Row&, const Row&) = default;
};
using Rows = std::map<Key, Row>;
std::optional<Row> FindRow(const Rows& rows, const Key& key);

struct Op {
  std::string op;  // create, update, inc, delete, move, offer, append, restore
  Key key;         // empty: of an append
  std::string realm;
  std::string to;
  std::map<std::string, Data> set;
  std::map<std::string, double> add;
  Names by;                           // ids of actions
  std::string stream{};               // of an append
  std::string of{};                   // the action that it undoes
  std::map<std::string, Data> was{};  // of an update that undoes: what it expects, null too
  bool knows_row = false;             // of a restore: `set` is the row
};

struct Link {
  uint64_t seq = 0;
  std::string id;
  friend bool operator==(const Link&, const Link&) = default;
};

struct Update {
  std::string id;
  std::string client;
  std::map<std::string, Link> after;  // by realm
  Vector<std::string> actions;
  Vector<Op> ops;
  std::map<std::string, uint64_t> base = {};  // by realm
  std::map<std::string, double> made = {};    // action -> when
  Names replayed = {};                        // actions that were made elsewhere
  Names again = {};                           // actions that may have been stored before
  // Of the request: what the client has seen of its updates, and whether it had another identity.
  std::map<std::string, uint64_t> seen = {};
  bool follows = false;
  // Of the request: what the client knew of the server's time when it sent it first, if it may have been sent before.
  std::optional<double> sent = {};
};

// Of the wire's JSON.
Update UpdateOf(const std::string& client, const Data& wire);
std::string TableOf(const Key& key);
std::string IdOf(const Key& key);
// Whether ids of the table belong to their realm, and its objects do not move.
bool HasOwnIds(const std::string& table);
Key KeyOf(const std::string& table, const std::string& id, const std::string& realm);

enum class Rule { kCascade, kSetNull, kRestrict };
struct Ref {
  std::string table;
  std::string prop;
  std::string target;
  Rule rule = Rule::kCascade;
  bool touch = false;
};
struct Tables {
  Vector<Ref> refs;
  Vector<std::pair<std::string, std::string>> unique;  // table, prop; within a realm
};

// The rule of an application (test/sim/app_rule.h): whether a row with this id and `n` is wrong.
bool IsAboveMost(const std::string& id, const Data& n);

enum class May { kNothing, kRead, kWrite, kOwn };
using Rights = std::map<std::string, May>;  // a realm that is not named may be written
inline May RightIn(const Rights& rights, const std::string& realm) {
  const auto right = rights.find(realm);
  return right == rights.end() ? May::kWrite : right->second;
}

// Memberships: rows of `$members`, with ids `<realm>/<user>`, in realms that are named by a UUID.
// Such a realm exists once its log has begun.
bool CanHaveMembers(const std::string& realm);
Key MembershipKey(const std::string& realm, const std::string& user);
bool IsLeave(const Op& op, const std::string& user);
// Whether the user accepts an invitation.
bool IsAcceptance(const Op& op, const std::string& user);
// Whether the op makes the user an owner of its realm.
bool MakesOwner(const Op& op, const std::string& user);

// Whether an invitation would give somebody a lower role than his membership has: it does not.
bool LowersRole(const Op& op, const std::string& prop, const Row& membership);

// Rules that can be disabled, to see that the checks notice. Each closes a hole (docs/design.md).
enum class Break {
  kConfirmOnAnswer,  // an answer confirms: not only a pull that contains the update
  kReduceAllOwn,     // all own updates count as folded, not only those of `have`
  kFoldAllOwn,       // the client folds own updates that were not in `have`, too
  kSeqWithoutId,     // the chain knows numbers only
  kForgetRefusals,   // a late copy of a rejected update may be applied
  kNoOwnInBase,      // the client does not fold its own updates into base
  kRowsAtHead,       // rows are read at the head, not at the range's end
  kNoActionIds,      // an action may be in the log twice
  kPageAddsOnly,     // a page does not replace its range
  kOneBaseForAll,    // base is keyed by id alone
  kRefillForgotten,  // rows whose changes were too large to send are not filled again
  kForgetOutcomes,   // the log forgets updates whose clients may not have the answers
};

using Breaks = std::set<Break>;

// Applies an op to rows, without cascades. It acts on a row of its own realm only. In base, which
// is kept per realm, a move only removes. Returns whether it changed anything.
bool FoldOp(const Op& op, double at, uint64_t revision, bool base, Rows* rows);
// One with `was`. REQUIRES: the row is there.
bool FoldExpecting(const Op& op, double at, uint64_t revision, bool base, Rows* rows);

struct Result {
  std::string status;
  Names known;             // actions that are in the log already
  Vector<uint32_t> noops;  // applied
  Vector<size_t> bad;      // rejected: ops that break a rule by themselves; empty where the rule
                           // is about the whole
  Vector<uint32_t> missing{};  // applied: noops that would change an object which is not there
};

struct Entry {
  double at = 0;
  std::string client;
  std::string update;
  Vector<std::string> actions;
  Vector<Op> ops;  // those of this realm, as pushed
  bool declared = false;
  uint64_t seq = 0;  // of the update in its client's chain
  bool is_forgotten = false;
};

struct Logged {
  uint64_t revision = 0;
  double at = 0;
  friend bool operator==(const Logged&, const Logged&) = default;
};
using Own = std::map<std::string, std::map<std::string, Logged>>;  // update, realm

using Scope = std::function<bool(const Key&, const Row&)>;
using Cursors = std::map<std::string, uint64_t>;

// An answer: the new state of each object that differs.
struct Answer {
  Cursors from;
  Cursors cursors;
  std::string was_filled;
  bool was_whole = false;
  Names have;
  Own own;
  std::map<std::string, std::map<Key, std::optional<Row>>> changes;  // by realm
  bool is_refill = false;  // the changes were too large to send: the fill starts again
  bool has_page = false;
  std::string filled;  // after this page
  bool whole = false;
  std::map<std::string, Rows> page;  // by realm
};

using Defaults =
    std::map<std::string, std::map<std::string, Data>>;  // table, prop: what is never null

class Server {
 public:
  Server(Tables tables, Names realms, Breaks broken = {});

  // From now on, rows without a prop that is never null have its default. Existing rows get it
  // without an entry, because clients read them that way.
  void Serve(Defaults defaults);
  // What a row has of a prop now, whatever it should have.
  void Adopt(const std::string& realm, const Key& key, const std::string& prop, const Data& value);
  // An entry of no client, which corrects rows that clients may have read differently.
  void Correct(const std::string& realm, const Names& keys, double at);

  // One update, exactly once, after the one that it follows in every realm that it touches; whole
  // or not at all. Each of its actions is judged by itself, after those before it. `is_oldest`: it
  // is the first of its request. `rights`: of its author, `user`, what `grants` give included.
  // `is_known`: its tables and props.
  Result Push(const Update& update, bool is_oldest, double now, const Rights& rights = {},
              bool is_known = true, const std::string& user = {}, const Rights& grants = {});

  // One transaction of another program: creates, updates, deletes and moves of rows where they are, each of
  // another row, and an entry in each realm that changes. Returns the rows as they were before.
  using AllRows = std::map<std::string, Rows>;  // by realm
  AllRows WriteForeign(const Vector<Op>& ops, double at);
  // What follows from it by the rules of refs, in an entry of its own.
  void FollowUp(const Vector<Op>& ops, const AllRows& before, double at);
  // An object as a client has it of a history that is lost. `at`: when it was changed last. `set`: null, too.
  struct Offer {
    Key key;
    std::map<std::string, Data> set;
    double at = 0;
    bool deletes = false;
  };
  // The objects of one realm that a client gives back, each by itself. `common`: the last revision that
  // both histories have. Returns how many are taken.
  size_t TakeBack(const std::string& realm, uint64_t common, const Vector<Offer>& offers, double at,
                  const Rights& rights, const std::string& user);
  // Whether no rule is broken: neither unique values nor refs.
  bool IsSound() const { return !BreaksRule(); }

  // The realm's log up to this revision is forgotten.
  void Forget(const std::string& realm, uint64_t floor);

  // What the user may do in every realm: by memberships, and by what the caller grants. A realm
  // that `grants` does not name grants nothing here.
  Rights RightsOf(const std::string& user, const Rights& grants) const;
  // The role of the user's membership, if the user has accepted it.
  May RoleOf(const std::string& realm, const std::string& user) const;
  bool IsInvited(const std::string& realm, const std::string& user) const;
  // From now on memberships that others make wait until they are accepted.
  void AskConsent() { asks_consent_ = true; }
  // An action that makes a row wrong by IsAboveMost is rejected.
  void UseAppRule() { has_app_rule_ = true; }

  // A pull up to `limit` entries of each realm. `filled`: the last key that the fill has reached,
  // unless it is `whole`; a pull that reaches all heads has a page with the next keys. Not
  // `has_changes`: the changes of the range are too large for the answer.
  Answer Pull(const std::string& client, const Cursors& cursors, const Names& have,
              const Scope& scope, const Cursors& limit, const std::string& filled, bool whole,
              bool has_changes) const;

  const Names& realms() const { return realms_; }
  const Rows& rows(const std::string& realm) const { return rows_.at(realm); }
  // The rows of all realms that these scopes want and the rights let read, as a client shows them:
  // of two with the same key, the one that was modified later.
  Rows Shown(const Scope& scope, const Rights& rights = {}) const;
  const Rows& StateAt(const std::string& realm, uint64_t revision) const {
    return states_.at(realm)[revision];
  }
  const Vector<Entry>& log(const std::string& realm) const { return log_.at(realm); }
  // The actions of a stream up to a revision, in order.
  Vector<std::string> StreamOf(const std::string& realm, const std::string& stream,
                               uint64_t upto) const;
  uint64_t head(const std::string& realm) const { return log_.at(realm).size(); }
  bool HasAction(const std::string& action) const { return actions_.contains(action); }
  // Every declared entry of these updates at or below `ends`, and every one of this client within
  // (from, ends].
  Own OwnOf(const std::string& client, const Names& have, const Cursors& from,
            const Cursors& ends) const;

 private:
  void Invite(const Op& op, const std::string& user, Rows* rows) const;
  struct Chain {
    Link last;
    std::map<std::string, Result> refused;
    uint64_t seen = 0;
  };
  std::optional<Result> ChainAnswer(const Update& update, bool is_oldest) const;
  using Place = std::pair<std::string, Key>;       // realm, key
  using Places = std::map<std::string, uint64_t>;  // realm -> revision
  uint64_t FloorOf(const std::string& realm) const;
  static void Heed(const Update& update, const std::string& realm, Chain* chain);
  bool IsRemembered(const Places& places) const;
  bool MayBeForgotten(const Update& update) const;
  bool MayCountTwice(const Update& update) const;
  bool IsOnForgotten(const Op& op, const Update& update) const;
  void FillDefaults(Rows* rows) const;
  void FillDefaults(AllRows* rows) const;
  std::string RealmOf(const std::string& realm, const Key& key, const Rights& rights) const;
  bool Move(const Place& from, const std::string& to, double at);
  // naive_undo.cc. Whether the realm's log, or this update, has what the op undoes.
  bool IsDone(const Update& update, const Op& op) const;
  void NoteVain(const Update& update, size_t action, const Vector<size_t>& places);
  bool MayUndo(const Update& update, const Op& op, bool* is_forbidden) const;
  bool IsUndoForgotten(const Update& update, const Op& op) const;
  bool WasDeletedBy(const Op& op, uint64_t revision, const Place& place) const;
  bool Restore(const Op& op, double at);
  bool Apply(const Update& update, const Op& pushed, double now, const Rights& rights,
             const std::string& user, bool* is_forbidden, bool* is_missing);
  bool Step(const Update& update, const Vector<size_t>& places, double now, Rights rights,
            const std::string& user, const Names& founded, Result* result);
  Rights RightsInStep(const Rights& had, const Rights& grants, const Names& founded,
                      const std::string& user) const;
  void Stamp(double at, Row* row) const;
  std::set<Place> MovedSince(const AllRows& before) const;
  bool FollowParents(const std::set<Place>& moved, double at, const Rights& rights);
  void CascadeDeletes(const Rights& rights);
  void SetNulls(double at);
  bool BreaksRule() const;
  bool BreaksAppRule(const AllRows& before) const;
  Names Founded(const Update& update, const Vector<size_t>& places, const Names& founded,
                const std::string& user) const;
  bool IsForbidden(const Update& update, const Vector<size_t>& places, const Rights& rights,
                   const std::string& user) const;
  bool LacksOwner(const AllRows& before, const Names& founded) const;
  bool WasThere(const Place& place) const;
  void TouchMasters(const AllRows& before, double at);
  bool HasTarget(const Ref& ref, const Row& row) const;
  std::string RealmOfParent(const Place& place, const Key& parent, const Rights& rights) const;
  Key TargetKey(const Ref& ref, const Row& row) const;
  void Log(const Update& update, double at);
  void LogForeign(double at);
  // What became of an object since some revision: by others before and after each change, and the time of the
  // last offer.
  struct Since {
    Vector<std::pair<std::optional<Row>, std::optional<Row>>> others;
    double last = -1;
  };
  Since ChangesSince(const std::string& realm, const Key& key, uint64_t common) const;
  bool IsGone(const std::string& realm, const Offer& offer, uint64_t common) const;
  std::optional<Op> Merged(const std::string& realm, const Offer& offer, uint64_t common) const;

  Tables tables_;
  Names realms_;
  Breaks broken_;
  bool asks_consent_ = false;
  bool has_app_rule_ = false;
  Defaults defaults_;
  AllRows rows_;
  std::map<Place, std::string> moved_;  // where an object went from there
  // The revision at which objects were moved away, or made and deleted by one update.
  std::map<Place, uint64_t> left_;
  Names vain_;                            // actions of this update that undo what is not in the log
  std::map<Place, std::string> origins_;  // of this step: the realm in which an object was before
  std::map<std::string, Vector<Entry>> log_;
  std::map<std::string, Vector<Rows>> states_;                   // by realm and revision
  std::map<std::pair<std::string, std::string>, Chain> chains_;  // realm, client
  std::map<std::string, Places> applied_;                        // of updates
  std::map<std::string, Places> actions_;
  std::map<std::string, uint64_t> floors_;  // by realm
  // By realm and revision: the objects that have taken an offer, and its time.
  std::map<std::pair<std::string, uint64_t>, std::map<Key, double>> offered_;
  std::map<std::string, double> given_back_;  // by realm: when the last offer was taken
  std::map<std::string, double> since_;  // when clients came first, if they had another identity
};

// A client's storage. Every method is one transaction.
class Client {
 public:
  Client(std::string name, Names realms, Scope scope, Breaks broken = {});

  struct Mutation {
    uint64_t key = 0;
    std::string action;
    Vector<Op> ops;
    std::string update;                     // in which it is grouped; empty: none
    std::map<std::string, uint64_t> known;  // in the log already: pending until pulled
  };
  struct Sent {
    Update update;
    std::string state = "new";
    Names confirmed;  // realms
  };

  std::string Mutate(Vector<Op> ops, uint64_t* serial);
  // Groups the next ungrouped mutations of one realm, in key order. A mutation that spans realms
  // gets an update of its own.
  void Group(size_t most, uint64_t* serial);
  Vector<Update> ToSend();
  void Answered(const std::string& id, const Result& result, const Server& server,
                uint64_t* serial);
  void Pulled(const Answer& answer);
  Rows Visible() const;

  std::string name;
  std::string id;
  std::map<std::string, Rows> base;  // by realm: each is replicated exactly, on its own
  Cursors cursors;
  std::string filled;
  bool whole = false;
  Vector<Mutation> mutations;
  Vector<Sent> outbox;
  Names inbox;                           // actions
  std::map<std::string, uint64_t> keys;  // of all actions ever
  int generation = 0;  // of the profile: a restored one hears no answers to the other
  Scope scope;
  Names Have() const;

 private:
  void Ungroup(size_t index, const Names& culprits,
               const std::map<std::string, std::map<std::string, uint64_t>>& known);
  void FoldOwn(const Answer& answer);
  void ApplyChanges(const Answer& answer);
  void ApplyPage(const Answer& answer);
  void Confirm(const Answer& answer);

  Breaks broken_;
  std::map<std::string, Link> chain_;
  uint64_t next_key_ = 0;
};

// The final result of a sequence of ops, object by object, of each action by itself.
Vector<Op> FoldOps(const Vector<Op>& ops);
Names RealmsOf(const Vector<Op>& ops);

}  // namespace skerry::test::naive

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_NAIVE_MODEL_H_
