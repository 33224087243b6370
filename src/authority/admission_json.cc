#include "authority/admission_json.h"

#include <algorithm>
#include <utility>

#include "authority/changed_members.h"
#include "authority/host_step.h"
#include "authority/misuse.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"

namespace skerry {
namespace {

Right RightOf(const std::string& name) {
  if (name == "own") return Right::kOwn;
  if (name == "write") return Right::kWrite;
  return name == "read" ? Right::kRead : Right::kNone;
}

// True: the request says so itself. A number: the server's time at which the client said so first.
Follows FollowsFromData(const Data& data) {
  Follows follows;
  follows.is_said = data.as_bool();
  if (data.is_number()) follows.since = data.as_number();
  return follows;
}

Admission::Input InputOf(wire::AdmissionBegin begin) {
  Admission::Input input;
  input.now = begin.now;
  input.asks_consent = begin.invitations != "direct";
  input.validates = begin.validates;
  for (const auto& [realm, state] : begin.realms) {
    RealmState& out = input.realms[realm];
    if (!state.has_value()) continue;
    out = {true, state->head, state->head_at, state->floor, state->floor_at, state->given_back};
  }
  for (const auto& rights : begin.rights) {
    Map<std::string, Right>& out = input.rights.emplace_back();
    for (const auto& [realm, right] : rights) out[realm] = RightOf(right);
  }
  for (wire::AdmittedRequest& request : begin.requests) {
    Data updates = request.updates.is_array() ? std::move(request.updates) : Data::MakeArray();
    input.requests.push_back({std::move(request.client), std::move(request.user),
                              std::move(updates.mutable_items()), std::move(request.epoch),
                              static_cast<size_t>(request.rights), FollowsFromData(request.follows),
                              request.older, std::move(request.sent)});
  }
  for (wire::LoadedAction& action : begin.actions)
    input.actions.push_back({std::move(action.realm), std::move(action.id), action.revision});
  for (wire::HostRefusal& refusal : begin.refuse) {
    input.refusals[{std::move(refusal.client), std::move(refusal.id)}] = {
        std::move(refusal.code), std::move(refusal.detail)};
  }
  input.owed = std::move(begin.owed);
  input.offered = std::move(begin.offered);
  return input;
}

void ReadChains(wire::AdmissionBegin* begin, Chains* chains) {
  for (wire::ChainState& chain : begin->chains) {
    ChainRow row;
    row.last = {chain.seq, chain.id.value_or("")};
    for (const auto& [id, result] : chain.refused.members()) row.refused.emplace_back(id, result);
    chains->Load(std::move(chain.realm), std::move(chain.client), std::move(row));
  }
  for (wire::AppliedUpdate& update : begin->applied)
    chains->LoadApplied(std::move(update.client), std::move(update.id), std::move(update.answer));
}

Vector<std::string> StreamsOf(const LogEntry& entry) {
  Vector<std::string> out;
  for (const auto& [stream, appends] : entry.streams) out.push_back(stream);
  return out;
}

Data EntryToData(const LogEntry& entry, double at) {
  // Pushed parts are passed on as JSON text: a copy of the tree would cost more.
  const auto text = [](const Data& pushed) { return Data::Json(WriteJson(pushed)); };
  std::string ops = WriteJson(entry.ops);
  wire::LoggedEntry out;
  out.realm = entry.realm;
  out.revision = entry.revision;
  out.at = at;
  out.client = entry.client;
  out.user = entry.user;
  out.epoch = entry.epoch;
  out.update = entry.update;
  out.declared = entry.is_declared();
  out.actions = text(entry.actions);
  // Pulls of other clients read the rows. Pulls of the author read the ops.
  out.bytes = std::max<uint64_t>(entry.bytes, ops.size());
  out.ops = Data::Json(std::move(ops));
  out.base = text(entry.base);
  out.answer = text(entry.answer);
  out.tables = ListOf(entry.tables);
  out.streams = StreamsOf(entry);
  out.changes = entry.changes;
  if (entry.is_declared()) out.seq = entry.seq;
  out.spans = entry.spans;
  return WriteMembers(out);
}

// The summary of an entry that the server uses for pokes and costs.
wire::TouchedEntry Touched(const LogEntry& entry) {
  wire::TouchedEntry out;
  for (const auto& [stream, appends] : entry.streams) out.appends += appends;
  out.realm = entry.realm;
  out.revision = entry.revision;
  out.client = entry.client;
  out.tables = ListOf(entry.tables);
  out.streams = StreamsOf(entry);
  out.changes = entry.changes;
  out.bytes = entry.bytes;
  return out;
}

// Writes the items as one JSON list, each converted by `to_data`, without line breaks.
template <typename Items, typename ToData>
void WriteList(const Items& items, ToData to_data, std::string* out) {
  char separator = '[';
  for (const auto& item : items) {
    out->push_back(separator);
    WriteJson(to_data(item), out);
    separator = ',';
  }
  if (separator == '[') out->push_back('[');
  out->push_back(']');
}

Data ChainsToData(const Chains& chains) {
  Data list = Data::MakeArray();
  for (const auto& [key, row] : chains.rows()) {
    if (!row.changed) continue;
    wire::ChainState out;
    out.realm = key.first;
    out.client = key.second;
    out.seq = row.last.seq;
    if (row.last.seq > 0) out.id = row.last.id;
    out.refused = Data::MakeObject();
    for (const auto& [id, answer] : row.refused) out.refused.Set(id, answer);
    list.Push(WriteMembers(out));
  }
  return list;
}

Data ActionToData(const LogAction& action) {
  return WriteMembers(wire::LoadedAction{action.realm, action.id, action.revision});
}

// The size is about what the append takes in an answer.
Data AppendToData(const LogAppend& append) {
  const StreamAction& action = append.action;
  wire::LoggedAppend out;
  out.realm = append.realm;
  out.stream = append.stream;
  out.revision = action.place.first;
  out.position = action.place.second;
  out.action = {action.id, action.name,    Data::Json(action.arg),
                action.at, action.made_at, action.author};
  out.bytes = action.arg.size() + kAppendOverheadBytes;
  return WriteMembers(out);
}

}  // namespace

std::string AdmissionSession::Step(std::string_view text) {
  Result<Data> in = ParseJson(text);
  Result<Data> out = in.ok() ? StepData(std::move(in.value())) : Result<Data>(in.status());
  if (!out.ok()) state_ = State::kFinished;
  std::string answer = WriteJson(out.ok() ? out.value() : ErrorToData(out.status()));
  if (out.ok() && out.value().Find("done")) WriteLists(&answer);
  return answer;
}

Result<Data> AdmissionSession::StepData(Data in) {
  if (state_ == State::kFinished) return Misuse("this admission is finished");
  if (state_ == State::kNew) {
    wire::AdmissionBegin begin;
    SKERRY_RETURN_IF_ERROR(ReadStep(std::move(in), &begin));
    SKERRY_RETURN_IF_ERROR(Start(std::move(begin)));
  } else {
    wire::AdmissionLoaded loaded;
    SKERRY_RETURN_IF_ERROR(ReadStep(std::move(in), &loaded));
    SKERRY_RETURN_IF_ERROR(LoadMore(loaded));
  }
  admission_.rows().Settle();
  switch (admission_.Run()) {
    case Admission::Outcome::kNeeds:
      state_ = State::kAsked;
      return Fields{{"needs", NeedsToData(admission_.TakeNeeds())}};
    case Admission::Outcome::kLock:
      state_ = State::kFinished;
      return Fields{{"lock", ToData(ListOf(admission_.locks()))}};
    case Admission::Outcome::kRules:
      state_ = State::kAsked;
      return Fields{{"rules", ToData(admission_.TakeQuestions())}};
    case Admission::Outcome::kDone:
      break;
  }
  rows_ = admission_.final_rows();
  state_ = State::kFinished;
  return Fields{{"done", DoneToData()}};
}

Status AdmissionSession::Start(wire::AdmissionBegin begin) {
  ReadChains(&begin, &admission_.chains());
  const Data rows = std::move(begin.rows);
  const Vector<wire::RowKey> looked = std::move(begin.looked);
  Admission::Input input = InputOf(std::move(begin));
  for (const Admission::Request& request : input.requests) {
    if (request.rights >= input.rights.size()) return Misuse("a request without rights");
  }
  SKERRY_RETURN_IF_ERROR(admission_.Begin(std::move(input)));
  SKERRY_RETURN_IF_ERROR(LoadRows(rows));
  return LoadLooked(looked);
}

Status AdmissionSession::LoadRows(const Data& rows) {
  for (const Data& data : rows.items()) {
    Result<StoredRow> stored = StoredRowFromData(*schema_, data);
    if (!stored.ok()) return Misuse(stored.status().detail());
    admission_.rows().Load(std::move(stored.value()));
  }
  return Status::Ok();
}

Status AdmissionSession::LoadLooked(const Vector<wire::RowKey>& keys) {
  for (const auto& [realm, table, id] : keys) {
    const PlacedKey key{realm, {schema_->FindTable(table), id}};
    if (key.object.table == kNone) return Misuse("`looked` holds keys");
    admission_.rows().SettleRow(key);
  }
  return Status::Ok();
}

Status AdmissionSession::LoadMore(const wire::AdmissionLoaded& loaded) {
  SKERRY_RETURN_IF_ERROR(LoadRows(loaded.rows));
  for (const wire::DoneAction& entry : loaded.undone) {
    DoneEntry done;
    done.revision = entry.revision;
    done.has_rows = entry.rows.is_array();
    for (const Data& data : entry.rows.items()) LoadBefore(data, &done);
    done.ReadDeletes(*schema_, entry.action, entry.ops, entry.actions);
    admission_.rows().LoadEntry({entry.realm, entry.action}, std::move(done));
  }
  for (const wire::ChangedByOthers& change : loaded.others) {
    const ObjectKey key{schema_->FindTable(change.table), change.id};
    admission_.rows().LoadOthers({{change.realm, key}, change.client}, change.revision);
  }
  admission_.LoadSince(loaded.since);
  const Status answered = admission_.AnswerRules(loaded.rules);
  return answered.ok() ? answered : Misuse(answered.detail());
}

// A table that is no more has no rows to bring back.
void AdmissionSession::LoadBefore(const Data& data, DoneEntry* done) const {
  const ObjectKey key{schema_->FindTable(data["table"].as_string()), data["id"].as_string()};
  if (key.table == kNone) return;
  Result<std::optional<Row>> row = RowFromData(*schema_, data);
  if (!row.ok()) {
    done->unread = row.status();
  } else if (row.value()) {
    done->AddRow(*schema_, key, std::move(*row.value()));
  }
}

wire::RowKey AdmissionSession::NameOf(const PlacedKey& key) const {
  return {key.realm, schema_->table(key.object.table).name, key.object.id};
}

Data AdmissionSession::NeedsToData(const Needs& needs) const {
  wire::RowNeeds out;
  for (const PlacedKey& key : needs.rows) out.rows.push_back(NameOf(key));
  for (const ChildrenOf& which : needs.children) {
    const TableDef& table = schema_->table(which.table);
    out.children.push_back({which.realm, table.name, table.props[which.prop].name, which.id});
  }
  for (const UniqueValue& which : needs.holders) {
    const TableDef& table = schema_->table(which.table);
    out.unique.push_back(
        {which.realm, table.name, table.props[which.prop].name, ParseJson(which.value).value()});
  }
  for (const RowsMatching& which : needs.matching) {
    const std::string& table = schema_->table(which.table).name;
    out.matching.push_back({which.realm, table, Data::Json(which.where)});
  }
  for (const LastChangeByOthers& which : needs.others) {
    const auto& [realm, table, id] = NameOf(which.key);
    out.others.push_back({realm, table, id, which.client});
  }
  for (const ChangesAbove& which : needs.changes)
    out.since.push_back(std::tuple_cat(NameOf(which.key), std::tuple(which.revision)));
  for (const auto& [which, with_rows] : needs.entries)
    out.undone.push_back({which.realm, which.id, with_rows});
  return WriteMembers(out);
}

Data AdmissionSession::DoneToData() const {
  wire::AdmissionDone done;
  done.at = admission_.at();
  done.results = admission_.results();
  done.failed = admission_.failed();
  const auto members = FindChangedMembers(*schema_, admission_.changes(), rows_);
  for (const LogEntry& entry : admission_.entries()) {
    wire::TouchedEntry& touched = done.touched.emplace_back(Touched(entry));
    const auto changed = members.find({entry.realm, entry.revision});
    if (changed != members.end()) changed->second.Tell(entry.user, &touched);
  }
  Set<std::string> tables;
  for (const WorkingSet::Final& row : rows_) tables.insert(TableOf(row));
  done.tables = ListOf(tables);
  done.rows = rows_.size();
  done.unmet = admission_.unmet();
  done.offers = admission_.offers();
  return WriteMembers(done);
}

const std::string& AdmissionSession::TableOf(const WorkingSet::Final& row) const {
  return schema_->table(row.stored.key.table).name;
}

// By how many live rows each realm grew. Only the first change of a row in a realm says whether the
// row was there before this commit.
Map<std::string, int64_t> AdmissionSession::Growth() const {
  Map<std::string, int64_t> grown;
  Set<PlacedKey> seen;
  for (const LogChange& change : admission_.changes()) {
    if (seen.insert({change.realm, change.key}).second && change.before) --grown[change.realm];
  }
  for (const WorkingSet::Final& row : rows_) {
    const StoredRow& stored = row.stored;
    if (stored.deleted_at || !seen.contains({stored.row.realm, stored.key})) continue;
    ++grown[stored.row.realm];
  }
  return grown;
}

// Lines separate the lists: WriteJson writes no line breaks.
void AdmissionSession::WriteLists(std::string* out) const {
  out->push_back('\n');
  WriteList(
      admission_.entries(),
      [&](const LogEntry& entry) { return EntryToData(entry, admission_.at()); }, out);
  out->push_back('\n');
  WriteList(
      admission_.changes(), [&](const LogChange& change) { return ChangeToData(change); }, out);
  out->push_back('\n');
  WriteList(admission_.new_actions(), ActionToData, out);
  out->push_back('\n');
  WriteList(admission_.appends(), AppendToData, out);
  out->push_back('\n');
  WriteJson(ChainsToData(admission_.chains()), out);
  out->push_back('\n');
  WriteJson(HeadsToData(), out);
  // rows_ is ordered by table index, but the lists follow the order of `tables`, by name.
  Map<std::string, Vector<const WorkingSet::Final*>> by_table;
  for (const WorkingSet::Final& row : rows_) by_table[TableOf(row)].push_back(&row);
  for (const auto& [table, rows] : by_table) {
    out->push_back('\n');
    WriteList(
        rows,
        [&](const WorkingSet::Final* row) {
          Data data = StoredRowToData(*schema_, row->stored);
          data.Set("isNew", row->is_new);
          return data;
        },
        out);
  }
}

Data AdmissionSession::ChangeToData(const LogChange& change) const {
  return WriteMembers(wire::LoggedChange{
      change.realm, change.revision, schema_->table(change.key.table).name, change.key.id,
      RowToData(*schema_, change.key, change.before), change.is_touch, change.offered});
}

Data AdmissionSession::HeadsToData() const {
  Set<std::string> written;
  for (const LogEntry& entry : admission_.entries()) written.insert(entry.realm);
  const Map<std::string, int64_t> grown = Growth();
  Data heads = Data::MakeArray();
  for (const std::string& realm : written) {
    const RealmState& state = admission_.realms().at(realm);
    const auto rows = grown.find(realm);
    const double growth = rows == grown.end() ? 0 : static_cast<double>(rows->second);
    heads.Push(WriteMembers(wire::WrittenHead{realm, state.head, state.head_at, growth,
                                              state.given_back == state.head_at}));
  }
  return heads;
}

}  // namespace skerry
