// Admission decides whether pushed updates are applied: the updates of one or more clients, in
// order, over one working set (group commit). It does no I/O: the caller loads the rows that it
// asks for, and writes the lists that it returns.
//
// Use: fill Input, call Begin, then Run until it returns kDone. After kNeeds, load the rows that
// TakeNeeds() names and call rows().Settle(). After kRules, put TakeQuestions() to the rules of the
// application, and call AnswerRules. After kLock, begin a new Admission with the realms of locks()
// locked as well. An update that is not decided yet changes nothing.
#ifndef SKERRY_AUTHORITY_ADMISSION_H_
#define SKERRY_AUTHORITY_ADMISSION_H_

#include <optional>
#include <string>

#include "authority/app_rules.h"
#include "authority/chain.h"
#include "authority/judgement.h"
#include "authority/scene.h"
#include "authority/working_set.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/stream_action.h"
#include "log/wire/offers.h"
#include "log/wire/owed.h"

namespace skerry {

// Whether a client has taken over mutations of an earlier identity, which may have been applied
// under that one.
struct Follows {
  bool is_said = false;         // the request has some of them
  std::optional<double> since;  // ms, when this identity began, if it is known to follow another
};

// One update's entry in the log of one realm.
struct LogEntry {
  std::string realm;
  uint64_t revision = 0;
  std::string client;
  std::string user;
  Data epoch;  // as in the request
  std::string update;
  uint64_t seq = 0;  // of the update in the client's chain; 0: its `after` does not name this realm
  Data actions = Data::MakeArray();  // as pushed; only where declared
  Data ops = Data::MakeArray();      // those of this realm, as pushed; only where declared
  Data base;
  Data answer;
  Data spans;  // {realm: revision} of all entries of the update, where it has several
  Set<std::string> tables;
  Map<std::string, uint64_t> streams;  // and how many actions each got
  uint64_t changes = 0;                // the number of its rows in skerry.change
  uint64_t bytes = 0;                  // the approximate size of these rows, before and after
  bool is_declared() const { return seq > 0; }
};
// What an entry did to one row.
struct LogChange {
  std::string realm;
  uint64_t revision = 0;
  ObjectKey key;
  std::optional<Row> before;           // empty: the row was not in this realm
  bool is_touch = false;               // only the time changed, because a detail row did
  std::optional<double> offered = {};  // ms, as in wire::LoggedChange
};
struct LogAction {
  std::string realm;
  std::string id;
  uint64_t revision = 0;
};
// An action that an entry appended to a stream.
struct LogAppend {
  std::string realm;
  std::string stream;
  StreamAction action;
};

// The approximate size of a row as JSON text, with the names of its props: an estimate of what it
// will cost to read and send the row.
uint64_t LoggedBytes(const std::optional<Row>& row);

class Admission {
 public:
  struct Request {
    std::string client;
    std::string user;
    Vector<Data> updates;  // as pushed
    Data epoch = {};       // of the lease under which the client pushed them; for the log
    size_t rights = 0;     // index into Input::rights: what the request may besides memberships
    Follows follows = {};
    // The client is of an earlier release: what this schema has no place for is left out.
    bool is_older = false;
    Times sent = {};  // as wire::PushRequest::sent
  };
  // The server's own rejection of an update, made before the rules are asked.
  struct Refusal {
    std::string code;
    std::string detail;
  };
  struct Input {
    double now = 0;                       // the database's clock, ms
    bool asks_consent = true;             // see Scene
    bool validates = false;               // the application has rules
    Map<std::string, RealmState> realms;  // those that are locked
    Vector<Map<std::string, Right>> rights;
    Vector<LogAction> actions;
    Vector<Request> requests;
    Map<std::pair<std::string, std::string>, Refusal> refusals;  // client, update id
    std::optional<wire::OwedConsequences> owed;                  // instead of requests
    std::optional<wire::OfferedRows> offered;  // instead of requests, with the first of `rights`
  };
  enum class Outcome { kNeeds, kLock, kRules, kDone };

  explicit Admission(const Schema* schema) : schema_(schema), rows_(schema) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Returns kInvalidArgument or kLimit if the id or `after` of an update cannot be read: then the
  // whole request is wrong. REQUIRES: every request's `rights` is an index into Input::rights.
  Status Begin(Input input);
  Chains& chains() { return chains_; }
  const Chains& chains() const { return chains_; }
  WorkingSet& rows() { return rows_; }
  Vector<WorkingSet::Final> final_rows() const { return rows_.Finals(); }
  // What the log has of rows that are offered.
  void LoadSince(const Vector<wire::ChangedSince>& changes);

  Outcome Run();
  Needs TakeNeeds() { return rows_.TakeNeeds(); }
  const Set<std::string>& locks() const { return locks_; }
  // Each a wire::RuleQuestion.
  Vector<Data> TakeQuestions();
  // To the questions that were taken last. kInvalidArgument: they are no answers to these.
  Status AnswerRules(const Vector<wire::RuleAnswer>& answers);

  // The time of this commit, ms: later than the head of every realm, and not before Input::now.
  double at() const { return at_; }
  // By request and update, in order. Null: not decided, because the updates before it already
  // write as much as one commit may, or because a rule of the application failed.
  const Vector<Vector<Data>>& results() const { return results_; }
  const Vector<wire::FailedRule>& failed() const { return failed_; }
  const Vector<LogEntry>& entries() const { return entries_; }
  const Vector<LogChange>& changes() const { return changes_; }
  const Vector<LogAction>& new_actions() const { return new_actions_; }
  const Vector<LogAppend>& appends() const { return appends_; }
  const Map<std::string, RealmState>& realms() const { return input_.realms; }
  // Refs that `restrict` does not allow, of what is owed.
  size_t unmet() const { return unmet_; }
  const std::optional<wire::OffersTaken>& offers() const { return offers_; }

