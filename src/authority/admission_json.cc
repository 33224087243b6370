#include "authority/admission_json.h"

#include <algorithm>
#include <utility>

#include "authority/changed_members.h"
#include "authority/misuse.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"

namespace skerry {
namespace {

void ReadRealms(const Data& in, Admission::Input* input) {
  for (const auto& [realm, state] : in["realms"].members()) {
    RealmState& out = input->realms[realm];
    out.exists = state.is_object();
    out.head = state["head"].as_u64();
    out.head_at = state["headAt"].as_number();
    out.floor = state["floor"].as_u64();
    out.floor_at = state["floorAt"].as_number();
  }
  for (const Data& rights : in["rights"].items()) {
    Map<std::string, Right>& out = input->rights.emplace_back();
    for (const auto& [realm, right] : rights.members()) {
      out[realm] = right.Is("own")     ? Right::kOwn
                   : right.Is("write") ? Right::kWrite
                   : right.Is("read")  ? Right::kRead
                                       : Right::kNone;
    }
  }
}

void ReadChains(const Data& in, Chains* chains) {
  for (const Data& data : in["chains"].items()) {
    ChainRow row;
    row.last = {data["seq"].as_u64(), data["id"].as_string()};
    for (const auto& [id, result] : data["refused"].members()) row.refused.emplace_back(id, result);
    chains->Load(data["realm"].as_string(), data["client"].as_string(), std::move(row));
  }
  for (const Data& data : in["applied"].items()) {
    chains->LoadApplied(data["client"].as_string(), data["id"].as_string(), data["answer"]);
  }
}

// True: the request says so itself. A number: the server's time at which the client said so first.
Follows FollowsFromData(const Data& data) {
  Follows follows;
  follows.is_said = data.is_bool() && data.as_bool();
  if (data.is_number()) follows.since = data.as_number();
  return follows;
}

void ReadRequests(const Data& in, Admission::Input* input) {
  for (const Data& data : in["requests"].items()) {
    input->requests.push_back({data["client"].as_string(), data["user"].as_string(),
                               data["updates"].items(), data["epoch"],
                               static_cast<size_t>(data["rights"].as_u64(SIZE_MAX)),
                               FollowsFromData(data["follows"]), data["older"].as_bool()});
  }
  for (const Data& data : in["actions"].items()) {
    input->actions.push_back(
        {data["realm"].as_string(), data["id"].as_string(), data["revision"].as_u64()});
  }
  for (const Data& data : in["refuse"].items()) {
    input->refusals[{data["client"].as_string(), data["id"].as_string()}] = {
        data["code"].as_string(), data["detail"].as_string()};
  }
}

Data StreamsOf(const LogEntry& entry) {
  Data out = Data::MakeArray();
  for (const auto& [stream, appends] : entry.streams) out.Push(stream);
  return out;
}

Data EntryToData(const LogEntry& entry, double at) {
  // Pushed parts are passed on as JSON text: a copy of the tree would cost more.
  const auto text = [](const Data& pushed) { return Data::Json(WriteJson(pushed)); };
  std::string ops = WriteJson(entry.ops);
  // Pulls of other clients read the rows. Pulls of the author read the ops.
  const uint64_t bytes = std::max<uint64_t>(entry.bytes, ops.size());
  Data data = Data::MakeObject();
  data.Set("realm", entry.realm)
      .Set("revision", entry.revision)
      .Set("at", at)
      .Set("client", entry.client)
      .Set("user", entry.user)
      .Set("epoch", entry.epoch)
      .Set("update", entry.update)
      .Set("declared", entry.is_declared())
      .Set("actions", text(entry.actions))
      .Set("ops", Data::Json(std::move(ops)))
      .Set("base", text(entry.base))
      .Set("answer", text(entry.answer))
      .Set("tables", NamesToData(entry.tables))
      .Set("streams", StreamsOf(entry))
      .Set("changes", entry.changes)
      .Set("bytes", bytes);
  if (entry.is_declared()) data.Set("seq", entry.seq);
  if (!entry.spans.is_null()) data.Set("spans", entry.spans);
  return data;
}

// The summary of an entry that the server uses for pokes and costs.
Data TouchedToData(const LogEntry& entry) {
  Data data = Data::MakeObject();
  uint64_t appended = 0;
  for (const auto& [stream, appends] : entry.streams) appended += appends;
  data.Set("realm", entry.realm)
      .Set("revision", entry.revision)
      .Set("client", entry.client)
      .Set("tables", NamesToData(entry.tables))
      .Set("streams", StreamsOf(entry))
      .Set("changes", entry.changes)
      .Set("bytes", entry.bytes)
      .Set("appends", appended);
  return data;
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
    Data refused = Data::MakeObject();
    for (const auto& [id, answer] : row.refused) refused.Set(id, answer);
    Data data = Data::MakeObject();
    data.Set("realm", key.first)
        .Set("client", key.second)
        .Set("seq", row.last.seq)
        .Set("id", row.last.seq ? Data(row.last.id) : Data())
        .Set("refused", std::move(refused));
    list.Push(std::move(data));
  }
  return list;
}

Data ActionToData(const LogAction& action) {
  Data data = Data::MakeObject();
  return data.Set("realm", action.realm).Set("id", action.id).Set("revision", action.revision);
}

// The size is about what the append takes in an answer.
Data AppendToData(const LogAppend& append) {
  const StreamAction& action = append.action;
  Data data = Data::MakeObject();
  data.Set("realm", append.realm)
      .Set("stream", append.stream)
      .Set("revision", action.place.first)
      .Set("position", action.place.second)
      .Set("id", action.id)
      .Set("name", action.name)
      .Set("arg", Data::Json(action.arg))
      .Set("at", action.at)
      .Set("madeAt", action.made_at)
      .Set("author", action.author);
  return data.Set("bytes", uint64_t{action.arg.size() + kAppendOverheadBytes});
}

}  // namespace

