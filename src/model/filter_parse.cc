// Parses filters from their wire form (docs/design.md, "Filters").
#include <algorithm>

#include "base/limits.h"
#include "base/sort.h"
#include "model/filter.h"
#include "model/like.h"

namespace skerry {
namespace {

class FilterParser {
 public:
  FilterParser(const Schema& schema, bool allow_exists)
      : schema_(schema), allow_exists_(allow_exists) {}

  // `inside_select`: within the sub-select of a scope; no further one is allowed.
  Result<Filter> Parse(const TableDef& table, const Data& data, int depth, bool inside_select);

 private:
  Status Invalid(const TableDef& table, std::string_view what) const {
    return {Code::kInvalidArgument, "filter on " + table.name + ": " + std::string(what)};
  }
  Result<Filter> ParseJunction(FilterKind kind, const TableDef& table, const Data::Array& items,
                               int depth, bool inside_select);
  Result<Filter> ParseComparison(FilterKind kind, const TableDef& table, const Data::Array& items,
                                 int depth, bool inside_select);
  Result<Filter> ParseList(Filter filter, const TableDef& table, const PropDef& prop,
                           const Data& list);
  Result<Filter> ParseSelect(Filter filter, const TableDef& table, const PropDef& prop,
                             const Data& select, int depth, bool inside_select);
  Result<Filter> ParseExists(const TableDef& table, const Data::Array& items, int depth);
  Result<Value> ParseValue(const TableDef& table, const PropDef& prop, const Data& data);

