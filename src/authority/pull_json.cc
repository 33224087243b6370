#include "authority/pull_json.h"

#include <utility>

#include "authority/host_step.h"
#include "authority/misuse.h"
#include "authority/row_data.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/wire/check_scopes.h"
#include "log/wire/pull_loaded.h"
#include "log/wire/pull_needs.h"
#include "log/wire/pull_request.h"

namespace skerry {
namespace {

// A client of another schema version may name tables that this schema has dropped.
Result<Scopes> ReadScopes(const Schema& schema, std::optional<uint64_t> version,
                          Vector<wire::PulledScope> list) {
  const bool is_same = version.value_or(schema.version()) == schema.version();
  return Scopes::Parse(schema, std::move(list),
                       is_same ? UnknownTables::kRefused : UnknownTables::kLeftOut);
}

Result<PullInput> ReadRequest(const Schema& schema, Data data) {
  wire::PullRequest sent;
  SKERRY_RETURN_IF_ERROR(ReadSent(std::move(data), &sent));
  PullInput request;
  if (sent.client.size() > kMaxIdBytes) return Status(Code::kInvalidArgument, "no client");
  request.client = std::move(sent.client);
  if (sent.known.has_value()) request.known.emplace();
  const Vector<std::string> known = sent.known.value_or(Vector<std::string>());
  if (sent.cursors.size() > kMaxCursors || sent.have.size() > kMaxCursors ||
      known.size() > kMaxCursors) {
    return Status(Code::kLimit, "too many cursors, or too long a list `have` or `known`");
  }
  for (const auto& [realm, text] : sent.cursors) {
    Result<Cursor> cursor = ParseCursor(text);
    if (!cursor.ok()) return cursor.status();
    request.cursors[realm] = cursor.value();
  }
  const Cursors given = sent.given.value_or(Cursors());
  if (given.size() > kMaxCursors) return Status(Code::kLimit, "too many cursors in `given`");
  for (const auto& [realm, text] : given) {
    Result<Cursor> cursor = ParseCursor(text);
    if (!cursor.ok()) return cursor.status();
    request.given[realm] = cursor.value();
  }
  request.have.insert(sent.have.begin(), sent.have.end());
  for (const std::string& id : known) request.known->insert(id);
  Result<Scopes> scopes = ReadScopes(schema, sent.schema, std::move(sent.scopes));
  if (!scopes.ok()) return scopes.status();
  request.scopes = std::move(scopes.value());
  Result<Vector<StreamScope>> streams =
      ReadStreamScopes(sent.streams.value_or(Vector<wire::PulledStream>()));
  if (!streams.ok()) return streams.status();
  request.streams = std::move(streams.value());
  request.version = static_cast<uint32_t>(sent.schema.value_or(0));
  request.limit = sent.limit;
  request.accepts_refill = sent.refill;
  request.asks_for_floors = sent.floors.value_or(false);
  request.accepts_images = sent.images.value_or(true);
  request.is_partial = sent.partial.value_or(false);
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

}  // namespace

std::string CheckScopes(const Schema& schema, std::string_view text) {
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  wire::CheckedScopes asked;
  const Status fits = ReadSent(std::move(in.value()), &asked);
  if (!fits.ok()) return WriteJson(ErrorToData(fits));
  Result<Scopes> scopes = ReadScopes(schema, asked.schema, std::move(asked.scopes));
  if (!scopes.ok()) return WriteJson(ErrorToData(scopes.status()));
  wire::ScopeTables answer;
  for (const Scope& scope : scopes.value().list()) {
    wire::TablesOfScope& item = answer.scopes.emplace_back();
    item.scope = {schema.table(scope.table).name, scope.where};
    item.tables.push_back(item.scope.table);
    for (const SubSelect& select : FindSubSelects(scope.filter, scope.where))
      item.tables.push_back(schema.table(select.filter->table).name);
  }
  return WriteJson(WriteMembers(answer));
}

std::string PullSession::Step(std::string_view text) {
  Result<Data> in = ParseJson(text);
  Result<Data> out = in.ok() ? StepData(std::move(in.value())) : Result<Data>(in.status());
  if (out.ok()) return WriteJson(out.value());
  state_ = State::kFinished;
  return WriteJson(ErrorToData(out.status()));
}

Result<Data> PullSession::StepData(Data in) {
  if (state_ == State::kFinished) return Misuse("this pull is finished");
  if (state_ == State::kNew) {
    SKERRY_RETURN_IF_ERROR(Start(std::move(in)));
    state_ = State::kAsked;
    if (!pull_.needs().empty()) return Fields{{"needs", NeedsToData()}};
  } else {
    SKERRY_RETURN_IF_ERROR(Load(std::move(in)));
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

Status PullSession::Start(Data in) {
  wire::PullBegin begin;
  SKERRY_RETURN_IF_ERROR(ReadStep(std::move(in), &begin));
  Result<PullInput> request = ReadRequest(*schema_, std::move(begin.request));
  if (!request.ok()) return request.status();
  request.value().now = begin.now;
  Map<std::string, PullRealm> realms;
  for (const auto& [name, state] : begin.realms)
    realms[name] = {state.head, state.head_at, state.rows, {state.floor, state.floor_at}};
  pull_.Begin(std::move(request.value()), realms);
  return Status::Ok();
}

Status PullSession::Load(Data in) {
  wire::PullLoaded read;
  SKERRY_RETURN_IF_ERROR(ReadStep(std::move(in), &read));
  for (wire::LoadedEntry& entry : read.entries) pull_.ranges().LoadEntry(std::move(entry));
  SKERRY_RETURN_IF_ERROR(LoadChanges(std::move(read.changes)));
  for (const wire::LoadedAction& item : read.actions)
    pull_.ranges().LoadAction(item.realm, item.id, item.revision);
  SKERRY_RETURN_IF_ERROR(LoadOwn(std::move(read.own)));
  SKERRY_RETURN_IF_ERROR(LoadState(read.state));
  LoadUnread(read.omitted);
  SKERRY_RETURN_IF_ERROR(LoadPages(read.pages));
  SKERRY_RETURN_IF_ERROR(LoadRowsAt(std::move(read.rows)));
  SKERRY_RETURN_IF_ERROR(LoadJoins(read.candidates, read.selected));
  LoadStreams(std::move(read.streams));
  for (wire::Image& image : read.images) pull_.ranges().LoadImage(std::move(image));
  return Status::Ok();
}

Status PullSession::LoadChanges(Data changes) {
  if (!changes.is_array()) return Status::Ok();
  for (Data& data : changes.mutable_items()) {
    auto change = ReadRecord<wire::LoadedChange>(std::move(data));
    const ObjectKey key{schema_->FindTable(change.table), change.id};
    if (key.table == kNone) continue;  // the schema has dropped the table
    Result<std::optional<Row>> before = RowFromData(*schema_, change.before);
    if (!before.ok()) return Misuse(before.status().detail());
    if (change.row.has_value()) SKERRY_RETURN_IF_ERROR(LoadRowOfChange(key, change));
    pull_.rows().LoadChange(change.realm, change.revision, key, std::move(before.value()));
  }
  return Status::Ok();
}

// `row` is the live row of the change's realm, table and id, or null.
Status PullSession::LoadRowOfChange(const ObjectKey& key, const wire::LoadedChange& change) {
  if (change.row->is_null()) {
    pull_.rows().LoadRow({change.realm, key}, std::nullopt);
    return Status::Ok();
  }
  Result<Row> row = RowOfTable(schema_->table(key.table), change.realm, *change.row);
  if (!row.ok()) return Misuse(row.status().detail());
  pull_.rows().LoadRow({change.realm, key}, std::move(row.value()));
  return Status::Ok();
}

Status PullSession::LoadOwn(Vector<wire::LoadedOwn> list) {
  for (wire::LoadedOwn& item : list) {
    Result<Vector<Op>> ops = ReadOps(*schema_, item.ops);
    if (!ops.ok()) return Misuse(ops.status().detail());
    pull_.ranges().LoadOwn({std::move(item), std::move(ops.value())});
  }
  return Status::Ok();
}

Status PullSession::LoadState(const Data& rows) {
  for (const Data& data : rows.items()) {
    Result<StoredRow> stored = StoredRowFromData(*schema_, data);
    if (!stored.ok()) return Misuse(stored.status().detail());
    if (!stored.value().deleted_at) pull_.rows().LoadState(stored.value().key, stored.value().row);
  }
  return Status::Ok();
}

void PullSession::LoadUnread(const Vector<wire::Omitted>& omitted) {
  for (const wire::Omitted& item : omitted) {
    if (item.joins) {
      pull_.joins().LoadUnread(item.realm);
      continue;
    }
    std::optional<Set<TableIndex>> tables;
    if (item.tables.has_value()) tables.emplace();
    for (const std::string& name : item.tables.value_or(Vector<std::string>())) {
      const TableIndex table = schema_->FindTable(name);
      if (table != kNone) tables->insert(table);  // else the schema has dropped it
    }
    pull_.ranges().LoadUnread(item.realm, std::move(tables));
  }
}

Status PullSession::LoadPages(const Vector<std::optional<wire::LoadedPage>>& pages) {
  for (size_t i = 0; i < pages.size(); ++i) {
    if (!pages[i]) continue;
    PulledPage page;
    page.has_more = pages[i]->more;
    page.upto = pages[i]->upto;
    for (const Data& row : pages[i]->rows.items()) {
      Result<StoredRow> stored = StoredRowFromData(*schema_, row);
      if (!stored.ok()) return Misuse(stored.status().detail());
      if (stored.value().deleted_at) continue;
      page.rows.emplace_back(stored.value().key, stored.value().row);
    }
    pull_.rows().LoadPage(i, std::move(page));
  }
  return Status::Ok();
}

Status PullSession::LoadRowsAt(Data rows) {
  if (!rows.is_array()) return Status::Ok();
  for (Data& data : rows.mutable_items()) {
    const auto read = ReadRecord<wire::LoadedRow>(std::move(data));
    const ObjectKey key{schema_->FindTable(read.table), read.id};
    if (key.table == kNone) return Misuse("no table " + read.table);
    Result<std::optional<Row>> row =
        RowFromData(*schema_, read.before.is_null() ? read.row : read.before);
    if (!row.ok()) return Misuse(row.status().detail());
    pull_.rows().LoadRow({read.realm, key}, std::move(row.value()));
  }
  return Status::Ok();
}

Vector<std::string> PullSession::NamesOf(const Set<TableIndex>& tables) const {
  Vector<std::string> names;
  for (const TableIndex table : tables) names.push_back(schema_->table(table).name);
  return names;
}

Data PullSession::NeedsToData() const {
  const PullNeeds& needs = pull_.needs();
  const Scopes& scopes = pull_.request().scopes;
  wire::PullNeeds out;
  for (const auto& [realm, from, limit, client] : needs.entries) {
    const std::optional<std::string> only = client.empty() ? std::nullopt : std::optional(client);
    out.entries.push_back({realm, from, limit, only});
  }
  const Vector<std::string> tables = NamesOf(scopes.Tables());
  const Vector<std::string> to_head = NamesOf(pull_.joins().TablesToHead());
  for (const auto& [realm, from] : needs.changes)
    out.changes.push_back({realm, from, tables, to_head});
  out.own = needs.own;
  out.actions = needs.actions;
  for (const PullNeeds::State& item : needs.state)
    out.state.push_back({item.realm, NamesOf(item.tables)});
  for (const size_t place : needs.pages) {
    const Scope& scope = scopes.list()[place];
    out.pages.push_back({{schema_->table(scope.table).name, scope.where},
                         scope.filled,
                         needs.page_realms,
                         kPageRows});
  }
  for (const auto& [realm, least] : needs.images) out.images.push_back({realm, least});
  for (const auto& [key, after] : needs.rows)
    out.rows.push_back({key.realm, schema_->table(key.object.table).name, key.object.id, after});
  AddJoinNeeds(&out);
  out.streams = StreamNeeds();
  return WriteMembers(out);
}

}  // namespace skerry
