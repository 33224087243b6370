// Admission: what becomes of pushed updates: one or many clients', in order, over one working set
// (group commit). Pure: it reads what it is given, asks for what it lacks, and hands back
// everything that is to be written.
//
// Use: fill Input, Begin, then Run until it says kDone; after kNeeds load what needs() names and
// call Settle; after kLock start anew with the realms of locks() locked too. Nothing that is not
// decided leaves a trace.
#ifndef SKERRY_AUTHORITY_ADMISSION_H_
#define SKERRY_AUTHORITY_ADMISSION_H_

#include <optional>
#include <string>

#include "authority/chain.h"
#include "authority/judgement.h"
#include "authority/scene.h"
#include "authority/working_set.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"

namespace skerry {

// What the log gains in one realm by one update.
struct LogEntry {
  std::string realm;
  uint64_t revision = 0;
  std::string client;
  std::string user;
  Data epoch;  // as the request named it
  std::string update;
  bool is_declared = false;
  Data actions = Data::MakeArray();  // as pushed; only where declared
  Data ops = Data::MakeArray();      // those of this realm, as pushed; only where declared
  Data base;
  Data answer;
  Data spans;  // {realm: revision} of all its entries where it has several
  Set<std::string> tables;
  Set<std::string> streams;
  uint64_t changes = 0;  // how many of skerry.change are its own
  uint64_t bytes = 0;    // about as many as their rows are, before and after
};
// What an entry did to a row.
struct LogChange {
  std::string realm;
  uint64_t revision = 0;
  ObjectKey key;
  std::optional<Row> before;  // in this realm
  bool is_touch = false;
};
struct LogAction {
  std::string realm;
  std::string id;
  uint64_t revision = 0;
};

class Admission {
 public:
  struct Request {
    std::string client;
    std::string user;
    Vector<Data> updates;  // as pushed
    Data epoch = {};       // of the lease under which they were pushed, for the log
    size_t rights = 0;     // which of Input::rights the caller has: those of this request's token
  };
  struct Refusal {
    std::string code;
    std::string detail;
  };
  struct Input {
    double now = 0;
    Map<std::string, RealmState> realms;
    Vector<Map<std::string, Right>> rights;
    Vector<LogAction> actions;
    Vector<Request> requests;
    Map<std::pair<std::string, std::string>, Refusal> refusals;  // client, update id
  };
  enum class Outcome { kNeeds, kLock, kDone };

  explicit Admission(const Schema* schema) : schema_(schema), rows_(schema) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // kInvalidArgument or kLimit where an update has no readable id or chain: the request itself is
  // wrong. REQUIRES: every request's `rights` are there.
  Status Begin(Input input);
  Chains& chains() { return chains_; }
  const Chains& chains() const { return chains_; }
  WorkingSet& rows() { return rows_; }
  Vector<WorkingSet::Final> final_rows() const { return rows_.Finals(); }

  Outcome Run();
  Needs TakeNeeds() { return rows_.TakeNeeds(); }
  const Set<std::string>& locks() const { return locks_; }

  double at() const { return at_; }
  // Null where an update was left out because those before it write enough for one commit.
  const Vector<Vector<Data>>& results() const { return results_; }
  const Vector<LogEntry>& entries() const { return entries_; }
  const Vector<LogChange>& changes() const { return changes_; }
  const Vector<LogAction>& new_actions() const { return new_actions_; }
  const Map<std::string, RealmState>& realms() const { return input_.realms; }

 private:
  // An update, parsed as far as that goes.
  struct Pushed {
    std::string id;
    ByRealm<Link> after;
    std::optional<Update> update;
    Vector<Rejection> faults;  // why it is not parsed
    Update unparsed;           // then: ids of its actions, and which of them each op comes from
    bool is_decided = false;
  };

  Status ParseUpdates();
  Result<Pushed> ParseOne(const Data& data) const;
  Scene SceneOf(const Request& request);
  // What the server has refused, before anything is asked; else null.
  const Refusal* RefusalOf(const Request& request, const Pushed& pushed) const;
  // False: rows or locks are missing.
  bool Decide(const Request& request, size_t index, Pushed* pushed, Data* result);
  std::optional<Data> ChainAnswer(const Request& request, size_t index, const Pushed& pushed);
  Data Refuse(const Request& request, const Pushed& pushed, const Vector<Rejection>& reasons,
              const KnownActions& known);
  const std::string& RememberingRealm(const Request& request, const Pushed& pushed);
  // What an update that could be applied is too large for.
  std::optional<Rejection> TooMuch() const;
  KnownActions FindKnown(const Pushed& pushed) const;
  Data Apply(const Request& request, const Data& wire, const Pushed& pushed,
             const Judgement& judgement);
  void ForgetNeeds();
  void PrefetchAll();
  void Guess(const Request& request, const Pushed& pushed);

  const Schema* schema_;
  WorkingSet rows_;
  Chains chains_;
  Input input_;
  double at_ = 0;
  int rounds_ = 0;
  size_t judged_ = 0;        // ops and rows, of the update that is being decided
  size_t before_bytes_ = 0;  // of what is in changes_
  Map<std::pair<std::string, std::string>, uint64_t> known_actions_;  // realm, action
  Vector<Vector<Pushed>> pushed_;
  Vector<Vector<Data>> results_;
  Vector<LogEntry> entries_;
  Vector<LogChange> changes_;
  Vector<LogAction> new_actions_;
  Set<std::string> locks_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ADMISSION_H_
