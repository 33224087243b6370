// The transactions of a window for its streams: loading one from storage, reading a page of its
// past, storing the state of a reducer, and the appends of a window without a remote.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "client/effect.h"
#include "client/tab.h"
#include "log/stream_name.h"

namespace skerry {
namespace {

constexpr uint32_t kRowsOfAPage = 100;        // of a reduced stream that is loaded
constexpr uint32_t kRowsForgotten = 300;      // at once, of a reduced stream
constexpr uint64_t kMostRowsAtOnce = 10'000;  // of a plain one, and of a page
// A row may have one action or hundreds. So few are read first, and then as many again, until there
// are enough actions.
constexpr uint32_t kFirstRows = 4;
constexpr size_t kStatesKept = 2;  // of the highest versions of a reducer

uint32_t RowsFor(uint64_t actions) {
  return static_cast<uint32_t>(std::clamp<uint64_t>(actions, 1, kMostRowsAtOnce));
}

WantedStream WantedOf(const Streams::Stream& stream) {
  WantedStream wanted;
  wanted.stream = stream.name;
  if (stream.reducer.has_value()) {
    wanted.reducer = stream.reducer;
    if (stream.migrates) wanted.migrates = true;
  } else {
    wanted.last = RowsFor(stream.keep);
  }
  return wanted;
}

// What the store `streams` has of one stream.
struct StoredStates {
  uint64_t floor = 0;
  Vector<StateRecord> states;  // ascending by version
};

StoredStates ReadStored(const Data& rows) {
  StoredStates kept;
  for (const Data& row : rows.items()) {
    const Data& value = RowValue(row);
    if (IsNewer(value)) continue;
    if (Is<StateRecord>(value)) {
      kept.states.push_back(ReadRecord<StateRecord>(value));
    } else if (Is<StreamRecord>(value)) {
      kept.floor = ReadRecord<StreamRecord>(value).floor;
    }
  }
  return kept;
}

// The state with which the stream begins: of this version, or of the highest one before it that can
// be taken over.
std::optional<StateRecord> StateFor(const Streams::Stream& stream, const StoredStates& kept) {
  std::optional<StateRecord> best;
  for (const StateRecord& state : kept.states) {
    const bool is_own = state.reducer == *stream.reducer;
    if (state.revision < kept.floor) continue;  // actions after it are not here
    if (is_own || (stream.migrates && state.reducer < *stream.reducer)) best = state;
  }
  return best;
}

// Whether the reducers of this device's windows, if any, need none of the stream's actions up to
// the floor: their states hold them.
bool AreFolded(const SyncProgress& sync, const Streams::Stream& stream, const StoredStates& kept,
               uint64_t floor) {
  const Vector<SyncStream> wanted = sync.streams.value_or(Vector<SyncStream>());
  return std::all_of(wanted.begin(), wanted.end(), [&](const SyncStream& one) {
    if (!one.reducer.has_value() || !MatchesStream(one.stream, stream.name)) return true;
    return std::any_of(kept.states.begin(), kept.states.end(), [&](const StateRecord& state) {
      return state.reducer == *one.reducer && state.revision >= floor;
    });
  });
}

Vector<StreamAction> InOrder(const Map<ActionPlace, StreamAction>& actions) {
  Vector<StreamAction> list;
  for (const auto& [place, action] : actions) list.push_back(action);
  return list;
}

// Rows that cannot be read are left out: a server has them still.
Vector<StreamAction> ActionsOf(const Schema& schema, const Data& rows) {
  Map<ActionPlace, StreamAction> found;
  for (const Data& row : rows.items()) {
    const Data& value = RowValue(row);
    if (IsNewer(value) || !Is<ActionsRecord>(value)) continue;
    Result<Vector<StreamAction>> actions =
        DecodeActions(schema, ReadRecord<ActionsRecord>(value).body);
    if (!actions.ok()) continue;
    for (StreamAction& action : actions.value()) found[action.place] = std::move(action);
  }
  return InOrder(found);
}

}  // namespace

void Tab::OnEvent(const StreamsMessage& event, Data* effects) {
  if (options_.remote) Post(event, effects);
}

void Tab::OnEvent(const StreamOpenEvent& event, Data* effects) {
  Streams::Stream stream;
  stream.handle = static_cast<uint32_t>(event.stream);
  stream.realm = event.realm.empty() ? options_.default_realm : event.realm;
  stream.name = event.name;
  stream.keep = event.keep;
  stream.reducer = event.reducer;
  stream.migrates = event.migrates;
  WantedStream wanted = WantedOf(stream);
  streams_.Open(std::move(stream));
  if (options_.remote) Post(StreamsMessage{{wanted}}, effects);
}

void Tab::OnEvent(const StreamCloseEvent& event, Data*) {
  streams_.Close(static_cast<uint32_t>(event.stream));
}

void Tab::LoadStreams(Data* effects) {
  if (!follows() || freeze_.is_frozen() || stream_queued_) return;
  const Streams::Stream* stream = streams_.NextToLoad();
  if (stream == nullptr) return;
  stream_queued_ = true;
  const KeyRange keys = KeysOfStream(stream->realm, stream->name);
  Data reads = SyncRead();
  reads.Push(BetweenRead(Store::kStreams, keys.from, keys.to, 0));
  LastActions last;
  if (!stream->reducer.has_value()) {
    last = {stream->realm, stream->name, {UINT64_MAX, 0}, stream->keep};
    last.asked = std::min(kFirstRows, RowsFor(stream->keep));
    reads.Push(LastRead(Store::kActions, keys.from, keys.to, last.asked));
  } else if (stream->read_upto > 0) {
    const Key from = ActionsKey(stream->realm, stream->name, stream->read_upto + 1);
    reads.Push(BetweenRead(Store::kActions, from, keys.to, kRowsOfAPage));
  }
  StreamTx& tx = Transact<StreamTx>({Store::kSync, Store::kStreams, Store::kActions},
                                    std::move(reads), TransactionMode::kRead, effects);
  tx.stream = stream->handle;
  tx.last = std::move(last);
}

// Takes rows that come before those that were read already. Returns the reads of another round, if
// these have fewer actions than wanted.
Data Tab::ReadLast(const Data& rows, LastActions* last) const {
  const auto found = static_cast<uint32_t>(rows.items().size());
  Vector<StreamAction> actions = ActionsOf(*schema_, rows);
  last->rows += found;
  const bool is_end = found < last->asked || last->rows >= kMostRowsAtOnce || actions.empty();
  const uint64_t first = is_end ? 0 : actions[0].place.first;
  for (StreamAction& action : actions) {
    if (action.place < last->before) last->actions.try_emplace(action.place, std::move(action));
  }
  if (is_end || last->actions.size() >= last->wanted) return {};
  last->asked = last->rows;
  return OneRead(LastRead(Store::kActions, KeysOfStream(last->realm, last->stream).from,
                          ActionsKey(last->realm, last->stream, first - 1), last->asked));
}

// A reduced stream is read in two rounds: its state says which actions are needed.
void Tab::Read(StreamTx* tx, Data* results, TxReply* reply) {
  const Streams::Stream* stream = streams_.Find(tx->stream);
  const Data::Array& read = results->items();
  if (stream == nullptr) return;
  const bool is_plain = !stream->reducer.has_value();
  const bool is_first = !tx->stored.has_value();
  StoredStream& stored = is_first ? tx->stored.emplace() : *tx->stored;
  StoredStates kept;
  if (is_first) {
    if (read.size() < (is_plain ? 3 : 2)) return;
    stored.n = SyncProgress::Read(read[0]).n;
    kept = ReadStored(read[1]);
    stored.floor = kept.floor;
  }
  if (is_plain) {
    reply->more = ReadLast(read[is_first ? 2 : 0], &tx->last);
    if (reply->more.is_null()) stored.actions = InOrder(tx->last.actions);
    return;
  }
  if (!is_first) {
    stored.actions = ActionsOf(*schema_, read[0]);
    for (StreamAction& action : ActionsOf(*schema_, read[1]))
      stored.actions.push_back(std::move(action));
    stored.has_more = read[0].items().size() == kRowsOfAPage;
    return;
  }
  if (read.size() > 2) {
    stored.actions = ActionsOf(*schema_, read[2]);
    stored.has_more = read[2].items().size() == kRowsOfAPage;
    return;
  }
  stored.state = StateFor(*stream, kept);
  const uint64_t from = stored.state.has_value() ? stored.state->revision : 0;
  const KeyRange keys = KeysOfStream(stream->realm, stream->name);
  reply->more = OneRead(BetweenRead(
      Store::kActions, ActionsKey(stream->realm, stream->name, from + 1), keys.to, kRowsOfAPage));
  // Actions that were asked for once more may stand in one row from before the state to after it,
  // and be stored in shorter rows, too.
  reply->more.Push(LastRead(Store::kActions, keys.from,
                            ActionsKey(stream->realm, stream->name, from), kMaxRowActions));
}

// It stays queued until the timer, or the resume.
void Tab::Failed(const StreamTx&, const HostError&, Data* effects) { ReadLater(effects); }

void Tab::Done(StreamTx* tx, const Vector<Key>&, Data* effects) {
  stream_queued_ = false;
  const Streams::Stream* stream = streams_.Find(tx->stream);
  if (stream == nullptr || !tx->stored.has_value()) return;
  StoredStream& stored = *tx->stored;
  // Once: the server may not have what this reducer needs either.
  if (options_.remote && !stream->has_asked_again && Streams::IsCutOff(*stream, stored)) {
    WantedStream wanted = WantedOf(*stream);
    wanted.again = true;
    Post(StreamsMessage{{std::move(wanted)}}, effects);
    streams_.AskedAgain(tx->stream);
  }
  if (stored.n > mirror_.n()) RequestReading(effects);
  streams_.Loaded(tx->stream, std::move(stored), mirror_.n());
}

void Tab::OnEvent(const StreamPageEvent& event, Data* effects) {
  const Streams::Stream* stream = streams_.Find(static_cast<uint32_t>(event.stream));
  if (stream == nullptr || !ready_) {
    effects->Push(StreamPageEffect(event.id, Data::MakeArray(), 0, "closed"));
    return;
  }
  const KeyRange keys = KeysOfStream(stream->realm, stream->name);
  Data reads = OneRead(BetweenRead(Store::kStreams, keys.from, keys.to, 0));
  reads.Push(LastRead(Store::kActions, keys.from,
                      ActionsKey(stream->realm, stream->name, event.revision), kFirstRows));
  StreamPageTx& tx = Transact<StreamPageTx>({Store::kStreams, Store::kActions}, std::move(reads),
                                            TransactionMode::kRead, effects);
  tx.page = event;
  tx.last = {stream->realm, stream->name, {event.revision, event.position}, event.limit};
  tx.last.asked = kFirstRows;
}

void Tab::Read(StreamPageTx* tx, Data* results, TxReply* reply) {
  const Data::Array& read = results->items();
  const bool is_first = tx->last.rows == 0;
  if (is_first) tx->floor = ReadStored(read[0]).floor;
  reply->more = ReadLast(read[is_first ? 1 : 0], &tx->last);
}

void Tab::Failed(const StreamPageTx& tx, const HostError&, Data* effects) {
  effects->Push(StreamPageEffect(tx.page.id, Data::MakeArray(), 0, "storage"));
}

void Tab::Done(StreamPageTx* tx, const Vector<Key>&, Data* effects) {
  const StreamPageEvent& page = tx->page;
  Vector<StreamAction> actions = InOrder(tx->last.actions);
  if (actions.size() > page.limit)
    actions.erase(actions.begin(), actions.end() - static_cast<ptrdiff_t>(page.limit));
  effects->Push(StreamPageEffect(page.id, ActionsToData(actions), tx->floor, {}));
}

void Tab::OnEvent(const StreamStateEvent& event, Data* effects) {
  const Streams::Stream* stream = streams_.Find(static_cast<uint32_t>(event.stream));
  if (stream == nullptr || !follows() || freeze_.is_frozen()) return;
  const KeyRange keys = KeysOfStream(stream->realm, stream->name);
  Data reads = SyncRead();
  reads.Push(BetweenRead(Store::kStreams, keys.from, keys.to, 0));
  // Of a plain stream: the row with the first action that stays. Of a reduced one: those that may
  // go.
  const Key upto = ActionsKey(stream->realm, stream->name, event.revision);
  reads.Push(stream->reducer.has_value()
                 ? BetweenRead(Store::kActions, keys.from, upto, kRowsForgotten)
                 : LastRead(Store::kActions, keys.from, upto, 1));
  StreamStateTx& tx = Transact<StreamStateTx>({Store::kSync, Store::kStreams, Store::kActions},
                                              std::move(reads), TransactionMode::kWrite, effects);
  tx.stream = stream->handle;
  tx.state = event;
}

// The key up to which rows are removed when actions up to the floor are: a row stays whole if it has
// later ones, and all that come after it stay. `rows`: the first ones, ascending. If these are not
// enough, *floor is lowered.
uint64_t Tab::LastRemoved(const Data& rows, uint64_t* floor) const {
  uint64_t last = 0;
  for (const Data& row : rows.items()) {
    const Vector<StreamAction> actions = ActionsOf(*schema_, Data(Data::Array{row}));
    if (actions.empty()) continue;
    if (actions[0].place.first > *floor) return *floor;
    if (actions.back().place.first > *floor) return actions[0].place.first - 1;
    last = actions.back().place.first;
  }
  if (rows.items().size() == kRowsForgotten) *floor = last;
  return *floor;
}

// Only what belongs to the history that storage has now: so this window must have seen all of it.
// Actions are removed only where a server has them, and where no kept state needs them.
void Tab::Read(StreamStateTx* tx, Data* results, TxReply* reply) {
  const Streams::Stream* stream = streams_.Find(tx->stream);
  const Data::Array& read = results->items();
  const StreamStateEvent& given = tx->state;
  if (stream == nullptr || read.size() < 3) return;
  const SyncProgress sync = SyncProgress::Read(read[0]);
  if (!FollowsOwn(sync)) return;
  StoredStates kept = ReadStored(read[1]);
  uint64_t floor = kept.floor;
  uint64_t removed = 0;
  if (stream->reducer.has_value()) {
    // The state that the application has now.
    if (!given.state.has_value() || given.revision != stream->handed_upto) return;
    StateRecord state;
    state.reducer = *stream->reducer;
    state.revision = given.revision;
    state.state = *given.state;
    if (state.revision < kept.floor) return;  // a snapshot has taken its place
    for (const StateRecord& other : kept.states) {
      if (other.reducer == state.reducer && other.revision >= state.revision) return;
    }
    erase_if(kept.states, [&](const StateRecord& other) { return other.reducer == state.reducer; });
    const auto after =
        std::find_if(kept.states.begin(), kept.states.end(),
                     [&](const StateRecord& other) { return other.reducer > state.reducer; });
    kept.states.insert(after, state);
    while (kept.states.size() > kStatesKept) {
      const StateRecord oldest = kept.states[0];
      kept.states.erase(kept.states.begin());
      if (oldest.reducer == state.reducer) return;
      reply->writes.Push(
          DeleteWrite(Store::kStreams, StateKey(stream->realm, stream->name, oldest.reducer)));
    }
    reply->writes.Push(PutWrite(
        Store::kStreams, StateKey(stream->realm, stream->name, state.reducer), ToData(state)));
    uint64_t lowest = state.revision;
    for (const StateRecord& other : kept.states) lowest = std::min(lowest, other.revision);
    if (lowest > kept.floor) {
      floor = lowest;
      removed = LastRemoved(read[2], &floor);
    }
  } else {
    const Vector<StreamAction> row = ActionsOf(*schema_, read[2]);
    if (row.empty()) return;
    floor = std::max(floor, row[0].place.first - 1);
    if (!AreFolded(sync, *stream, kept, floor)) return;
    removed = floor;
  }
  if (!options_.remote || floor <= kept.floor) return;
  StreamRecord record;
  record.floor = floor;
  reply->writes.Push(
      PutWrite(Store::kStreams, StreamKey(stream->realm, stream->name), ToData(record)));
  reply->writes.Push(DeleteBetweenWrite(Store::kActions, ActionsKey(stream->realm, stream->name, 0),
                                        ActionsKey(stream->realm, stream->name, removed)));
}

void Tab::Done(StreamStateTx*, const Vector<Key>&, Data*) {}

void Tab::Failed(const StreamStateTx&, const HostError&, Data*) {}  // a later one will be stored

// Without a remote: the appends of all pending mutations, in the order in which they are logged.
void Tab::AppendSteps(uint64_t n, LocalCommitTx* tx, StepsWriter* steps, Data* writes) const {
  Map<std::pair<std::string, std::string>, Vector<StreamAction>> appends;  // realm, stream
  for (const Pending* pending : mirror_.pending().InOrder()) {
    const Action& action = pending->mutation.action;
    for (const Op& op : pending->mutation.ops) {
      if (!op.Has(kOnStream)) continue;
      Vector<StreamAction>& list = appends[{op.realm, op.stream}];
      list.push_back({{n, list.size()},
                      action.id,
                      action.name,
                      action.arg,
                      action.at,
                      action.at,
                      options_.user.value_or(std::string())});
    }
  }
  Data::Array rows;
  for (auto& [key, actions] : appends) {
    Step& step = tx->appended.emplace_back();
    step.kind = StepKind::kActions;
    step.realm = key.first;
    step.stream = key.second;
    step.actions = std::move(actions);
    WriteActions(*schema_, key.first, key.second, step.actions, &rows);
    steps->Add(step);
  }
  for (Data& row : rows) writes->Push(std::move(row));
}

}  // namespace skerry