std::string AdmissionSession::Step(std::string_view text) {
  Result<Data> in = ParseJson(text);
  Result<Data> out = in.ok() ? StepData(in.value()) : Result<Data>(in.status());
  if (!out.ok()) state_ = State::kFinished;
  std::string answer = WriteJson(out.ok() ? out.value() : ErrorToData(out.status()));
  if (out.ok() && out.value().Find("done")) WriteLists(&answer);
  return answer;
}

Result<Data> AdmissionSession::StepData(const Data& in) {
  if (state_ == State::kFinished) return Misuse("this admission is finished");
  if (state_ == State::kNew) SKERRY_RETURN_IF_ERROR(Start(in));
  SKERRY_RETURN_IF_ERROR(LoadRows(in));
  switch (admission_.Run()) {
    case Admission::Outcome::kNeeds:
      state_ = State::kAsked;
      return Fields{{"needs", NeedsToData(admission_.TakeNeeds())}};
    case Admission::Outcome::kLock:
      state_ = State::kFinished;
      return Fields{{"lock", NamesToData(admission_.locks())}};
    case Admission::Outcome::kDone:
      break;
  }
  rows_ = admission_.final_rows();
  state_ = State::kFinished;
  return Fields{{"done", DoneToData()}};
}

Status AdmissionSession::Start(const Data& in) {
  if (!in["now"].is_number() || !in["requests"].is_array()) return Misuse("`now` and `requests`");
  Admission::Input input;
  input.now = in["now"].as_number();
  input.asks_consent = !in["invitations"].Is("direct");
  ReadRealms(in, &input);
  ReadRequests(in, &input);
  for (const Admission::Request& request : input.requests) {
    if (request.rights >= input.rights.size()) return Misuse("a request without rights");
  }
  ReadChains(in, &admission_.chains());
  return admission_.Begin(std::move(input));
}

