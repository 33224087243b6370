// SyncJob: the pull.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "log/codec.h"
#include "log/wire.h"
#include "sync/answer.h"
#include "sync/chain.h"
#include "sync/records.h"
#include "sync/sync_job.h"

namespace skerry {
namespace {

constexpr int kMaxDiscards = 3;
constexpr int kMaxUnmoved = 10;
constexpr int kMaxResends = 2;
// If an answer could not be read, the limit is divided by kLess; after each success it is
// multiplied by kMore.
constexpr uint64_t kLess = 100;
constexpr uint64_t kMore = 10;
// So many fills in a row may fail. The last but one may have failed because the client's own images
// cannot be read, which windows then give up.
constexpr int kMaxFailedFills = 3;

// The highest revisions of others' changes in the answer, in realms that were there before: pokes
// should have announced them. Nothing of a fill, whose rows may be of any age.
Revisions RevisionsOfOthers(const PullRequest& request, const PullAnswer& answer) {
  Revisions brought;
  if (answer.more || !answer.pages.empty() || !answer.images.empty()) return brought;
  if (answer.refill.has_value() && !answer.refill->empty()) return brought;
  Set<std::pair<std::string, uint64_t>> own;
  for (const auto& [id, realms] : answer.own) {
    for (const auto& [realm, entry] : realms) own.emplace(realm, entry.revision);
  }
  const auto add = [&](const std::string& realm, uint64_t revision) {
    const uint64_t before = CursorRevision(request.cursors, realm);
    if (before == 0 || revision <= before) return;
    if (own.contains({realm, revision})) return;
    uint64_t& highest = brought[realm];
    highest = std::max(highest, revision);
  };
  for (const Change& change : answer.changes) add(change.realm, change.revision);
  for (const AnsweredActions& item : answer.actions) {
    for (const StreamAction& action : item.actions) add(item.realm, action.place.first);
  }
  return brought;
}

}  // namespace

// A service worker leaves images to its windows. An image that cannot be had must not keep the rows
// of its realm away: after a few failures they come by pages.
bool SyncJob::AcceptsImages() const {
  return state_->setup.device_images && failed_fills_ < kMaxFailedFills;
}

void SyncJob::PullAsk(Turn* turn) {
  state_->connection.ForgetPokes();  // this pull will see everything that was poked until now
  loop_.Pulling();
  Enter(PullAskStage()).transaction =
      Transact({Store::kSync, Store::kOutbox, Store::kMutations, Store::kConflicts},
               TransactionMode::kRead, {.outbox = true, .counts = true}, turn);
}

ReadReply SyncJob::ReadPullAsk(PullAskStage* ask, FencedRound round) {
  ReadReply reply;
  ask->transaction.Count({});
  state_->seen.See(std::move(round.sync));
  if (MustReadAgain(state_->setup.schema, state_->seen.record())) return reply;
  const uint64_t limit = pull_limit_ ? pull_limit_ : state_->setup.limits.pull;
  ask->request = std::make_unique<PullRequest>(
      MakePullRequest(state_->setup.schema, state_->seen.record(), InChainOrder(*round.outbox),
                      limit, {.floors = !state_->seen.knows_floors(), .images = AcceptsImages()}));
  return reply;
}

void SyncJob::DonePullAsk(PullAskStage* ask, Turn* turn) {
  if (!Work() || !lease_.held()) return;
  if (ask->request == nullptr) return RefillAll(turn);
  const uint64_t fetch = Fetch("/pull", std::move(ask->request->body), turn);
  Enter(PullFetchStage{{fetch}, std::move(ask->request), turn->now});
}

void SyncJob::PullResponse(const ResponseEvent& event, Turn* turn) {
  Answer answer = ReadAnswer(event);
  state_->reach.Answered(answer.is_of_server, turn->now);
  if (answer.kind == AnswerKind::kAuth) return Unauthenticated(answer.error, turn);
  if (answer.kind == AnswerKind::kGone) {
    Answered();
    return RefillAll(turn);
  }
  if (answer.kind == AnswerKind::kBound) return Rebind(turn);
  if (answer.kind == AnswerKind::kUnread) return ReducePullLimit(std::move(answer.error), turn);
  if (answer.kind != AnswerKind::kOk) return PullRefused(std::move(answer.error), turn);
  // The personal realm shows which user the token belongs to, before anything is folded or pushed.
  const PersonalRealms personal =
      PersonalRealmsOf(ReadCursors(answer.json["cursors"]), state_->setup.user);
  if (!personal.own && !personal.other.empty())
    return Unauthenticated(WrongUser(personal.other), turn);
  Answered();
  Result<PullAnswer> read = ReadPullAnswer(state_->setup.schema, std::move(answer.json));
  if (!read.ok()) return Fail({"bad_answer", read.status().detail(), true}, turn);
  PullFetchStage& sent = In<PullFetchStage>();
  auto pulled = std::make_unique<PullAnswer>(std::move(read.value()));
  // Compares the server's time in the answer with the middle of the round trip.
  const double clock_offset = pulled->time - (sent.sent_at + turn->now) / 2;
  std::unique_ptr<PullRequest> request = std::move(sent.request);
  PullStatesStage states;
  states.answer = std::move(pulled);
  states.clock_offset = clock_offset;
  if (!FetchState(&states, turn))
    return BeginPullFold(std::move(request), std::move(states.answer), clock_offset, turn);
  states.request = std::move(request);
  Enter(std::move(states));
}

// Requests the state of the next snapshot. Returns false if there is none.
bool SyncJob::FetchState(PullStatesStage* stage, Turn* turn) {
  const Vector<AnsweredActions>& actions = stage->answer->actions;
  while (stage->next < actions.size() && !actions[stage->next].snapshot.has_value()) ++stage->next;
  if (stage->next == actions.size()) return false;
  FetchRequest fetch;
  fetch.path = SnapshotPath(actions[stage->next]);
  fetch.token = token_;
  fetch.timeout_ms = state_->setup.times.image_fetch_ms;
  fetch.is_get = true;
  fetch.max_bytes = kMaxStateBytes;
  stage->fetch = turn->Fetch(std::move(fetch));
  return true;
}

void SyncJob::StateResponse(const ResponseEvent& event, Turn* turn) {
  PullStatesStage& stage = In<PullStatesStage>();
  if (event.status != 200) {
    // One that was replaced meanwhile (404): the next pull names another one.
    Answer answer = ReadAnswer(event);
    state_->reach.Answered(answer.is_of_server, turn->now);
    if (answer.kind == AnswerKind::kAuth) return Unauthenticated(answer.error, turn);
    answer.error.retryable = true;
    return Fail(std::move(answer.error), turn);
  }
  state_->reach.Heard(turn->now);
  Answered();
  std::string state(event.body.is_bytes() ? event.body.as_bytes() : event.body.as_string());
  if (!IsJson(state))
    return Fail({"bad_answer", "A snapshot of a stream is not JSON.", true}, turn);
  stage.answer->actions[stage.next++].state = std::move(state);
  if (FetchState(&stage, turn)) return;
  std::unique_ptr<PullRequest> request = std::move(stage.request);
  std::unique_ptr<PullAnswer> answer = std::move(stage.answer);
  BeginPullFold(std::move(request), std::move(answer), stage.clock_offset, turn);
}

void SyncJob::BeginPullFold(std::unique_ptr<PullRequest> request,
                            std::unique_ptr<PullAnswer> answer, double clock_offset, Turn* turn) {
  auto fold = std::make_unique<PullFold>(&state_->setup.schema, state_->setup.user, request.get(),
                                         answer.get(), turn->now, clock_offset);
  PullFoldStage stage;
  stage.transaction =
      Transact({Store::kSync, Store::kOutbox, Store::kMutations, Store::kUpdates, Store::kConflicts,
                Store::kActions, Store::kStreams, Store::kOwn},
               TransactionMode::kWriteStrict, {.outbox = true, .counts = true}, turn);
  stage.request = std::move(request);
  stage.answer = std::move(answer);
  stage.fold = std::move(fold);
  Enter(std::move(stage));
}

// The reason may be one scope that the server rejects, for example. Local changes do not depend on
// it, so they are pushed before the job fails.
void SyncJob::PullRefused(SyncError error, Turn* turn) {
  const bool again = !run_.refusal.code.empty();
  if (error.retryable || again || !loop_.wants_push()) return Fail(std::move(error), turn);
  run_.refusal = std::move(error);
  loop_.Pulled(false);
}

SyncError SyncJob::WrongUser(const std::string& other) const {
  return {"wrong_user",
          "The token is " +
              (other.empty() ? std::string("another user") : "the user " + QuoteForDetail(other)) +
              "'s, and this database is the user " + QuoteForDetail(state_->setup.user) + "'s.",
          true};
}

ReadReply SyncJob::ReadPullFold(PullFoldStage* stage, FencedRound round) {
  ReadReply reply;
  PullFold& fold = *stage->fold;
  if (round.is_first) {
    stage->discarded = !fold.Decide(InChainOrder(*round.outbox), std::move(round.sync));
    if (stage->discarded) return reply;
    reply.more = fold.OwnReads();
    stage->reads_own = !reply.more.empty();
    if (!stage->reads_own && fold.needs_mutations()) ReadFirstPage(&reply);
  } else if (stage->reads_own) {
    stage->reads_own = false;
    fold.TakeOwn(*round.results);
    if (fold.needs_mutations()) ReadFirstPage(&reply);
  } else {
    fold.AddMutations(*round.mutations);
    ReadNextPage(*round.mutations, &reply);
  }
  if (!reply.more.empty()) return reply;
  reply.writes = fold.Finish();
  stage->transaction.Count(reply.writes);
  return reply;
}

void SyncJob::DonePullFold(PullFoldStage* stage, Turn* turn) {
  const PullFold* fold = stage->fold.get();
  const PullAnswer* answer = stage->answer.get();
  if (stage->discarded) {
    // Another window has moved the cursors meanwhile: it pulls, too.
    const bool theirs = ++run_.discards > kMaxDiscards;
    if (theirs && !answering_.empty())
      return Fail({"no_progress", "Other windows are pulling as well.", true}, turn);
    if (theirs) run_.discards = 0;
    loop_.Pulled(!theirs);
    if (theirs) loop_.WantPush();
    return;
  }
  state_->seen.See(fold->sync());
  // A second answer of the same job may bring what was there before the socket was opened.
  if (!run_.pulled) brought_ = RevisionsOfOthers(*stage->request, *answer);
  run_.pulled = true;
  BroadcastRecord(fold->record(), turn);
  if (fold->moved()) run_.discards = 0;
  if (!Work()) return;
  run_.refusal = {};
  state_->seen.SeeFloors();
  state_->reported.ForgetErrors();
  if (fold->waits()) return loop_.Pulled(false);  // a window wakes this worker when it has done so
  // A server that says `more` and makes no progress would be asked without end.
  run_.unmoved = fold->moved() ? 0 : run_.unmoved + 1;
  loop_.Pulled(answer->more && run_.unmoved <= kMaxUnmoved);
  pull_limit_ = pull_limit_ * kMore < state_->setup.limits.pull ? pull_limit_ * kMore : 0;
  if (!answer->more) refilled_all_ = false;
  // All rows have come by pages: the next large realm comes by an image again.
  if (!answer->more && answer->images.empty() && !AcceptsImages()) failed_fills_ = 0;
  // A poke that came during the request may announce more than the answer could contain.
  for (const auto& [realm, revision] : state_->connection.poked()) {
    if (CursorRevision(state_->seen.record().cursors, realm) < revision) loop_.WantPull();
  }
  // Mutations that found no room in the outbox may have waited since before the last failure.
  const bool has_room = fold->unconfirmed() < kMaxOutboxUpdates;
  if (was_full_ && has_room && state_->reported.pending() > fold->grouped()) loop_.WantPush();
  if (has_room) was_full_ = false;
  if (fold->resend()) {
    if (++run_.resends > kMaxResends) {
      return Fail(
          {"no_progress",
           "The server says that it has applied an update, and its log does not show it.", true},
          turn);
    }
    loop_.WantPush();
  }
  // A window loads them. If there is none, the first that is opened wakes this worker, which pulls
  // then; until that all but these realms goes on.
  if (!answer->images.empty() && state_->connection.mode() == Mode::kService)
    turn->Broadcast(FillMessage());
  if (!answer->images.empty() && !fill_.active() && state_->setup.images) {
    // If another realm is still behind, its missing rows come by pages, so the scopes are not
    // filled yet.
    BeginFill(answer->images[0], answer->images.size() == 1 && !answer->more, turn);
    return;
  }
  // The updates of a realm that comes by an image are confirmed after it.
  stale_pull_ =
      !answer->more && answer->images.empty() && !fold->moved() && fold->unconfirmed() > 0;
  if (stale_pull_ && !loop_.wants_push() && !helps()) FailUnconfirmed(turn);
}

// The update was applied, but the log in the answers does not reach so far yet. To pull again at
// once would be a busy loop.
void SyncJob::FailUnconfirmed(Turn* turn) {
  Fail({"no_progress", "The server's log does not show an applied update yet.", true}, turn);
}

// The server no longer knows this client's place in its log, or an earlier schema had no place for
// something that it sent: every realm is pulled again from the start. Pending mutations stay.
void SyncJob::RefillAll(Turn* turn) {
  Enter(RefillStage()).transaction =
      Transact({Store::kSync}, TransactionMode::kWriteStrict, {}, turn);
}

// A correct server's answers are never too long to read; a faulty one must not stop this client for
// good. Request fewer entries; if even one is too many, pull everything again, in pages; then retry
// with growing pauses.
void SyncJob::ReducePullLimit(SyncError error, Turn* turn) {
  Answered();
  const uint64_t asked = pull_limit_ ? pull_limit_ : state_->setup.limits.pull;
  pull_limit_ = std::max<uint64_t>(asked / kLess, 1);
  if (asked > 1) return Advance(turn);
  if (refilled_all_) return Fail(std::move(error), turn);
  refilled_all_ = true;
  RefillAll(turn);
}

ReadReply SyncJob::ReadRefill(SyncRecord sync) {
  for (const auto& [realm, cursor] : sync.cursors) {
    if (!Contains(sync.refill, realm)) sync.refill.push_back(realm);
  }
  for (SyncScope& scope : sync.scopes) scope.filled = {};
  sync.cursors.clear();
  ++sync.scope_version;
  sync.lacks.reset();
  ReadReply reply;
  reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, sync.Write()));
  state_->seen.See(std::move(sync));
  return reply;
}

}  // namespace skerry
