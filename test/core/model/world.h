// A small world for tests of rows, filters and queries: cities (custom ids, every type of prop),
// people (UUIDs, refs), and functions that make random rows, whose values repeat, tie, and are
// null often enough to matter.
#ifndef SKERRY_TEST_CORE_MODEL_WORLD_H_
#define SKERRY_TEST_CORE_MODEL_WORLD_H_

#include <memory>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "base/vector.h"
#include "model/query.h"
#include "model/row_store.h"
#include "model/schema.h"

namespace skerry {

inline constexpr const char* kWorldSchema = R"({"version":1,"tables":[
 {"name":"cities","ids":"string","props":[
  {"name":"name","type":"string"},
  {"name":"country","type":"string","index":true,"optional":true},
  {"name":"population","type":"number","index":true,"optional":true},
  {"name":"lat","type":"number"},
  {"name":"capital","type":"boolean","optional":true},
  {"name":"founded","type":"date","optional":true},
  {"name":"size","type":"enum","enum":{"values":["s","m","l"]},"optional":true},
  {"name":"flag","type":"bytes","optional":true},
  {"name":"extra","type":"json","optional":true},
  {"name":"twin","type":"ref","optional":true,"ref":{"table":"cities"}}]},
 {"name":"people","props":[
  {"name":"name","type":"string"},
  {"name":"age","type":"number","optional":true},
  {"name":"home","type":"ref","optional":true,"ref":{"table":"cities","onDelete":"setNull"}}]},
 {"name":"visits","props":[
  {"name":"person","type":"ref","ref":{"table":"people","onDelete":"cascade"}},
  {"name":"city","type":"ref","ref":{"table":"cities","onDelete":"cascade"}},
  {"name":"stars","type":"number","index":true}]}]})";

inline constexpr TableIndex kCities = 0;
inline constexpr TableIndex kPeople = 1;
inline constexpr TableIndex kVisits = 2;

class ModelWorld final : public Tables {
 public:
  explicit ModelWorld(const std::string& schema = kWorldSchema)
      : schema_(std::move(Schema::Parse(ParseJson(schema).value()).value())) {
    for (const TableDef& table : schema_.tables())
      stores_.push_back(std::make_unique<RowStore>(&table));
  }
  RowStore& store(TableIndex table) override { return *stores_[table]; }
  const Schema& schema() const { return schema_; }

 private:
  Schema schema_;
  Vector<std::unique_ptr<RowStore>> stores_;
};

// An id with the digits of a number as its end.
inline std::string EndIn(std::string_view id, uint64_t n) {
  const std::string digits = std::to_string(n);
  return std::string(id.substr(0, id.size() - digits.size())) + digits;
}

inline std::string CityId(uint64_t n) {
  // Inline, pooled and UUID-like keys, so that all kinds meet in one store.
  switch (n % 4) {
    case 0:
      return "c" + std::to_string(n);
    case 1:
      return "a long custom id, number " + std::to_string(n);
    case 2:
      return EndIn("018f0000-0000-7000-8000-000000000000", n);
    default:
      // Not of an RFC variant: must not be stored as a packed UUID.
      return EndIn("ffffffff-ffff-ffff-0fff-000000000000", n);
  }
}

inline std::string Uuid7(uint64_t table, uint64_t n) {
  std::string id = "018f0000-0000-7000-8000-000000000000";
  id.data()[9] = static_cast<char>('0' + table);
  return EndIn(id, n);
}

inline Value MaybeNull(Random* random, Value value) {
  return random->Below(5) == 0 ? Value::Null() : value;
}

inline std::string RandomText(Random* random, size_t limit) {
  static const char* kPieces[] = {"a", "b", "Sto", "å", "é", "%", "_", "\\", "z", "日"};
  std::string text;
  for (size_t n = random->Below(limit + 1); n > 0; --n) text += kPieces[random->Below(10)];
  return text;
}

inline Row RandomRow(Random* random, TableIndex table, uint64_t cities, uint64_t people) {
  static const char* kCountries[] = {"SE", "NO", "DE", "US", "IN", "FI"};
  Row row;
  row.realm = random->Below(3) == 0 ? "team" : "public";
  row.created_at = static_cast<double>(random->Below(50));
  row.modified_at = static_cast<double>(random->Below(50));
  row.revision = random->Below(1000);
  const auto ref = [&](TableIndex target) {
    return Value::String(target == kCities ? CityId(random->Below(cities))
                                           : Uuid7(kPeople, random->Below(people)));
  };
  const auto number = [&](uint64_t limit) {
    return Value::Number(static_cast<double>(random->Below(limit)) - 3);
  };
  if (table == kCities) {
    row.props.push_back(Value::String(RandomText(random, 4)));
    row.props.push_back(MaybeNull(random, Value::String(kCountries[random->Below(6)])));
    row.props.push_back(MaybeNull(random, number(20)));
    row.props.push_back(Value::Number((static_cast<double>(random->Below(1800)) - 900) / 10));
    row.props.push_back(MaybeNull(random, Value::Bool(random->Below(2) == 0)));
    row.props.push_back(MaybeNull(random, Value::Date(static_cast<double>(random->Below(10)))));
    row.props.push_back(MaybeNull(random, Value::String(std::string(1, "sml"[random->Below(3)]))));
    row.props.push_back(MaybeNull(random, Value::Bytes(std::string(random->Below(4), '\xff'))));
    row.props.push_back(MaybeNull(random, Value::Json("[1]")));
    row.props.push_back(MaybeNull(random, ref(kCities)));
  } else if (table == kPeople) {
    row.props.push_back(Value::String(RandomText(random, 3)));
    row.props.push_back(MaybeNull(random, number(8)));
    row.props.push_back(MaybeNull(random, ref(kCities)));
  } else {
    row.props = {ref(kPeople), ref(kCities), number(5)};
  }
  return row;
}

