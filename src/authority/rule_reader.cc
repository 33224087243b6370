#include "authority/rule_reader.h"

#include "authority/row_data.h"
#include "model/filter.h"

namespace skerry {
namespace {

const Data kTrue = Data(Data::Array{"true"});
const Data kFalse = Data(Data::Array{"not", kTrue});

bool IsSubSelect(const Data::Array& filter) {
  return filter.size() > 2 && (filter[0].Is("exists") || filter[2].is_object());
}

// A filter without sub-selects that every row passes which `filter` lets pass. `is_negated`: every row that
// it does not.
Data Widened(const Data& filter, bool is_negated = false) {
  const Data::Array& parts = filter.items();
  if (parts.empty()) return kTrue;
  if (parts[0].Is("exists") || IsSubSelect(parts)) return is_negated ? kFalse : kTrue;
  if (!parts[0].Is("and") && !parts[0].Is("or") && !parts[0].Is("not")) return filter;
  Data::Array out{parts[0]};
  const bool is_negated_below = parts[0].Is("not") ? !is_negated : is_negated;
  for (size_t i = 1; i < parts.size(); ++i) out.push_back(Widened(parts[i], is_negated_below));
  return out;
}

Data And(Data first, const Data& second) {
  if (second.is_null()) return first;
  return Data::Array{"and", std::move(first), second};
}

Data In(const std::string& column, const Set<std::string>& values) {
  Data list = Data::MakeArray();
  for (const std::string& value : values) list.Push(value);
  return Data::Array{"in", column, std::move(list)};
}

Set<std::string> ValuesOf(PropIndex column, const Vector<const Row*>& rows,
                          const Vector<std::string>& ids) {
  Set<std::string> values;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Value value = ColumnValue(column, ids[i], *rows[i]);
    if (!value.is_null()) values.insert(value.text());
  }
  return values;
}

}  // namespace

RowStore& RuleReader::store(TableIndex table) {
  std::unique_ptr<RowStore>& store = stores_[table];
  if (!store) store = std::make_unique<RowStore>(&schema_->table(table));
  return *store;
}

Status RuleReader::Gather(TableIndex table, const Data& where, const Data& include) {
  const TableDef& def = schema_->table(table);
  const Data wide = where.is_null() ? kTrue : Widened(where);
  Result<Filter> filter = ParseFilter(*schema_, def, wide, false);
  if (!filter.ok()) return filter.status();
  Vector<const Row*> found;
  Vector<std::string> ids;
  for (const std::string& realm : realms_) {
    rows_->EachMatching({realm, table, wide}, filter.value(), when_,
                        [&](const std::string& id, const Row& row) {
                          store(table).Put(id, row);
                          found.push_back(&row);
                          ids.push_back(id);
                        });
  }
  SKERRY_RETURN_IF_ERROR(GatherInner(table, where, found, ids));
  for (const Data& one : include.items())
    SKERRY_RETURN_IF_ERROR(GatherIncluded(table, one, found, ids));
  return Status::Ok();
}

Status RuleReader::GatherInner(TableIndex table, const Data& filter,
                               const Vector<const Row*>& found, const Vector<std::string>& ids) {
  const Data::Array& parts = filter.items();
  if (found.empty() || parts.empty()) return Status::Ok();
  if (!IsSubSelect(parts)) {
    for (const Data& part : parts) SKERRY_RETURN_IF_ERROR(GatherInner(table, part, found, ids));
    return Status::Ok();
  }
  const bool is_exists = parts[0].Is("exists");
  const Data& select = parts[2];
  const std::string& inner = is_exists ? parts[1].as_string() : select["table"].as_string();
  const TableIndex inner_table = schema_->FindTable(inner);
  const PropIndex column =
      is_exists ? kIdColumn : schema_->table(table).FindColumn(parts[1].as_string());
  if (inner_table == kNone || column == kNone || (is_exists && parts.size() < 4))
    return {Code::kInvalidArgument, "a rule reads by a sub-select of an unknown form"};
  const std::string& via = is_exists ? parts[3].as_string() : select["select"].as_string();
  const Data& where = is_exists ? select : select["where"];
  return Gather(inner_table, And(In(via, ValuesOf(column, found, ids)), where), {});
}

Status RuleReader::GatherIncluded(TableIndex table, const Data& include,
                                  const Vector<const Row*>& found, const Vector<std::string>& ids) {
  const TableIndex inner = schema_->FindTable(include["table"].as_string());
  const bool is_back = include["kind"].Is("back");
  const std::string& prop = include["prop"].as_string();
  const PropIndex column = is_back ? kIdColumn : schema_->table(table).FindProp(prop);
  if (inner == kNone || column == kNone)
    return {Code::kInvalidArgument, "a rule includes what is not in the schema"};
  if (found.empty()) return Status::Ok();
  const Data linked = In(is_back ? prop : "id", ValuesOf(column, found, ids));
  return Gather(inner, And(linked, include["query"]["where"]), include["query"]["include"]);
}

Result<Data> RuleReader::Read(const wire::RuleRead& read) {
  when_ = read.before ? When::kBefore : When::kNow;
  stores_.clear();
  Result<Query> query = ParseQuery(*schema_, read.query);
  if (!query.ok()) return query.status();
  const TableIndex table = query.value().table;
  SKERRY_RETURN_IF_ERROR(Gather(table, read.query["where"], read.query["include"]));
  if (rows_->has_needs()) return Data();
  QueryEngine engine(schema_, this);
  if (read.what == "count") return Data(static_cast<double>(engine.Count(query.value())));
  if (read.what == "rows") {
    Vector<uint32_t> stream;
    engine.Run(query.value(), &stream);
    size_t at = 0;
    return RowsOf(query.value(), stream, &at);
  }
  const TableDef& def = schema_->table(table);
  const PropIndex column = def.FindColumn(read.column);
  if (column == kNone) return Status(Code::kUnknownProp, def.name + " has no prop " + read.column);
  const AggregateKind kind = read.what == "sum"   ? AggregateKind::kSum
                             : read.what == "min" ? AggregateKind::kMin
                                                  : AggregateKind::kMax;
  Result<Value> value = engine.Aggregate(query.value(), kind, column);
  if (!value.ok()) return value.status();
  return ValueToData(ColumnProp(def, column), value.value(), true);
}

// Out of the stream of QueryEngine::Run.
Data RuleReader::RowsOf(const Query& query, const Vector<uint32_t>& stream, size_t* at) {
  Data out = Data::MakeArray();
  RowStore& from = store(query.table);
  for (uint32_t left = stream[(*at)++]; left > 0; --left) {
    const Slot slot = stream[(*at)++];
    Data with = Data::MakeArray();
    for (const Include& include : query.includes) with.Push(RowsOf(include.query[0], stream, at));
    Data row = RowToData(*schema_, from.Key(slot), from.Get(slot));
    out.Push(Data::Object{{"row", std::move(row)}, {"with", std::move(with)}});
  }
  return out;
}

}  // namespace skerry
