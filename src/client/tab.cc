// The events of a window, and the messages of other windows and workers.
#include "client/tab.h"

#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "client/effect.h"
#include "log/wire.h"
#include "model/filter.h"
#include "model/present_names.h"

namespace skerry {

Tab::Tab(const Schema* schema, View* view, TabOptions options)
    : schema_(schema),
      view_(view),
      options_(std::move(options)),
      mirror_(schema, view, &streams_),
      streams_(&mirror_.pending(), options_.remote),
      inbox_(schema, view),
      offering_(schema, view),
      comparison_(schema, view) {
  if (schema->validates()) view->Follow();
}

namespace {

// A window handles these at once, even during a full reading.
using UrgentMessages = OneOf<PushedMessage, StatusNews, KeptMessage>;
using OrderedMessages = OneOf<LeftMessage, AddedMessage, RecordMessage, ConflictsMessage,
                              UnreadableMessage, ValidateMessage>;

}  // namespace

void Tab::Handle(Data event, Data* effects) {
  now_ = NowOf(event, now_);
  // The reply must be the first effect, so nothing else is emitted with it.
  const auto read = [&](ReadEvent one) { OnRead(one.id, std::move(one.results), effects); };
  if (OneOf<ReadEvent>::Visit(&event, read)) return;
  const auto handle = [&](auto&& one) { OnEvent(std::forward<decltype(one)>(one), effects); };
  if (!WindowEvents::Visit(&event, handle)) {
    effects->Push(
        ProblemEffect({Code::kInvalidArgument, "unknown event " + event["type"].as_string()}));
  }
  SettlePromises(effects);
  StartOffers(effects);
  LoadStreams(effects);
  if (inbox_.Refresh(mirror_.n())) effects->Push(ConflictsEffect(inbox_.entries()));
  RequestValidation(effects);
  ShowUndo(effects);
  EmitState(effects);
}

void Tab::OnEvent(const DoneEvent& event, Data* effects) {
  OnEnd(event.id, &event.keys, {"Error", "done without read", {}}, effects);
  ReleaseMessages(effects);
}

void Tab::OnEvent(const FailedEvent& event, Data* effects) {
  OnEnd(event.id, nullptr, event.error, effects);
  ReleaseMessages(effects);
}

void Tab::OnEvent(MessageEvent event, Data* effects) {
  OnMessage(std::move(event.message), effects);
}

void Tab::OnEvent(PostEvent event, Data* effects) { OnMessage(std::move(event.message), effects); }

void Tab::OnEvent(const OpenEvent&, Data* effects) {
  if (!ready_ && !loading_.active()) StartLoading(effects);
}

void Tab::OnEvent(const StateEvent&, Data*) {}  // Handle emits the state

void Tab::OnEvent(const WindowTimerEvent& event, Data* effects) {
  switch (event.name) {
    case WindowTimer::kCommit:
      if (committing_.is_waiting()) committing_.Waited();
      return TryCommit(effects);
    case WindowTimer::kLogged:
      if (logged_.has_value()) Broadcast(*logged_, effects);
      logged_.reset();
      return;
    case WindowTimer::kKept:
      if (!ready_ || freeze_.is_frozen()) return;
      RequestReading(effects);
      return Post(MutatedMessage(), effects);
    case WindowTimer::kReread:
      stream_queued_ = false;
      judged_list_ = kNoList;  // what was judged may not be stored
      if (!ready_) return;
      RequestReading(effects);
      if (!refused_.empty() || !unknown_.empty()) RequestConflicts(effects);
      return;
    case WindowTimer::kNone:
      return;
  }
}

void Tab::OnEvent(const FreezeEvent& event, Data* effects) { Freeze(event.ends, effects); }

void Tab::OnEvent(const StillEvent&, Data* effects) { StandStill(effects); }

void Tab::OnEvent(const LeaveEvent&, Data* effects) {
  page_may_end_ = true;
  AnnounceLeaving(effects);
}

void Tab::OnEvent(const ResolveEvent& event, Data* effects) {
  ResolveTx& tx = Resolve(event.id, effects);
  tx.how = event.how;
  tx.theirs = event.theirs;
}

// Messages were lost during the freeze, and what was under way may or may not have been stored.
void Tab::OnEvent(const ResumeEvent&, Data* effects) {
  freeze_.End();
  stream_queued_ = false;
  judged_list_ = kNoList;  // nothing was judged meanwhile
  // A reading from before the freeze is older than the messages that were lost.
  if (unapplied_reading_ != 0) messages_lost_ = true;
  if (!ready_) {
    if (!loading_.active()) StartLoading(effects);
    return;
  }
  committing_.ReadFirst();
  if (committing_.is_waiting()) {
    effects->Push(CancelEffect(WindowTimer::kCommit));
    committing_.Waited();
  }
  RequestReading(effects);
  TryCommit(effects);
  if (!refused_.empty() || !unknown_.empty()) RequestConflicts(effects);
}

void Tab::OnMessage(Data message, Data* effects) {
  const auto handle = [&](auto&& one) { OnMessage(one, effects); };
  if (UrgentMessages::Visit(&message, handle)) return;
  if (unapplied_reading_ != 0) {
    if (messages_.size() < kMaxHeldMessages) {
      messages_.push_back(std::move(message));
    } else {
      messages_lost_ = true;
    }
    return;
  }
  OrderedMessages::Visit(&message, handle);
  if (follows() && mirror_.WantsReading()) RequestReading(effects);
}

void Tab::OnMessage(const StatusNews& message, Data* effects) {
  // The window that stored the last record may have died before it broadcast it: then only the
  // number of the record is known, from a status.
  if (ready_ && message.n > mirror_.n())
    effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
  TakeTimes(message.shared);
  TakeTimes(message.status);
}

void Tab::TakeTimes(const StatusTimes& times) {
  clock_offset_ = ClockOffset(times.clock_offset_ms, clock_offset_);
  if (times.last_synced_at.has_value()) last_synced_ = times.last_synced_at;
}

void Tab::OnMessage(const KeptMessage&, Data* effects) {
  effects->Push(TimerEffect(WindowTimer::kKept, kRereadMs));
}

void Tab::OnMessage(const LeftMessage&, Data* effects) {
  // Such a message comes before the mutation is stored: a reading that is under way may not
  // contain it.
  if (reading_queued_ || !follows()) {
    messages_lost_ = true;
  } else {
    RequestReading(effects);
  }
}

// Loading reads everything, and nothing that was heard before its `read` can be newer. So this and
// the next messages are ignored until then.
void Tab::OnMessage(const AddedMessage& message, Data* effects) {
  if (!follows() || message.tab == options_.tab) return;
  for (const AddedItem& item : message.items) {
    const ApplyResult result = mirror_.Added(item);
    if (result == ApplyResult::kDamaged || result == ApplyResult::kNewer)
      OnApplied(result, effects);
  }
}

void Tab::OnMessage(const RecordMessage& message, Data* effects) {
  if (!follows()) return;
  const ApplyResult result = mirror_.Record(message.record);
  if (result == ApplyResult::kApplied) SayMended(message.record, effects);
  OnApplied(result, effects);
  if (!AllFilled() || message.record.kind == UpdateKind::kScopes) RequestSync(effects);
}

void Tab::OnMessage(const ConflictsMessage&, Data* effects) {
  if (follows()) RequestConflicts(effects);
}

void Tab::OnMessage(const UnreadableMessage& message, Data* effects) {
  if (!follows()) return;
  if (message.damaged.value_or(false)) {
    effects->Push(
        DataLostEffect("the record of what is synchronised was damaged; everything is read again"));
  }
  StartLoading(effects);
}

void Tab::ReleaseMessages(Data* effects) {
  if (unapplied_reading_ != 0) return;
  Vector<Data> messages = std::move(messages_);
  messages_.clear();
  for (Data& message : messages) OnMessage(std::move(message), effects);
  if (messages_lost_ && ready_ && !loading_.active() && !reading_queued_) {
    messages_lost_ = false;
    RequestReading(effects);
  }
}

void Tab::OnMessage(const PushedMessage& message, Data* effects) {
  for (const PushedItem& result : message.results) {
    std::string code;
    switch (result.status) {
      case PushStatus::kApplied:
      case PushStatus::kDuplicate:
      case PushStatus::kKnown:
        break;
      case PushStatus::kRejected:
        code = result.code.value_or("rejected");
        break;
      default:
        continue;
    }
    const std::string detail = result.detail.value_or(std::string());
    for (const std::string& id : result.mutations) promises_.Pushed(id, code, detail, effects);
  }
}

void Tab::OnApplied(ApplyResult result, Data* effects) {
  switch (result) {
    case ApplyResult::kApplied:
    case ApplyResult::kKnown:
      return;
    case ApplyResult::kGap:
    case ApplyResult::kDamaged:  // storage may have an intact copy
      return RequestReading(effects);
    case ApplyResult::kNewer:
      if (!newer_reported_) effects->Push(UpdateNeededEffect());
      newer_reported_ = true;
      return;
  }
}

// Each scope is checked by itself: a wrong one does not stop the others.
void Tab::OnEvent(const ScopesMessage& event, Data* effects) {
  ScopesMessage message;
  message.add = Accept(event.add, effects);
  message.drop = Accept(event.drop, effects);
  Post(message, effects);
}

Vector<WantedScope> Tab::Accept(const Vector<WantedScope>& scopes, Data* effects) const {
  Vector<WantedScope> accepted;
  for (const WantedScope& scope : scopes) {
    if (const Status status = CheckScope(scope); status.ok()) {
      accepted.push_back(scope);
    } else {
      effects->Push(ProblemEffect(status, &scope));
    }
  }
  return accepted;
}

Status Tab::CheckScope(const WantedScope& scope) const {
  const TableIndex table = schema_->FindTable(scope.table);
  if (table == kNone) return {Code::kUnknownTable, "no table " + scope.table};
  return ParseFilter(*schema_, schema_->table(table), scope.where, false).status();
}

void Tab::SettlePromises(Data* effects) {
  Outcomes outcomes = mirror_.TakeOutcomes();
  BroadcastAdded(std::move(outcomes.found), effects);
  // Without a remote, a change that only a freezing page has kept is not logged yet: the next commit
  // settles its stages together.
  if (options_.remote) {
    for (const std::string& id : outcomes.durable) promises_.Durable(id, effects);
  }
  for (const std::string& id : outcomes.confirmed) promises_.Confirmed(id, effects);
  for (const Refusal& refusal : outcomes.refused) {
    undo_.Refused(refusal.id);
    if (!refusal.code.empty()) {
      promises_.Refused(refusal.id, refusal.code, refusal.detail, effects);
    } else if (promises_.Has(refusal.id)) {
      refused_.push_back(refusal.id);
    }
  }
  for (const std::string& id : outcomes.unknown) {
    if (promises_.Has(id)) unknown_.push_back(id);
  }
  if (!outcomes.refused.empty() || !unknown_.empty()) RequestConflicts(effects);
}

void Tab::ShowUndo(Data* effects) {
  if (undo_shown_ == undo_.version()) return;
  undo_shown_ = undo_.version();
  effects->Push(UndoEffect(undo_.Next(UndoWay::kUndo), undo_.Next(UndoWay::kRedo)));
}

void Tab::TakeSync(const SyncProgress& sync, Data* effects) {
  clock_offset_ = ClockOffset(sync.clock_offset, clock_offset_);
  last_synced_ = sync.last_synced_at;
  scopes_ = sync.scopes;
  for (SyncScope& scope : scopes_) UsePresentNames(*schema_, &scope.table, &scope.where);
  // Data that only a newer version knows is not shown.
  if (IsFromNewerVersion(*schema_, sync)) OnApplied(ApplyResult::kNewer, effects);
}

bool Tab::AllFilled() const {
  for (const SyncScope& scope : scopes_) {
    if (!scope.filled.whole) return false;
  }
  return true;
}

void Tab::EmitState(Data* effects) {
  const PendingList& pending = mirror_.pending();
  const Pending* first = pending.First();
  WindowState now;
  now.phase = !ready_                               ? WindowPhase::kOpening
              : !loading_.active()                  ? WindowPhase::kReady
              : loading_.step() == LoadStep::kImage ? WindowPhase::kLoading
                                                    : WindowPhase::kReloading;
  now.n = mirror_.n();
  now.cursors = mirror_.cursors();
  now.pending = pending.size();
  now.unsaved = pending.unkeyed_count();
  now.held = held_;
  if (first != nullptr) now.oldest_pending_at = first->mutation.action.at;
  now.conflicts = inbox_.size();
  now.clock_offset = clock_offset_;
  now.last_synced_at = last_synced_;
  now.scopes = scopes_;
  if (!view_->frozen().empty()) now.lost.emplace(view_->frozen().begin(), view_->frozen().end());
  now.invitations = mirror_.invitations();
  Data state = WriteKind(now);
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
