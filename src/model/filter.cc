#include "model/filter.h"

#include <algorithm>

#include "base/text.h"
#include "model/like.h"

namespace skerry {
namespace {

PropDef SystemProp(const char* name, PropType type) {
  PropDef prop;
  prop.name = name;
  prop.type = type;
  return prop;
}

// A view of one value of a row.
struct Cell {
  bool is_null = true;
  double number = 0;
  std::string_view text;
};

Cell CellOf(const Value& value) { return {value.is_null(), value.number(), value.text()}; }

Cell CellOf(PropIndex column, std::string_view id, const Row& row) {
  switch (column) {
    case kIdColumn:
      return {false, 0, id};
    case kRealmColumn:
      return {false, 0, row.realm};
    case kCreatedAtColumn:
      return {false, row.created_at, {}};
    case kModifiedAtColumn:
      return {false, row.modified_at, {}};
    default:
      return CellOf(row.props[column]);
  }
}

// REQUIRES: both values have the same type, and neither is null.
int CompareCells(const Cell& a, const Cell& b) {
  if (a.number != b.number) return a.number < b.number ? -1 : 1;
  return a.text.compare(b.text);
}

bool MatchesComparison(const Filter& filter, const Cell& cell) {
  if (filter.value.is_null()) {
    if (filter.kind == FilterKind::kEq) return cell.is_null;
    return filter.kind == FilterKind::kNe && !cell.is_null;
  }
  if (cell.is_null) return false;
  if (filter.kind == FilterKind::kLike) return LikeMatches(cell.text, filter.value.text());
  const int compared = CompareCells(cell, CellOf(filter.value));
  switch (filter.kind) {
    case FilterKind::kEq:
      return compared == 0;
    case FilterKind::kNe:
      return compared != 0;
    case FilterKind::kLt:
      return compared < 0;
    case FilterKind::kLe:
      return compared <= 0;
    case FilterKind::kGt:
      return compared > 0;
    default:
      return compared >= 0;
  }
}

bool MatchesList(const Filter& filter, const Cell& cell) {
  if (cell.is_null) return false;
  const auto at =
      std::partition_point(filter.values.begin(), filter.values.end(),
                           [&](const Value& v) { return CompareCells(CellOf(v), cell) < 0; });
  return at != filter.values.end() && CompareCells(CellOf(*at), cell) == 0;
}

}  // namespace

const PropDef& ColumnProp(const TableDef& table, PropIndex column) {
  static const PropDef kSystem[] = {
      SystemProp("id", PropType::kString), SystemProp("realm", PropType::kString),
      SystemProp("createdAt", PropType::kDate), SystemProp("modifiedAt", PropType::kDate)};
  return column < kIdColumn ? table.props[column] : kSystem[column - kIdColumn];
}

Status CheckFilterText(const TableDef& table, const PropDef& prop, const Value& value) {
  if (IsStorableText(value.text())) return Status::Ok();
  return {Code::kWrongType, table.name + "." + prop.name + ": text that no database can hold"};
}

Value ColumnValue(PropIndex column, std::string_view id, const Row& row) {
  switch (column) {
    case kIdColumn:
      return Value::String(std::string(id));
    case kRealmColumn:
      return Value::String(row.realm);
    case kCreatedAtColumn:
      return Value::Date(row.created_at);
    case kModifiedAtColumn:
      return Value::Date(row.modified_at);
    default:
      return row.props[column];
  }
}

const Data& SubSelect::where() const {
  static const Data kAll(Data::Array{Data("true")});
  const Data& given = (*select)["where"];
  return given.is_null() ? kAll : given;
}

Vector<SubSelect> FindSubSelects(const Filter& filter, const Data& wire) {
  Vector<SubSelect> found;
  const Data::Array& items = wire.items();
  if (filter.kind == FilterKind::kInSelect) {
    found.push_back({&filter, &items[1], &items[2]});
    return found;
  }
  for (size_t i = 0; i < filter.children.size(); ++i) {
    for (const SubSelect& below : FindSubSelects(filter.children[i], items[i + 1]))
      found.push_back(below);
  }
  return found;
}

bool Matches(const Filter& filter, std::string_view id, const Row& row,
             const FilterContext* context) {
  switch (filter.kind) {
    case FilterKind::kTrue:
      return true;
    case FilterKind::kAnd:
      for (const Filter& child : filter.children) {
        if (!Matches(child, id, row, context)) return false;
      }
      return true;
    case FilterKind::kOr:
      for (const Filter& child : filter.children) {
        if (Matches(child, id, row, context)) return true;
      }
      return false;
    case FilterKind::kNot:
      return !Matches(filter.children[0], id, row, context);
    case FilterKind::kIn:
      return MatchesList(filter, CellOf(filter.column, id, row));
    case FilterKind::kExists:
    case FilterKind::kInSelect:
      SKERRY_CHECK(context != nullptr);
      return context->Exists(filter, id, &row);
    default:
      return MatchesComparison(filter, CellOf(filter.column, id, row));
  }
}

}  // namespace skerry
