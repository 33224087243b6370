#include "authority/pull_json.h"

#include <utility>

#include "authority/misuse.h"
#include "authority/row_data.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/strict.h"

namespace skerry {
namespace {

Status Invalid(const char* detail) { return {Code::kInvalidArgument, detail}; }

// The scopes of a pull, or of a socket's `hello`. A client of another schema version may name
// tables that this schema has dropped.
Result<Scopes> ReadScopes(const Schema& schema, const Data& data) {
  const bool same = data["schema"].as_u64(schema.version()) == schema.version();
  return Scopes::Parse(schema, data["scopes"],
                       same ? UnknownTables::kRefused : UnknownTables::kLeftOut);
}

Result<PullInput> ReadRequest(const Schema& schema, const Data& data) {
  PullInput request;
  request.client = data["client"].as_string();
  if (request.client.empty() || request.client.size() > kMaxIdBytes) return Invalid("no client");
  if (data["cursors"].members().size() > kMaxCursors || data["have"].items().size() > kMaxCursors ||
      data["known"].items().size() > kMaxCursors) {
    return Status(Code::kLimit, "too many cursors, or too long a list `have` or `known`");
  }
  for (const auto& [realm, text] : data["cursors"].members()) {
    Result<Cursor> cursor = ParseCursor(text.as_string());
    if (!cursor.ok()) return cursor.status();
    request.cursors[realm] = cursor.value();
  }
  for (const Data& id : data["have"].items()) {
    if (!id.is_string()) return Invalid("`have` holds ids of updates");
    request.have.insert(id.as_string());
  }
  if (data["known"].is_array()) request.known.emplace();
  for (const Data& id : data["known"].items()) {
    if (!id.is_string()) return Invalid("`known` holds ids of actions");
    request.known->insert(id.as_string());
  }
  Result<Scopes> scopes = ReadScopes(schema, data);
  if (!scopes.ok()) return scopes.status();
  request.scopes = std::move(scopes.value());
  Result<Vector<StreamScope>> streams = ReadStreamScopes(data["streams"]);
  if (!streams.ok()) return streams.status();
  request.streams = std::move(streams.value());
  request.limit = data["limit"].as_u64();
  request.accepts_refill = data["refill"].as_bool();
  request.asks_for_floors = data["floors"].as_bool();
  request.accepts_images = !(data["images"].is_bool() && !data["images"].as_bool());
  request.is_partial = data["partial"].as_bool();
  return request;
}

// The ops of one of the client's own updates, without `by`, which does not matter here.
Result<Vector<Op>> ReadOps(const Schema& schema, const Data& data) {
  Vector<Op> ops;
  for (Data item : data.items()) {
    if (item.is_object()) item.Remove("by");
    if (!TrimOp(schema, &item)) continue;
    Result<Op> op = OpFromData(schema, item, 1);
    if (!op.ok()) return op.status();
    ops.push_back(std::move(op.value()));
  }
  return ops;
}

Result<ObjectKey> ReadKey(const Schema& schema, const Data& data) {
  const TableIndex table = schema.FindTable(data["table"].as_string());
  if (table == kNone) return Status(Code::kUnknownTable, "no table " + data["table"].as_string());
  return ObjectKey{table, data["id"].as_string()};
}

// Of an entry, which may have many ops: it is not copied.
LostOps LostOf(const Data& data) {
  return ReadRecord<LostOps>(
      Fields{{"gone", data["gone"]}, {"missing", data["missing"]}, {"dropped", data["dropped"]}});
}

Data RealmItem(const std::string& realm) { return Fields{{"realm", realm}}; }

}  // namespace

std::string CheckScopes(const Schema& schema, std::string_view text) {
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  Result<Scopes> scopes = ReadScopes(schema, in.value());
  if (!scopes.ok()) return WriteJson(ErrorToData(scopes.status()));
  Data list = Data::MakeArray();
  for (const Scope& scope : scopes.value().list()) {
    const std::string& table = schema.table(scope.table).name;
    Data tables = Data::MakeArray().Push(table);
    for (const SubSelect& select : FindSubSelects(scope.filter, scope.where))
      tables.Push((*select.select)["table"]);
    Data item = Fields{{"table", table}};
    item.Set("where", scope.where).Set("tables", std::move(tables));
    list.Push(std::move(item));
  }
  return WriteJson(Fields{{"scopes", std::move(list)}});
}

std::string PullSession::Step(std::string_view text) {
  Result<Data> in = ParseJson(text);
  Result<Data> out = in.ok() ? StepData(in.value()) : Result<Data>(in.status());
  if (out.ok()) return WriteJson(out.value());
  state_ = State::kFinished;
  return WriteJson(ErrorToData(out.status()));
}

Result<Data> PullSession::StepData(const Data& in) {
  if (state_ == State::kFinished) return Misuse("this pull is finished");
  if (state_ == State::kNew) {
    SKERRY_RETURN_IF_ERROR(Start(in));
    state_ = State::kAsked;
    if (!pull_.needs().empty()) return Fields{{"needs", NeedsToData()}};
  } else {
    SKERRY_RETURN_IF_ERROR(Load(in));
  }
  pull_.Run();
  if (pull_.is_too_large()) return Gone();
  if (!pull_.needs().empty()) return Fields{{"needs", NeedsToData()}};
  state_ = State::kFinished;
  return Fields{{"answer", WriteMembers(pull_.answer())}};
}

Data PullSession::Gone() {
  state_ = State::kFinished;
  return Fields{{"gone", true}};
}

Status PullSession::Start(const Data& in) {
  if (!in["now"].is_number() || !in["realms"].is_object()) return Misuse("`now` and `realms`");
  Result<PullInput> request = ReadRequest(*schema_, in["request"]);
  if (!request.ok()) return request.status();
  request.value().now = in["now"].as_number();
  Map<std::string, PullRealm> realms;
  for (const auto& [name, state] : in["realms"].members()) {
    realms[name] = {state["head"].as_u64(),
                    state["headAt"].as_number(),
                    state["rows"].as_u64(),
                    {state["floor"].as_u64(), state["floorAt"].as_number()}};
  }
  pull_.Begin(std::move(request.value()), std::move(realms));
  return Status::Ok();
}

Status PullSession::Load(const Data& in) {
  SKERRY_RETURN_IF_ERROR(LoadLog(in));
  for (const Data& data : in["state"].items()) {
    Result<StoredRow> stored = StoredRowFromData(*schema_, data);
    if (!stored.ok()) return Misuse(stored.status().detail());
    if (!stored.value().deleted_at) pull_.LoadState(stored.value().key, stored.value().row);
  }
  LoadUnread(in);
  SKERRY_RETURN_IF_ERROR(LoadPages(in));
  SKERRY_RETURN_IF_ERROR(LoadRowsAt(in));
  SKERRY_RETURN_IF_ERROR(LoadJoins(in));
  LoadStreams(in);
  for (const Data& image : in["images"].items()) {
    if (const WrongAt wrong = FindWrong<wire::Image>(image)) return Misuse("images: " + *wrong);
    pull_.LoadImage(ReadRecord<wire::Image>(image));
  }
  return Status::Ok();
}

Status PullSession::LoadLog(const Data& in) {
  for (const Data& data : in["entries"].items()) {
    PulledEntry entry;
    entry.revision = data["revision"].as_u64();
    entry.at = data["at"].as_number();
    entry.client = data["client"].as_string();
    entry.update = data["update"].as_string();
    entry.is_declared = data["declared"].as_bool();
    // A server without stored `spans` sends the answer's `revisions`: only the declared realms.
    const Data& spans = data["spans"].is_object() ? data["spans"] : data["revisions"];
    for (const auto& [realm, revision] : spans.members()) {
      entry.spans.emplace_back(realm, revision.as_u64());
    }
    entry.lost = LostOf(data);
    for (const Data& stream : data["streams"].items()) entry.streams.push_back(stream.as_string());
    pull_.LoadEntry(data["realm"].as_string(), std::move(entry));
  }
  for (const Data& data : in["changes"].items()) {
    Result<ObjectKey> key = ReadKey(*schema_, data);
    if (!key.ok()) continue;  // the schema has dropped the table
    Result<std::optional<Row>> before = RowFromData(*schema_, data["before"]);
    if (!before.ok()) return Misuse(before.status().detail());
    if (const Data* given = data.Find("row")) SKERRY_RETURN_IF_ERROR(LoadRowOfChange(data, *given));
    pull_.LoadChange(data["realm"].as_string(), data["revision"].as_u64(), key.value(),
                     std::move(before.value()));
  }
  for (const Data& data : in["actions"].items()) {
    pull_.LoadAction(data["realm"].as_string(), data["id"].as_string(), data["revision"].as_u64());
  }
  for (const Data& data : in["own"].items()) {
    Result<Vector<Op>> ops = ReadOps(*schema_, data["ops"]);
    if (!ops.ok()) return Misuse(ops.status().detail());
    PulledOwn own{data["update"].as_string(),
                  data["revision"].as_u64(),
                  data["at"].as_number(),
                  std::move(ops.value()),
                  LostOf(data),
                  data["forgotten"].as_bool(),
                  {}};
    for (const auto& [realm, revision] : data["revisions"].members())
      own.spans.emplace_back(realm, revision.as_u64());
    pull_.LoadOwn(data["realm"].as_string(), std::move(own));
  }
  return Status::Ok();
}

// `given` is the live row of the change's realm, table and id, or null.
Status PullSession::LoadRowOfChange(const Data& change, const Data& given) {
  const std::string& realm = change["realm"].as_string();
  const ObjectKey key = ReadKey(*schema_, change).value();
  if (given.is_null()) {
    pull_.LoadRow({realm, key}, std::nullopt);
    return Status::Ok();
  }
  Result<Row> row = RowOfTable(schema_->table(key.table), realm, given);
  if (!row.ok()) return Misuse(row.status().detail());
  pull_.LoadRow({realm, key}, std::move(row.value()));
  return Status::Ok();
}

void PullSession::LoadUnread(const Data& in) {
  for (const Data& data : in["omitted"].items()) {
    if (data["joins"].as_bool()) {
      pull_.LoadUnreadJoins(data["realm"].as_string());
      continue;
    }
    std::optional<Set<TableIndex>> tables;
    if (data["tables"].is_array()) tables.emplace();
    for (const Data& name : data["tables"].items()) {
      const TableIndex table = schema_->FindTable(name.as_string());
      if (table != kNone) tables->insert(table);  // else the schema has dropped it
    }
    pull_.LoadUnread(data["realm"].as_string(), std::move(tables));
  }
}

Status PullSession::LoadPages(const Data& in) {
  size_t place = 0;
  for (const Data& data : in["pages"].items()) {
    if (data.is_null()) {
      ++place;
      continue;
    }
    PulledPage page;
    page.has_more = data["more"].as_bool();
    if (data["upto"].is_string()) page.upto = data["upto"].as_string();
    for (const Data& row : data["rows"].items()) {
      Result<StoredRow> stored = StoredRowFromData(*schema_, row);
      if (!stored.ok()) return Misuse(stored.status().detail());
      if (stored.value().deleted_at) continue;
      page.rows.emplace_back(stored.value().key, stored.value().row);
    }
    pull_.LoadPage(place++, std::move(page));
  }
  return Status::Ok();
}

Status PullSession::LoadRowsAt(const Data& in) {
  for (const Data& data : in["rows"].items()) {
    Result<ObjectKey> key = ReadKey(*schema_, data);
    if (!key.ok()) return Misuse(key.status().detail());
    const Data& given = data["before"].is_null() ? data["row"] : data["before"];
    Result<std::optional<Row>> row = RowFromData(*schema_, given);
    if (!row.ok()) return Misuse(row.status().detail());
    pull_.LoadRow({data["realm"].as_string(), key.value()}, std::move(row.value()));
  }
  return Status::Ok();
}

Data PullSession::ScopeToData(size_t scope) const {
  const Scope& wanted = pull_.request().scopes.list()[scope];
  Data data = Fields{{"table", schema_->table(wanted.table).name}};
  data.Set("where", wanted.where);
  return data;
}

Data PullSession::TablesToData(const Set<TableIndex>& tables) const {
  Data names = Data::MakeArray();
  for (const TableIndex table : tables) names.Push(schema_->table(table).name);
  return names;
}

Data PullSession::NeedsToData() const {
  const PullNeeds& needs = pull_.needs();
  Data entries = Data::MakeArray(), changes = Data::MakeArray(), own = Data::MakeArray();
  Data state = Data::MakeArray(), pages = Data::MakeArray(), images = Data::MakeArray();
  Data rows = Data::MakeArray(), page_realms = Data::MakeArray(), actions = Data::MakeArray();
  for (const PullNeeds::Entries& item : needs.entries) {
    Data data = RealmItem(item.realm);
    data.Set("from", item.from).Set("limit", item.limit);
    entries.Push(data.Set("client", item.client.empty() ? Data() : Data(item.client)));
  }
  const Data tables = TablesToData(pull_.request().scopes.Tables());
  for (const auto& [realm, from] : needs.changes) {
    Data need = RealmItem(realm).Set("from", from);
    changes.Push(need.Set("tables", tables).Set("toHead", TablesToData(pull_.TablesToHead())));
  }
  for (const std::string& id : needs.own) own.Push(id);
  for (const std::string& id : needs.actions) actions.Push(id);
  for (const PullNeeds::State& item : needs.state) {
    state.Push(RealmItem(item.realm).Set("tables", TablesToData(item.tables)));
  }
  for (const std::string& realm : needs.page_realms) page_realms.Push(realm);
  for (const size_t scope : needs.pages) {
    Data data = ScopeToData(scope);
    data.Set("above", pull_.request().scopes.list()[scope].filled).Set("realms", page_realms);
    pages.Push(data.Set("limit", static_cast<uint64_t>(kPageRows)));
  }
  for (const std::string& realm : needs.images) images.Push(RealmItem(realm));
  for (const PullNeeds::RowAt& item : needs.rows) {
    Data data = RealmItem(item.key.first);
    data.Set("table", schema_->table(item.key.second.table).name).Set("id", item.key.second.id);
    rows.Push(data.Set("after", item.after));
  }
  Data data = Data::MakeObject();
  AddJoinNeeds(&data);
  AddStreamNeeds(&data);
  data.Set("entries", std::move(entries)).Set("changes", std::move(changes));
  data.Set("own", std::move(own)).Set("actions", std::move(actions));
  data.Set("state", std::move(state)).Set("pages", std::move(pages));
  data.Set("images", std::move(images)).Set("rows", std::move(rows));
  return data;
}

}  // namespace skerry
