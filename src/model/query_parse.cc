// Parses the description of a query (docs/internals.md, section 7).
#include <cmath>

#include "base/limits.h"
#include "model/collation.h"
#include "model/filter_cost.h"
#include "model/query.h"

namespace skerry {
namespace {

Status Invalid(const TableDef& table, std::string_view what) {
  return {Code::kInvalidArgument, "query on " + table.name + ": " + std::string(what)};
}

// Takes a whole number (a greater one becomes kNoLimit), or null for the fallback.
bool ParseCount(const Data& data, uint32_t fallback, uint32_t* out) {
  *out = fallback;
  if (data.is_null()) return true;
  const double v = data.as_number(-1);
  if (!(v >= 0) || v != std::floor(v)) return false;
  *out = v >= kNoLimit ? kNoLimit : static_cast<uint32_t>(v);
  return true;
}

Status ParseOrder(const TableDef& table, const Data& data, Query* query) {
  for (const Data& item : data.items()) {
    const Data::Array& pair = item.items();
    const bool known = (pair.size() == 2 || (pair.size() == 3 && pair[2].is_string())) &&
                       (pair[1].Is("asc") || pair[1].Is("desc"));
    if (!known) return Invalid(table, "an order is a prop, asc or desc, and perhaps a locale");
    QueryOrder order;
    order.column = table.FindColumn(pair[0].as_string());
    if (order.column == kNone) {
      return {Code::kUnknownProp, table.name + " has no prop " + pair[0].as_string()};
    }
    const PropType type = ColumnProp(table, order.column).type;
    if (type == PropType::kJson || type == PropType::kClass) {
      return {Code::kWrongType, table.name + "." + pair[0].as_string() + ": has no order"};
    }
    order.descending = pair[1].Is("desc");
    if (pair.size() == 3) {
      // The names of an enum and ids are strings, too, but they are not text for people.
      if (type != PropType::kString || order.column >= kIdColumn) {
        return {Code::kWrongType,
                table.name + "." + pair[0].as_string() + ": collate orders strings"};
      }
      order.locale = FindLocale(pair[2].as_string());
      if (order.locale == kNoLocale) {
        return {Code::kUnsupported, "the order of " + pair[2].as_string() + " is not known"};
      }
    }
    query->order.push_back(order);
  }
  return Status::Ok();
}

// An id, or {"id","realm","values"}: the values of the row in the columns of the order.
Status ParseAfter(const TableDef& table, const Data& data, Query* query) {
  if (!data.is_object()) {
    query->after = data.as_string();
    return Status::Ok();
  }
  query->after = data["id"].as_string();
  query->after_realm = data["realm"].as_string();
  query->is_placed = true;
  const Data::Array& values = data["values"].items();
  if (query->after.empty() || values.size() != query->order.size())
    return Invalid(table, "after is an id, and a value for each column of the order");
  for (size_t i = 0; i < values.size(); ++i) {
    const PropDef& prop = ColumnProp(table, query->order[i].column);
    Result<Value> value = ValueFromData(prop, values[i]);
    if (!value.ok()) return Invalid(table, "after: " + prop.name + ": " + value.status().detail());
    if (!value.value().is_null() && prop.type != PropType::kRef)
      SKERRY_RETURN_IF_ERROR(CheckValue(table, prop, value.value()));
    query->after_values.push_back(std::move(value.value()));
  }
  return Status::Ok();
}

Result<Query> ParseLevel(const Schema& schema, const TableDef& table, const Data& data, int depth);

// An include names its ref. A back include may leave the name out if there is only one ref to this
// table.
Status FindIncludeRef(const Schema& schema, const TableDef& table, const Data& data,
                      Include* include) {
  const std::string& prop = data["prop"].as_string();
  if (!include->back) {
    include->prop = table.FindProp(prop);
    if (include->prop == kNone) return {Code::kUnknownProp, table.name + " has no prop " + prop};
    include->table = table.props[include->prop].ref_table;
    if (include->table == kNone) return Invalid(table, prop + " is not a ref");
    return Status::Ok();
  }
  include->table = schema.FindTable(data["table"].as_string());
  if (include->table == kNone)
    return {Code::kUnknownTable, "no table " + data["table"].as_string()};
  const TableDef& details = schema.table(include->table);
  for (const BackRef& ref : schema.back_refs(table.index)) {
    if (ref.table != include->table || (!prop.empty() && details.props[ref.prop].name != prop))
      continue;
    if (include->prop != kNone)
      return Invalid(table, details.name + " has several refs to it: say via which");
    include->prop = ref.prop;
  }
  return include->prop == kNone ? Invalid(table, details.name + " has no such ref to it")
                                : Status::Ok();
}

Status ParseInclude(const Schema& schema, const TableDef& table, const Data& data, int depth,
                    Query* query) {
  if (depth > kMaxFilterDepth)
    return {Code::kLimit, "query on " + table.name + ": nested too deeply"};
  Include include;
  include.name = data["name"].as_string();
  const std::string& kind = data["kind"].as_string();
  if (kind != "ref" && kind != "back") return Invalid(table, "an include is a ref or back");
  include.back = kind == "back";
  SKERRY_RETURN_IF_ERROR(FindIncludeRef(schema, table, data, &include));
  Result<Query> inner = ParseLevel(schema, schema.table(include.table), data["query"], depth);
  if (!inner.ok()) return inner.status();
  include.query.push_back(std::move(inner.value()));
  query->includes.push_back(std::move(include));
  return Status::Ok();
}

Result<Query> ParseLevel(const Schema& schema, const TableDef& table, const Data& data, int depth) {
  Query query;
  query.table = table.index;
  if (data.is_null()) return query;
  if (!data.is_object()) return Invalid(table, "not an object");
  if (!data["table"].is_null() && data["table"].as_string() != table.name)
    return Invalid(table, "another table");
  if (!data["where"].is_null()) {
    Result<Filter> where = ParseFilter(schema, table, data["where"], true);
    if (!where.ok()) return where.status();
    SKERRY_RETURN_IF_ERROR(CheckPatterns(where.value()));
    query.where = std::move(where.value());
  }
  SKERRY_RETURN_IF_ERROR(ParseOrder(table, data["order"], &query));
  if (!ParseCount(data["limit"], kNoLimit, &query.limit))
    return Invalid(table, "limit is not a count");
  if (!ParseCount(data["offset"], 0, &query.offset)) return Invalid(table, "offset is not a count");
  SKERRY_RETURN_IF_ERROR(ParseAfter(table, data["after"], &query));
  for (const Data& include : data["include"].items()) {
    SKERRY_RETURN_IF_ERROR(ParseInclude(schema, table, include, depth + 1, &query));
  }
  return query;
}

}  // namespace

Result<Query> ParseQuery(const Schema& schema, const Data& description) {
  const std::string& name = description["table"].as_string();
  const TableIndex table = schema.FindTable(name);
  if (table == kNone) return Status(Code::kUnknownTable, "no table " + name);
  return ParseLevel(schema, schema.table(table), description, 1);
}

}  // namespace skerry