 private:
  // A pushed update, parsed as far as possible.
  struct Pushed {
    std::string id;
    ByRealm<Link> after;
    std::optional<Update> update;  // empty: it could not be parsed
    Vector<Rejection> faults;      // the reasons then
    // Of an earlier release's update that was trimmed: what is admitted, the places of its ops in
    // what was pushed, and `dropped` of the result.
    std::optional<Data> trimmed;
    Vector<uint32_t> places;
    Vector<DroppedOp> dropped;
    Update unparsed;  // then: action ids, and the actions that each op comes from
    bool is_decided = false;
    std::optional<AppRules> app_rules;  // what they say of it
  };
  // Updates that are not decided yet, while later ones are looked at.
  struct Waiting {
    Set<std::string> clients, realms;
    size_t questions = 0;
  };

  // What is asked for before any update is judged.
  enum class Ahead { kRights, kRows, kNothing };

  Status ParseUpdates();
  Result<Pushed> ParseOne(const Data& data, bool is_older) const;
  void Trim(const Data& data, Pushed* pushed) const;
  static void RestorePlaces(const Pushed& pushed, PushResult* result);
  Scene SceneOf(const Request& request);
  Scene SceneFor(const std::string& client, const std::string& user,
                 const Map<std::string, Right>& rights);
  // Null if the server did not reject the update itself.
  const Refusal* RefusalOf(const Request& request, const Pushed& pushed) const;
  // Returns false if rows or locks are missing; then the update is judged again in the next round.
  bool Decide(const Request& request, size_t index, Pushed* pushed, Data* result);
  std::optional<Data> ChainAnswer(const Request& request, size_t index, const Pushed& pushed);
  Data Refuse(const Request& request, const Pushed& pushed, const Vector<Rejection>& reasons,
              const KnownActions& known);
  const std::string& RealmOfRejection(const Request& request, const Pushed& pushed);
  // The rejection of an update that breaks no rule but changes too much; else empty.
  std::optional<Rejection> ExceededLimit() const;
  KnownActions FindKnown(const Request& request, const Pushed& pushed);
  // The actions that may have been in what the log has forgotten.
  Vector<Rejection> FindForgotten(const Request& request, const Update& update);
  Vector<Rejection> FindCounted(const Request& request, const Update& update);
  Data Apply(const Request& request, const Data& wire, const Pushed& pushed,
             const Judgement& judgement);
  // admission_entries.cc
  // The changes of the update that was judged; their entries are added to `entries`.
  Vector<LogChange> NoteChanges(const std::string& client, const Set<PlacedKey>& touched,
                                Map<std::string, LogEntry>* entries);
  // Gives the entries their revisions; returns these by realm.
  Data NumberEntries(Map<std::string, LogEntry>* entries);
  // `gone`: rows of which is noted, besides, that they are not there.
  void LogInOneName(const std::string& client, const std::string& user, const std::string& update,
                    const Set<PlacedKey>& touched, const Set<PlacedKey>& gone = {});
  // admission_owed.cc
  Outcome RunOwed();
  // admission_offered.cc
  struct OfferRun;
  Outcome RunOffered();
  void TakeOffer(const Op& offer, const PlacedKey& key, OfferRun* run);
  void TakeOffers(OfferRun* run);
  void LogOffers(OfferRun* run);
  // admission_rules.cc
  bool IsPostponed(const Request& request, Pushed* pushed);
  template <typename Visit>
  void EachAppRules(Visit visit);
  void DropQuestions();
  bool MayAskAhead(const Request& request, size_t index, const Pushed& pushed,
                   const Waiting& waiting);
  static void NoteWaiting(const Request& request, const Pushed& pushed, Waiting* waiting);
  bool ChangesOnlyItsRealms(const Pushed& pushed) const;
  void ForgetAnswers();
  // admission_undo.cc
  void NoteUndone(const Update& update);
  static Set<uint32_t> VainActions(const Update& update, const Judgement& judgement);
  void NoteDone(const LogEntry& entry, const Vector<LogChange>& changes);
  void ForgetNeeds();
  void AskAhead(Ahead step);
  void LookAhead(const Request& request, size_t index, Pushed* pushed, const Waiting& waiting);

  const Schema* schema_;
  WorkingSet rows_;
  Chains chains_;
  Input input_;
  double at_ = 0;
  int rounds_ = 0;
  Ahead ahead_ = Ahead::kRights;
  size_t judged_ = 0;        // ops and rows of the current update, over all rounds
  size_t before_bytes_ = 0;  // of all `before` in changes_
  size_t unmet_ = 0;
  std::optional<wire::OffersTaken> offers_;
  std::optional<AppRules> offer_rules_;  // what they say of what is offered
  Map<std::pair<std::string, std::string>, uint64_t> known_actions_;  // realm, action
  Vector<Vector<Pushed>> pushed_;
  Vector<Vector<Data>> results_;
  Vector<LogEntry> entries_;
  Vector<LogChange> changes_;
  Vector<LogAction> new_actions_;
  Vector<LogAppend> appends_;
  Set<std::string> locks_;
  Vector<std::pair<AppRules*, size_t>> asked_;  // whose questions were taken, and how many
  Vector<wire::FailedRule> failed_;
  Set<std::string> postponed_;  // clients
  Set<std::string> undone_;     // ids of the actions that the updates undo
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ADMISSION_H_