  const Schema& schema_;
  const bool allow_exists_;
};

bool IsText(PropType type) {
  return type == PropType::kString || type == PropType::kEnum || type == PropType::kRef;
}

bool IsOpaque(PropType type) { return type == PropType::kJson || type == PropType::kClass; }

bool KindOf(std::string_view op, FilterKind* kind) {
  static constexpr struct {
    std::string_view op;
    FilterKind kind;
  } kOps[] = {
      {"true", FilterKind::kTrue},    {"and", FilterKind::kAnd}, {"or", FilterKind::kOr},
      {"not", FilterKind::kNot},      {"=", FilterKind::kEq},    {"!=", FilterKind::kNe},
      {"<", FilterKind::kLt},         {"<=", FilterKind::kLe},   {">", FilterKind::kGt},
      {">=", FilterKind::kGe},        {"in", FilterKind::kIn},   {"like", FilterKind::kLike},
      {"exists", FilterKind::kExists}};
  for (const auto& known : kOps) {
    if (known.op != op) continue;
    *kind = known.kind;
    return true;
  }
  return false;
}

Result<Filter> FilterParser::Parse(const TableDef& table, const Data& data, int depth,
                                   bool inside_select) {
  if (depth > kMaxFilterDepth)
    return Status(Code::kLimit, "filter on " + table.name + ": nested too deeply");
  const Data::Array& items = data.items();
  FilterKind kind = FilterKind::kTrue;
  if (items.empty() || !items[0].is_string() || !KindOf(items[0].as_string(), &kind)) {
    return Invalid(table, "not a list that begins with a known operator");
  }
  switch (kind) {
    case FilterKind::kTrue:
      if (items.size() != 1) return Invalid(table, "true takes nothing");
      return Filter{};
    case FilterKind::kAnd:
    case FilterKind::kOr:
    case FilterKind::kNot:
      return ParseJunction(kind, table, items, depth, inside_select);
    case FilterKind::kExists:
      return ParseExists(table, items, depth);
    default:
      return ParseComparison(kind, table, items, depth, inside_select);
  }
}

Result<Filter> FilterParser::ParseJunction(FilterKind kind, const TableDef& table,
                                           const Data::Array& items, int depth,
                                           bool inside_select) {
  if (kind == FilterKind::kNot && items.size() != 2) return Invalid(table, "not takes one filter");
  Filter filter;
  filter.kind = kind;
  for (size_t i = 1; i < items.size(); ++i) {
    Result<Filter> child = Parse(table, items[i], depth + 1, inside_select);
    if (!child.ok()) return child.status();
    filter.children.push_back(std::move(child.value()));
  }
  return filter;
}

Result<Filter> FilterParser::ParseComparison(FilterKind kind, const TableDef& table,
                                             const Data::Array& items, int depth,
                                             bool inside_select) {
  if (items.size() != 3 || !items[1].is_string())
    return Invalid(table, "a comparison takes a prop and a value");
  Filter filter;
  filter.kind = kind;
  filter.column = table.FindColumn(items[1].as_string());
  if (filter.column == kNone) {
    return Status(Code::kUnknownProp, table.name + " has no prop " + items[1].as_string());
  }
  const PropDef& prop = ColumnProp(table, filter.column);
  const bool null_test = (kind == FilterKind::kEq || kind == FilterKind::kNe) && items[2].is_null();
  if (IsOpaque(prop.type) && !null_test) {
    return Status(Code::kWrongType,
                  table.name + "." + prop.name + ": can be compared with null only");
  }
  if (kind == FilterKind::kIn) {
    if (items[2].is_array()) return ParseList(std::move(filter), table, prop, items[2]);
    if (items[2].is_object()) {
      return ParseSelect(std::move(filter), table, prop, items[2], depth, inside_select);
    }
    return Invalid(table, "in takes a list or a sub-select");
  }
  if (kind == FilterKind::kLike) {
    if (!IsText(prop.type) || !items[2].is_string()) {
      return Status(Code::kWrongType, table.name + "." + prop.name + ": like compares text");
    }
    if (!IsLikePattern(items[2].as_string()))
      return Invalid(table, "a pattern must not end in the middle of an escape");
    filter.value = Value::String(items[2].as_string());
    SKERRY_RETURN_IF_ERROR(CheckFilterText(table, prop, filter.value));
    return filter;
  }
  Result<Value> value = ParseValue(table, prop, items[2]);
  if (!value.ok()) return value.status();
  filter.value = std::move(value.value());
  return filter;
}

Result<Value> FilterParser::ParseValue(const TableDef& table, const PropDef& prop,
                                       const Data& data) {
  Result<Value> value = ValueFromData(prop, data);
  if (!value.ok()) {
    return Status(value.status().code(),
                  table.name + "." + prop.name + ": " + value.status().detail());
  }
  if (value.value().is_null()) return value;
  SKERRY_RETURN_IF_ERROR(prop.type == PropType::kRef ? CheckFilterText(table, prop, value.value())
                                                     : CheckValue(table, prop, value.value()));
  return value;
}

Result<Filter> FilterParser::ParseList(Filter filter, const TableDef& table, const PropDef& prop,
                                       const Data& list) {
  for (const Data& item : list.items()) {
    Result<Value> value = ParseValue(table, prop, item);
    if (!value.ok()) return value.status();
    // A comparison with null is false, so a null in the list can be left out.
    if (!value.value().is_null()) filter.values.push_back(std::move(value.value()));
  }
  const auto less = [](const Value& a, const Value& b) { return CompareValues(a, b) < 0; };
  Sort(filter.values.begin(), filter.values.end(), less);
  filter.values.erase(std::unique(filter.values.begin(), filter.values.end()), filter.values.end());
  return filter;
}

Result<Filter> FilterParser::ParseSelect(Filter filter, const TableDef& table, const PropDef& prop,
                                         const Data& select, int depth, bool inside_select) {
  if (inside_select) return Invalid(table, "a sub-select inside of a sub-select");
  filter.kind = FilterKind::kInSelect;
  filter.table = schema_.FindTable(select["table"].as_string());
  if (filter.table == kNone)
    return Status(Code::kUnknownTable, "no table " + select["table"].as_string());
  const TableDef& inner = schema_.table(filter.table);
  filter.via = inner.FindColumn(select["select"].as_string());
  if (filter.via == kNone) {
    return Status(Code::kUnknownProp, inner.name + " has no prop " + select["select"].as_string());
  }
  const PropDef& selected = ColumnProp(inner, filter.via);
  if (selected.type != prop.type && !(IsText(selected.type) && IsText(prop.type))) {
    return Status(Code::kWrongType,
                  inner.name + "." + selected.name + ": not of the type of the compared prop");
  }
  if (IsOpaque(selected.type))
    return Status(Code::kWrongType, inner.name + "." + selected.name + ": cannot be compared");
  static const Data kAll(Data::Array{Data("true")});
  const Data& where = select["where"];
  Result<Filter> child = Parse(inner, where.is_null() ? kAll : where, depth + 1, !allow_exists_);
  if (!child.ok()) return child.status();
  filter.children.push_back(std::move(child.value()));
  return filter;
}

Result<Filter> FilterParser::ParseExists(const TableDef& table, const Data::Array& items,
                                         int depth) {
  if (!allow_exists_) return Invalid(table, "exists is for local queries only");
  if (items.size() < 2 || items.size() > 4 || !items[1].is_string()) {
    return Invalid(table, "exists takes a table, a filter and a ref");
  }
  Filter filter;
  filter.kind = FilterKind::kExists;
  filter.table = schema_.FindTable(items[1].as_string());
  if (filter.table == kNone) return Status(Code::kUnknownTable, "no table " + items[1].as_string());
  const TableDef& inner = schema_.table(filter.table);
  const std::string via = items.size() == 4 ? items[3].as_string() : std::string();
  for (const BackRef& ref : schema_.back_refs(table.index)) {
    if (ref.table != filter.table || (!via.empty() && inner.props[ref.prop].name != via)) continue;
    if (filter.via != kNone)
      return Invalid(table, inner.name + " has several refs to it: say via which");
    filter.via = ref.prop;
  }
  if (filter.via == kNone) return Invalid(table, inner.name + " has no such ref to it");
  Filter all;
  filter.children.push_back(std::move(all));
  if (items.size() > 2 && !items[2].is_null()) {
    Result<Filter> child = Parse(inner, items[2], depth + 1, false);
    if (!child.ok()) return child.status();
    filter.children[0] = std::move(child.value());
  }
  return filter;
}

}  // namespace

Result<Filter> ParseFilter(const Schema& schema, const TableDef& table, const Data& data,
                           bool allow_exists) {
  return FilterParser(schema, allow_exists).Parse(table, data, 1, false);
}

}  // namespace skerry