inline std::string RandomId(Random* random, TableIndex table, uint64_t limit) {
  const uint64_t n = random->Below(limit);
  return table == kCities ? CityId(n) : Uuid7(table, n);
}

inline std::string Quote(const std::string& text) { return WriteJson(Data(text)); }

// A constant for comparisons with a column, as JSON.
inline std::string RandomConstant(Random* random, TableIndex table, const std::string& column) {
  static const char* kCountries[] = {"SE", "NO", "DE", "US", "IN", "XX"};
  if (column == "name") return Quote(RandomText(random, 2));
  if (column == "country") return Quote(kCountries[random->Below(6)]);
  if (column == "capital") return random->Below(2) ? "true" : "false";
  if (column == "size") return Quote(std::string(1, "sml"[random->Below(3)]));
  if (column == "flag") return random->Below(2) ? "\"/w==\"" : "\"\"";
  if (column == "realm") return random->Below(2) ? "\"team\"" : "\"public\"";
  if (column == "twin" || column == "home" || column == "city")
    return Quote(CityId(random->Below(60)));
  if (column == "person") return Quote(Uuid7(kPeople, random->Below(40)));
  if (column == "id") return Quote(RandomId(random, table, 60));
  return std::to_string(static_cast<int>(random->Below(20)) - 3);
}

inline const Vector<std::string>& ComparableColumns(TableIndex table) {
  static const Vector<std::string> kColumns[] = {
      {"id", "realm", "createdAt", "modifiedAt", "name", "country", "country", "population",
       "population", "lat", "capital", "founded", "size", "flag", "twin"},
      {"id", "realm", "modifiedAt", "name", "age", "home", "home"},
      {"id", "realm", "person", "city", "stars", "stars"}};
  return kColumns[table];
}

inline std::string RandomFilter(Random* random, TableIndex table, int depth, bool inner);

inline std::string RandomInnerFilter(Random* random, TableIndex table, int depth) {
  if (table == kCities && random->Below(2)) {
    const bool details = random->Below(2);
    return std::string("[\"exists\",") + (details ? "\"visits\"" : "\"people\"") + "," +
           RandomFilter(random, details ? kVisits : kPeople, depth + 1, true) + "]";
  }
  if (table == kPeople && random->Below(2)) {
    return "[\"exists\",\"visits\"," + RandomFilter(random, kVisits, depth + 1, true) +
           ",\"person\"]";
  }
  static const char* kSelects[][4] = {{"id", "visits", "city", "2"},
                                      {"home", "visits", "city", "2"},
                                      {"stars", "cities", "population", "0"}};
  const char* const* select = kSelects[table];
  return std::string("[\"in\",\"") + select[0] + "\",{\"table\":\"" + select[1] +
         "\",\"select\":\"" + select[2] + "\",\"where\":" +
         RandomFilter(random, static_cast<TableIndex>(select[3][0] - '0'), depth + 1, false) + "}]";
}

inline std::string RandomFilter(Random* random, TableIndex table, int depth, bool inner) {
  static const char* kOps[] = {"=", "=", "=", "!=", "<", "<=", ">", ">="};
  const uint64_t roll = random->Below(14);
  if (roll < 3 && depth < 4) {
    std::string text = roll == 0 ? "[\"or\"" : "[\"and\"";
    for (uint64_t n = random->Below(3) + 1; n > 0; --n)
      text += "," + RandomFilter(random, table, depth + 1, inner);
    return text + "]";
  }
  if (roll == 3 && depth < 4)
    return "[\"not\"," + RandomFilter(random, table, depth + 1, inner) + "]";
  if (roll == 4 && inner && depth < 4) return RandomInnerFilter(random, table, depth);
  if (roll == 5) return "[\"true\"]";
  if (roll == 6 && table == kCities)
    return random->Below(2) ? R"(["=","extra",null])" : R"(["!=","extra",null])";
  const Vector<std::string>& columns = ComparableColumns(table);
  const std::string& column = columns[random->Below(columns.size())];
  if (roll == 7) {
    std::string list;
    for (uint64_t n = random->Below(4); n > 0; --n)
      list += RandomConstant(random, table, column) + ",";
    return "[\"in\"," + Quote(column) + ",[" + list + "null]]";
  }
  if (roll == 8 &&
      (column == "name" || column == "id" || column == "country" || column == "twin")) {
    static const char* kPatterns[] = {"%a%",  "Sto%", "_", "%_b", "%\\%%", "c1%",
                                      "%00%", "S_",   "",  "å%",  "%\\\\%"};
    return "[\"like\"," + Quote(column) + "," + Quote(kPatterns[random->Below(11)]) + "]";
  }
  const std::string constant =
      random->Below(8) == 0 ? "null" : RandomConstant(random, table, column);
  return std::string("[\"") + kOps[random->Below(8)] + "\"," + Quote(column) + "," + constant + "]";
}

inline Data Json(const std::string& text) { return ParseJson(text).value(); }

}  // namespace skerry

#endif  // SKERRY_TEST_CORE_MODEL_WORLD_H_
