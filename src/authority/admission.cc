#include "authority/admission.h"

#include <algorithm>
#include <utility>

#include "authority/former_schema.h"
#include "authority/judge_update.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {
namespace {

Result<ByRealm<Link>> ParseAfter(const Data& data) {
  if (!data.is_object()) return Status(Code::kInvalidArgument, "an update without `after`");
  if (data.members().size() > kMaxRealmsPerUpdate) {
    return Status(Code::kLimit,
                  "an update names at most " + std::to_string(kMaxRealmsPerUpdate) + " realms");
  }
  ByRealm<Link> after;
  for (const auto& [realm, link] : data.members()) {
    if (realm.empty() || realm.size() > kMaxIdBytes) {
      return Status(Code::kInvalidArgument, "a malformed realm");
    }
    if (link.is_null()) {
      after.emplace_back(realm, Link{});
      continue;
    }
    const uint64_t seq = link["seq"].as_u64();
    const std::string& id = link["id"].as_string();
    if ((seq == 0) != id.empty()) {
      return Status(Code::kInvalidArgument, "`after` names no update");
    }
    after.emplace_back(realm, Link{seq, id});
  }
  Sort(after.begin(), after.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return after;
}

}  // namespace

Status Admission::Begin(Input input) {
  input_ = std::move(input);
  at_ = input_.now;
  for (const auto& [realm, state] : input_.realms) at_ = std::max(at_, state.head_at + 1);
  for (const LogAction& action : input_.actions) {
    known_actions_[{action.realm, action.id}] = action.revision;
  }
  return ParseUpdates();
}

Status Admission::ParseUpdates() {
  for (const Request& request : input_.requests) {
    Vector<Pushed> parsed;
    for (const Data& data : request.updates) {
      Result<Pushed> one = ParseOne(data, request.is_older);
      if (!one.ok()) return one.status();
      if (one.value().update) NoteUndone(*one.value().update);
      if (input_.validates) one.value().app_rules.emplace(schema_);
      parsed.push_back(std::move(one.value()));
    }
    pushed_.push_back(std::move(parsed));
    results_.emplace_back(request.updates.size());
  }
  return Status::Ok();
}

// The id and `after` must be readable, so that a rejection can be remembered. A fault in the rest
// is a result (`rejected`), not an error of the request.
Result<Admission::Pushed> Admission::ParseOne(const Data& pushed_data, bool is_older) const {
  Pushed pushed;
  if (is_older) Trim(pushed_data, &pushed);
  const Data& data = pushed.trimmed ? *pushed.trimmed : pushed_data;
  pushed.id = data["id"].as_string();
  if (pushed.id.empty() || pushed.id.size() > kMaxIdBytes) {
    return Status(Code::kInvalidArgument, "an update without an id");
  }
  Result<ByRealm<Link>> after = ParseAfter(data["after"]);
  if (!after.ok()) return after.status();
  pushed.after = std::move(after.value());
  Vector<OpProblem> problems;
  Result<Update> update = UpdateFromData(*schema_, data, &problems);
  if (update.ok()) {
    pushed.update = std::move(update.value());
    return pushed;
  }
  // The part of the update that the answer needs to name ops and actions.
  for (const Data& action : data["actions"].items()) {
    pushed.unparsed.actions.push_back({action["id"].as_string(), "", "", 0});
  }
  for (const Data& op : data["ops"].items()) {
    pushed.unparsed.ops.emplace_back();
    for (const Data& place : op["by"].items()) {
      pushed.unparsed.ops.back().by.push_back(static_cast<uint32_t>(place.as_u64(UINT32_MAX)));
    }
    if (op["by"].is_null()) pushed.unparsed.ops.back().by.push_back(0);
  }
  for (const OpProblem& problem : problems) {
    const auto op = static_cast<uint32_t>(problem.op);
    pushed.faults.push_back({op, CodeName(problem.status.code()), problem.status.detail()});
  }
  if (problems.empty()) {
    pushed.faults.push_back({{}, CodeName(update.status().code()), update.status().detail()});
  }
  return pushed;
}

Admission::Outcome Admission::Run() {
  locks_.clear();
  if (input_.owed) return RunOwed();
  if (input_.offered) return RunOffered();
  DropQuestions();
  ++rounds_;
  while (ahead_ != Ahead::kNothing) {
    AskAhead(ahead_);
    ahead_ = ahead_ == Ahead::kRights ? Ahead::kRows : Ahead::kNothing;
    if (rows_.has_needs()) return Outcome::kNeeds;
  }
  bool is_stuck = false;
  Waiting waiting;
  for (size_t r = 0; r < pushed_.size(); ++r) {
    for (size_t i = 0; i < pushed_[r].size(); ++i) {
      Pushed& pushed = pushed_[r][i];
      const Request& request = input_.requests[r];
      if (pushed.is_decided || IsPostponed(request, &pushed)) continue;
      if (before_bytes_ > kMaxBeforeBytesPerCommit) return Outcome::kDone;
      if (is_stuck) {
        if (rounds_ <= kMaxLookAheadRounds) LookAhead(request, i, &pushed, waiting);
      } else if (Decide(request, i, &pushed, &results_[r][i])) {
        pushed.is_decided = true;
      } else {
        is_stuck = true;
      }
      if (is_stuck) NoteWaiting(request, pushed, &waiting);
    }
  }
  if (rows_.has_needs()) return Outcome::kNeeds;
  if (!locks_.empty()) return Outcome::kLock;
  return waiting.questions > 0 ? Outcome::kRules : Outcome::kDone;
}

Scene Admission::SceneOf(const Request& request) {
  return SceneFor(request.client, request.user, input_.rights[request.rights]);
}

Scene Admission::SceneFor(const std::string& client, const std::string& user,
                          const Map<std::string, Right>& rights) {
  Scene scene;
  scene.schema = schema_;
  scene.rows = &rows_;
  scene.realms = &input_.realms;
  scene.rights = &rights;
  scene.locks = &locks_;
  scene.client = client;
  scene.user = user;
  scene.at = at_;
  scene.asks_consent = input_.asks_consent;
  return scene;
}

const Admission::Refusal* Admission::RefusalOf(const Request& request, const Pushed& pushed) const {
  const auto found = input_.refusals.find({request.client, pushed.id});
  return found == input_.refusals.end() ? nullptr : &found->second;
}

std::optional<Data> Admission::ChainAnswer(const Request& request, size_t index,
                                           const Pushed& pushed) {
  const Data* answer = nullptr;
  switch (chains_.Judge(request.client, pushed.id, pushed.after, index == 0, &answer)) {
    case ChainVerdict::kDuplicate:
      return Data(*answer).Set("status",
                               kPushStatuses[static_cast<size_t>(PushStatus::kDuplicate)]);
    case ChainVerdict::kRefused:
      return *answer;
    case ChainVerdict::kForked:
      return PlainResult(pushed.id, PushStatus::kForked);
    case ChainVerdict::kHeld:
      return PlainResult(pushed.id, PushStatus::kHeld);
    case ChainVerdict::kUnknownClient:
      return PlainResult(pushed.id, PushStatus::kUnknownClient);
    case ChainVerdict::kAdmit:
      break;
  }
  return std::nullopt;
}

bool Admission::Decide(const Request& request, size_t index, Pushed* pushed, Data* result) {
  if (std::optional<Data> answer = ChainAnswer(request, index, *pushed)) {
    *result = std::move(*answer);
    return true;
  }
  if (const auto* refusal = RefusalOf(request, *pushed); refusal != nullptr) {
    *result = Refuse(request, *pushed, {{{}, refusal->code, refusal->detail}}, {});
    return true;
  }
  if (!pushed->update) {
    *result = Refuse(request, *pushed, pushed->faults, {});
    return true;
  }
  if (const KnownActions known = FindKnown(request, *pushed); !known.empty()) {
    const Rejection reason{{}, "known_action", "an action of this update is in the log already"};
    *result = Refuse(request, *pushed, {reason}, known);
    return true;
  }
  if (const Vector<Rejection> forgotten = FindForgotten(request, *pushed->update);
      !forgotten.empty()) {
    *result = Refuse(request, *pushed, forgotten, {});
    return true;
  }
  if (const Vector<Rejection> counted = FindCounted(request, *pushed->update); !counted.empty()) {
    *result = Refuse(request, *pushed, counted, {});
    return true;
  }
  rows_.Begin();
  Scene scene = SceneOf(request);
  if (pushed->app_rules) scene.app_rules = &*pushed->app_rules;
  const UpdateJudgement judgement = JudgeUpdate(scene, *pushed->update, kMaxAdmissionWork);
  const bool is_incomplete = rows_.has_needs() || !locks_.empty();
  if (!is_incomplete && pushed->app_rules && pushed->app_rules->has_questions()) {
    rows_.Rollback();
    return false;
  }
  judged_ += judgement.work;
  const bool may_go_on = rounds_ <= kMaxAdmissionRounds && judged_ <= kMaxAdmissionWork;
  if (is_incomplete && may_go_on) {
    rows_.Rollback();
    return false;
  }
  judged_ = 0;
  Vector<Rejection> reasons = judgement.rejections;
  if (is_incomplete || judgement.is_too_much) {
    reasons = {{{}, "limit", "it changes too many rows by cascade rules"}};
  } else if (reasons.empty()) {
    if (std::optional<Rejection> reason = ExceededLimit()) reasons.push_back(std::move(*reason));
  }
  if (!reasons.empty()) {
    rows_.Rollback();
    *result = Refuse(request, *pushed, reasons, {});
    if (is_incomplete) ForgetNeeds();
    return true;
  }
  *result = Apply(request, pushed->trimmed ? *pushed->trimmed : request.updates[index], *pushed,
                  judgement);
  if (!ChangesOnlyItsRealms(*pushed)) ForgetAnswers();
  rows_.Commit();
  return true;
}

std::optional<Rejection> Admission::ExceededLimit() const {
  if (rows_.changed_objects() > kMaxRowsPerUpdate) {
    return Rejection{
        {}, "limit", "it changes more than " + std::to_string(kMaxRowsPerUpdate) + " objects"};
  }
  size_t bytes = 0;
  for (const auto& [key, before] : rows_.changes()) bytes += LoggedBytes(before);
  if (bytes <= kMaxPriorRowBytes) return std::nullopt;
  return Rejection{
      {},
      "limit",
      "the objects that it changes have more than " + std::to_string(kMaxPriorRowBytes) + " bytes"};
}

// The realm whose chain remembers the rejection: the first in which the author may write, else the
// first of all. A chain forgets its rejections when an update is applied in its realm, which never
// happens where the author may not write.
const std::string& Admission::RealmOfRejection(const Request& request, const Pushed& pushed) {
  const Scene scene = SceneOf(request);
  for (const auto& [realm, link] : pushed.after) {
    const auto state = input_.realms.find(realm);
    const bool exists = state != input_.realms.end() && scene.Exists(realm, state->second);
    if (exists && scene.RightIn(realm) >= Right::kWrite) return realm;
  }
  return pushed.after.front().first;
}

Data Admission::Refuse(const Request& request, const Pushed& pushed,
                       const Vector<Rejection>& reasons, const KnownActions& known) {
  const Update& update = pushed.update ? *pushed.update : pushed.unparsed;
  PushResult result = RejectedResult(pushed.id, update.actions, update.ops, reasons, known,
                                     pushed.after.size() == 1);
  RestorePlaces(pushed, &result);
  const Data answer = WriteMembers(result);
  // An update that names no realm can never be applied, so nothing needs to be remembered.
  if (!pushed.after.empty()) {
    chains_.Refuse(request.client, pushed.id, RealmOfRejection(request, pushed), answer);
  }
  return answer;
}

Data Admission::Apply(const Request& request, const Data& wire, const Pushed& pushed,
                      const Judgement& judgement) {
  // What undoes nothing appends nothing.
  Vector<uint64_t> skipped;
  for (const uint32_t place : judgement.noops) {
    if (pushed.update->ops[place].Has(kOnStream)) skipped.push_back(place);
  }
  Map<std::string, LogEntry> entries;
  for (const auto& [realm, link] : pushed.after) {
    LogEntry& entry = entries[realm];
    entry.seq = link.seq + 1;
    entry.actions = wire["actions"].is_array() ? wire["actions"] : Data::MakeArray();
    entry.base = wire["base"];
  }
  for (size_t i = 0; i < pushed.update->ops.size(); ++i) {
    const Op& op = pushed.update->ops[i];
    LogEntry& entry = entries[op.realm];
    // What is logged has the present names, however long ago it was made.
    entry.ops.Push(HasFormerNames(*schema_) ? OpToData(*schema_, op, pushed.update->actions.size())
                                            : wire["ops"].items()[i]);
    if (op.Has(kOnStream) && !std::binary_search(skipped.begin(), skipped.end(), i))
      entry.streams[op.stream] += op.by.size();
  }
  Vector<LogChange> changes = NoteChanges(request.client, judgement.touched, &entries);
  PushResult applied;
  applied.id = pushed.id;
  applied.status = PushStatus::kApplied;
  applied.at = at_;
  applied.noops.assign(judgement.noops.begin(), judgement.noops.end());
  applied.lost.gone.assign(judgement.gone.begin(), judgement.gone.end());
  applied.lost.missing.assign(judgement.missing.begin(), judgement.missing.end());
  applied.lost.not_appended = skipped;
  RestorePlaces(pushed, &applied);
  applied.lost.dropped = pushed.dropped;
  const Set<uint32_t> vain = VainActions(*pushed.update, judgement);
  const Data spans = NumberEntries(&entries);
  for (const auto& [realm, entry] : entries) {
    if (entry.is_declared()) applied.revisions[realm] = entry.revision;
  }
  const Data answer = WriteMembers(applied);
  for (auto& [realm, entry] : entries) {
    entry.client = request.client;
    entry.user = request.user;
    entry.epoch = request.epoch;
    entry.update = pushed.id;
    if (entry.is_declared()) entry.answer = answer;
    if (entries.size() > 1) entry.spans = spans;
    for (uint32_t place = 0; place < pushed.update->actions.size(); ++place) {
      if (!entry.is_declared()) break;
      // What undoes nothing is not in the log: its own undo must do nothing, too.
      if (vain.contains(place)) continue;
      const Action& action = pushed.update->actions[place];
      known_actions_[{realm, action.id}] = entry.revision;
      new_actions_.push_back({realm, action.id, entry.revision});
    }
    if (!entry.streams.empty()) {
      const Update& update = *pushed.update;
      for (auto& [stream, action] :
           AppendsOf(update.actions, update.ops, skipped, realm, entry.revision, at_, request.user))
        appends_.push_back({realm, stream, std::move(action)});
    }
    NoteDone(entry, changes);
    entries_.push_back(std::move(entry));
  }
  std::move(changes.begin(), changes.end(), std::back_inserter(changes_));
  chains_.Advance(request.client, pushed.id, pushed.after, answer);
  return answer;
}

}  // namespace skerry