Status AdmissionSession::LoadRows(const Data& in) {
  for (const Data& data : in["rows"].items()) {
    Result<StoredRow> stored = StoredRowFromData(*schema_, data);
    if (!stored.ok()) return Misuse(stored.status().detail());
    admission_.rows().Load(std::move(stored.value()));
  }
  for (const Data& data : in["looked"].items()) {
    if (data.items().size() != 3) return Misuse("`looked` holds keys");
    const PlacedKey key{
        data.items()[0].as_string(),
        {schema_->FindTable(data.items()[1].as_string()), data.items()[2].as_string()}};
    if (key.object.table == kNone) return Misuse("`looked` holds keys");
    admission_.rows().SettleRow(key);
  }
  for (const Data& data : in["others"].items()) {
    const ObjectKey key{schema_->FindTable(data["table"].as_string()), data["id"].as_string()};
    admission_.rows().LoadOthers({{data["realm"].as_string(), key}, data["client"].as_string()},
                                 data["revision"].as_u64());
  }
  admission_.rows().Settle();
  return Status::Ok();
}

Data AdmissionSession::NeedsToData(const Needs& needs) const {
  Data rows = Data::MakeArray(), children = Data::MakeArray();
  Data unique = Data::MakeArray(), others = Data::MakeArray();
  for (const PlacedKey& key : needs.rows) rows.Push(KeyToData(*schema_, key));
  for (const ChildrenOf& which : needs.children) {
    const TableDef& table = schema_->table(which.table);
    Data item = Data::MakeArray();
    item.Push(which.realm).Push(table.name).Push(table.props[which.prop].name);
    children.Push(item.Push(which.id));
  }
  for (const UniqueValue& which : needs.holders) {
    const TableDef& table = schema_->table(which.table);
    Data item = Data::MakeArray();
    item.Push(which.realm).Push(table.name).Push(table.props[which.prop].name);
    item.Push(ParseJson(which.value).value());
    unique.Push(std::move(item));
  }
  for (const LastChangeByOthers& which : needs.others) {
    others.Push(KeyToData(*schema_, which.key).Push(which.client));
  }
  Data data = Data::MakeObject();
  data.Set("rows", std::move(rows))
      .Set("children", std::move(children))
      .Set("unique", std::move(unique))
      .Set("others", std::move(others));
  return data;
}

Data AdmissionSession::DoneToData() const {
  Data results = Data::MakeArray(), touched = Data::MakeArray();
  for (const Vector<Data>& request : admission_.results()) results.Push(Data(request));
  const auto members = FindChangedMembers(*schema_, admission_.changes(), rows_);
  for (const LogEntry& entry : admission_.entries()) {
    Data data = TouchedToData(entry);
    const auto changed = members.find({entry.realm, entry.revision});
    if (changed != members.end()) changed->second.Tell(entry.user, &data);
    touched.Push(std::move(data));
  }
  Set<std::string> tables;
  for (const WorkingSet::Final& row : rows_) tables.insert(TableOf(row));
  Data done = Data::MakeObject();
  done.Set("at", admission_.at()).Set("results", std::move(results));
  done.Set("touched", std::move(touched)).Set("tables", NamesToData(tables));
  done.Set("rows", static_cast<uint64_t>(rows_.size()));
  return done;
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
  Data data = Data::MakeObject();
  data.Set("realm", change.realm)
      .Set("revision", change.revision)
      .Set("table", schema_->table(change.key.table).name)
      .Set("id", change.key.id)
      .Set("before", RowToData(*schema_, change.key, change.before))
      .Set("touch", change.is_touch);
  return data;
}

Data AdmissionSession::HeadsToData() const {
  Set<std::string> written;
  for (const LogEntry& entry : admission_.entries()) written.insert(entry.realm);
  const Map<std::string, int64_t> grown = Growth();
  Data heads = Data::MakeArray();
  for (const std::string& realm : written) {
    const RealmState& state = admission_.realms().at(realm);
    const auto rows = grown.find(realm);
    Data data = Data::MakeObject();
    data.Set("realm", realm).Set("head", state.head).Set("headAt", state.head_at);
    heads.Push(data.Set("rows", rows == grown.end() ? int64_t{0} : rows->second));
  }
  return heads;
}

}  // namespace skerry
