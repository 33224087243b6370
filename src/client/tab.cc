// The events of a window, and the messages of other windows and workers.
#include "client/tab.h"

#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "base/vector.h"
#include "client/effect.h"
#include "model/filter.h"

namespace skerry {

Tab::Tab(const Schema* schema, View* view, TabOptions options)
    : schema_(schema), view_(view), options_(std::move(options)), mirror_(schema, view) {}

namespace {

// Moves the member out, because results may be large.
Data TakeMember(Data* object, std::string_view name) {
  if (!object->is_object()) return {};
  for (auto& [key, value] : object->mutable_members()) {
    if (key == name) return std::move(value);
  }
  return {};
}

}  // namespace

void Tab::Handle(Data event, Data* effects) {
  now_ = event["now"].as_number(now_);
  const std::string type = event["type"].as_string();
  if (type == "read") {
    // The reply must be the first effect, so nothing else is emitted with it.
    OnRead(event["id"].as_u64(), TakeMember(&event, "results"), effects);
    return;
  }
  if (type == "done") {
    OnDone(event["id"].as_u64(), event["keys"], effects);
    ReleaseMessages(effects);
  } else if (type == "failed") {
    OnFailed(event["id"].as_u64(), event["error"], effects);
    ReleaseMessages(effects);
  } else if (type == "message" || type == "post") {
    OnMessage(event["message"], effects);
  } else if (type == "open") {
    if (!ready_ && !loading_.active()) StartLoading(effects);
  } else if (type == "state") {
    // Nothing has happened; TellState below emits the state.
  } else if (type == "imageLoaded") {
    OnImageLoaded(event, effects);
  } else if (type == "timer") {
    const std::string& name = event["name"].as_string();
    if (name == "commit") {
      if (committing_.is_waiting()) committing_.Waited();
      TryCommit(effects);
    } else if (name == "logged") {
      effects->Push(BroadcastEffect(std::move(logged_)));
      logged_ = Data();
    } else if (name == "kept" && ready_ && !freeze_.is_frozen()) {
      RequestReading(effects);
      effects->Push(PostEffect(Fields{{"type", "mutated"}}));
    } else if (name == "reread" && ready_) {
      RequestReading(effects);
      if (!refused_.empty() || !unknown_.empty()) RequestConflicts(effects);
    }
  } else if (type == "freeze") {
    Freeze(event["ends"].as_bool(), effects);
  } else if (type == "still") {
    StandStill(effects);
  } else if (type == "leave") {
    page_may_end_ = true;
    TellLeft(effects);
  } else if (type == "resume") {
    OnResume(effects);
  } else if (type == "scopes") {
    OnScopes(event, effects);
  } else if (type == "resolve") {
    Tx tx;
    tx.kind = Kind::kResolve;
    tx.entry = event["id"].as_u64();
    tx.retry = event["how"].Is("retry");
    Transact(std::move(tx), {Store::kConflicts, Store::kMutations},
             OneRead(RangeRead(Store::kConflicts)), TransactionMode::kWriteStrict, effects);
  } else {
    effects->Push(ProblemEffect(static_cast<int>(Code::kInvalidArgument), "unknown event " + type));
  }
  TellPromises(effects);
  TellState(effects);
}

// Messages were lost during the freeze, and what was under way may or may not have been stored.
void Tab::OnResume(Data* effects) {
  freeze_.End();
  // A reading from before the freeze is older than the messages that were lost.
  if (unapplied_reading_ != 0) messages_lost_ = true;
  if (!ready_) {
    if (!loading_.active()) StartLoading(effects);
    return;
  }
  committing_.ReadFirst();
  if (committing_.is_waiting()) {
    effects->Push(Fields{{"type", "cancel"}, {"name", "commit"}});
    committing_.Waited();
  }
  RequestReading(effects);
  TryCommit(effects);
  if (!refused_.empty() || !unknown_.empty()) RequestConflicts(effects);
}

void Tab::OnMessage(const Data& message, Data* effects) {
  const std::string& type = message["type"].as_string();
  if (type == "pushed") return OnPushed(message, effects);
  if (type == "status") {
    // The window that stored the last record may have died before it broadcast it: then only the
    // number of the record is known, from a status.
    if (ready_ && message["n"].as_u64() > mirror_.n())
      effects->Push(TimerEffect("reread", kRereadMs));
    OnStatus(message["shared"]);
    OnStatus(message["status"]);
    return;
  }
  if (type == "kept") {
    effects->Push(TimerEffect("kept", kRereadMs));
    return;
  }
  if (unapplied_reading_ != 0) {
    if (messages_.size() < kMaxHeldMessages) {
      messages_.push_back(message);
    } else {
      messages_lost_ = true;
    }
    return;
  }
  if (type == "left") {
    // Such a message comes before the mutation is stored: a reading that is under way may not
    // contain it.
    if (reading_queued_ || !ready_ || loading_.active()) {
      messages_lost_ = true;
    } else {
      RequestReading(effects);
    }
    return;
  }
  // Loading reads everything, and nothing that was heard before its `read` can be newer.
  if (!ready_ || loading_.active()) return;
  if (type == "added") {
    OnAdded(message, effects);
  } else if (type == "record") {
    const UpdateRecord record = UpdateRecord::Read(message["record"]);
    OnFit(mirror_.Record(record), effects);
    if (!AllFilled() || record.kind == UpdateKind::kScopes) RequestSync(effects);
  } else if (type == "conflicts") {
    RequestConflicts(effects);
  } else if (type == "unreadable") {
    if (message["damaged"].as_bool()) {
      effects->Push(
          Fields{{"type", "notify"},
                 {"kind", "dataLost"},
                 {"detail", "the record of what is in step was damaged; filling afresh"}});
    }
    StartLoading(effects);
    return;
  }
  if (mirror_.WantsReading()) RequestReading(effects);
}

void Tab::ReleaseMessages(Data* effects) {
  if (unapplied_reading_ != 0) return;
  const Vector<Data> messages = std::move(messages_);
  messages_.clear();
  for (const Data& message : messages) OnMessage(message, effects);
  if (messages_lost_ && ready_ && !loading_.active() && !reading_queued_) {
    messages_lost_ = false;
    RequestReading(effects);
  }
}

void Tab::OnAdded(const Data& message, Data* effects) {
  if (message["tab"].as_string() == options_.tab) return;
  for (const Data& item : message["items"].items()) {
    const Fit fit = mirror_.Added(item);
    if (fit == Fit::kDamaged || fit == Fit::kNewer) OnFit(fit, effects);
  }
}

void Tab::OnPushed(const Data& message, Data* effects) {
  for (const Data& result : message["results"].items()) {
    const std::string& status = result["status"].as_string();
    const bool accepted = status == "applied" || status == "duplicate" || status == "known";
    if (!accepted && status != "rejected") continue;
    std::string code;
    if (!accepted) code = result["code"].is_string() ? result["code"].as_string() : "rejected";
    for (const Data& id : result["mutations"].items()) {
      promises_.Pushed(id.as_string(), code, result["detail"].as_string(), effects);
    }
  }
}

void Tab::OnStatus(const Data& status) {
  if (status["clockOffsetMs"].is_number()) clock_offset_ = status["clockOffsetMs"].as_number();
  if (status["lastSyncedAt"].is_number()) last_synced_ = status["lastSyncedAt"].as_number();
}

void Tab::OnFit(Fit fit, Data* effects) {
  switch (fit) {
    case Fit::kApplied:
    case Fit::kKnown:
      return;
    case Fit::kGap:
    case Fit::kDamaged:  // storage may have an intact copy
      return RequestReading(effects);
    case Fit::kNewer:
      if (!newer_reported_) {
        effects->Push(
            Fields{{"type", "notify"}, {"kind", "updateNeeded"}, {"reason", "newer-tab"}});
      }
      newer_reported_ = true;
      return;
  }
}

// Each scope is checked by itself: a wrong one does not stop the others.
void Tab::OnScopes(const Data& event, Data* effects) {
  Data message = Fields{{"type", "scopes"}};
  for (const char* which : {"add", "drop"}) {
    Data accepted = Data::MakeArray();
    for (const Data& scope : event[which].items()) {
      if (const Status status = CheckScope(scope); status.ok()) {
        accepted.Push(scope);
      } else {
        Data problem = ProblemEffect(static_cast<int>(status.code()), status.detail());
        effects->Push(std::move(problem.Set("scope", scope)));
      }
    }
    message.Set(which, std::move(accepted));
  }
  effects->Push(PostEffect(std::move(message)));
}

Status Tab::CheckScope(const Data& scope) const {
  const std::string& name = scope["table"].as_string();
  const TableIndex table = schema_->FindTable(name);
  if (table == kNone) return {Code::kUnknownTable, "no table " + name};
  return ParseFilter(*schema_, schema_->table(table), scope["where"], false).status();
}

void Tab::TellPromises(Data* effects) {
  Told told = mirror_.TakeTold();
  TellAdded(std::move(told.found), effects);
  for (const std::string& id : told.durable) promises_.Durable(id, effects);
  for (const std::string& id : told.confirmed) promises_.Confirmed(id, effects);
  for (const Refusal& refusal : told.refused) {
    if (!refusal.code.empty()) {
      promises_.Refused(refusal.id, refusal.code, refusal.detail, effects);
    } else if (promises_.Has(refusal.id)) {
      refused_.push_back(refusal.id);
    }
  }
  for (const std::string& id : told.unknown) {
    if (promises_.Has(id)) unknown_.push_back(id);
  }
  if (!told.refused.empty() || !unknown_.empty()) RequestConflicts(effects);
}

void Tab::TakeSync(const SyncRecord& sync, Data* effects) {
  clock_offset_ = sync.clock_offset.value_or(clock_offset_);
  last_synced_ = sync.last_synced_at;
  scopes_ = sync.scopes;
  // Data that only a newer version knows is not shown.
  if (IsOfNewer(*schema_, sync)) OnFit(Fit::kNewer, effects);
}

bool Tab::AllFilled() const {
  for (const SyncScope& scope : scopes_) {
    if (!scope.filled.whole) return false;
  }
  return true;
}

void Tab::TellState(Data* effects) {
  const PendingList& pending = mirror_.pending();
  const char* phase = !ready_                               ? "opening"
                      : !loading_.active()                  ? "ready"
                      : loading_.step() == LoadStep::kImage ? "loading"
                                                            : "reloading";
  const Pending* first = pending.First();
  Data state =
      Fields{{"type", "state"},
             {"phase", phase},
             {"n", mirror_.n()},
             {"cursors", ToData(mirror_.cursors())},
             {"pending", static_cast<uint64_t>(pending.size())},
             {"unsaved", static_cast<uint64_t>(pending.unkeyed_count())},
             {"oldestPendingAt", first == nullptr ? Data() : Data(first->mutation.action.at)},
             {"conflicts", static_cast<uint64_t>(inbox_.items().size())},
             {"clockOffset", clock_offset_},
             {"lastSyncedAt", ToData(last_synced_)},
             {"scopes", ToData(scopes_)}};
  if (state == last_state_) return;
  last_state_ = state;
  effects->Push(std::move(state));
}

Status Tab::CanWrite() const {
  if (!ready_) return {Code::kClosed, "the database is not open yet"};
  if (mirror_.pending().unkeyed_count() >= kMaxUnsaved) {
    return {Code::kLimit, "too many changes wait for storage"};
  }
  return Status::Ok();
}

}  // namespace skerry
