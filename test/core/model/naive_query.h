// Queries by definition, for tests: decode all rows, filter, sort, cut. The planner and the live
// queries must give the same.
#ifndef SKERRY_TEST_CORE_MODEL_NAIVE_QUERY_H_
#define SKERRY_TEST_CORE_MODEL_NAIVE_QUERY_H_

#include <algorithm>
#include <string>
#include <utility>

#include "base/vector.h"
#include "test/core/model/test_collator.h"
#include "test/core/model/world.h"

namespace skerry {

class NaiveQuery final : public FilterContext {
 public:
  explicit NaiveQuery(ModelWorld* world) : world_(world) {}

  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override {
    RowStore& inner = world_->store(filter.table);
    const bool select = filter.kind == FilterKind::kInSelect;
    for (Slot slot = 0; slot < inner.slot_limit(); ++slot) {
      if (!inner.IsLive(slot)) continue;
      const Value outer =
          select ? Column(std::string(id), *row, filter.column) : Value::String(std::string(id));
      const Value via = inner.GetValue(slot, filter.via);
      if (via.is_null() || !(via == outer)) continue;
      const Row candidate = inner.Get(slot);
      const std::string inner_id = inner.Id(slot);
      if (candidate.realm != row->realm) continue;
      if (Matches(filter.children[0], inner_id, candidate, this)) return true;
    }
    return false;
  }

  static Value Column(const std::string& id, const Row& row, PropIndex column) {
    if (column == kIdColumn) return Value::String(id);
    if (column == kRealmColumn) return Value::String(row.realm);
    if (column == kCreatedAtColumn) return Value::Date(row.created_at);
    if (column == kModifiedAtColumn) return Value::Date(row.modified_at);
    return row.props[column];
  }

  // A row's sort keys, read once per row, not once per comparison.
  struct Place {
    Slot slot;
    ObjectKey key;
    Vector<Value> values;
    Vector<std::string> folded;  // the values' texts, where a locale orders them
  };

  Place PlaceOf(const Query& query, Slot slot) const {
    const RowStore& store = world_->store(query.table);
    Place place{slot, store.Key(slot), {}, {}};
    for (const QueryOrder& order : query.order) {
      Value value = store.GetValue(slot, order.column);
      const bool by_locale = order.locale != kNoLocale && !value.is_null();
      place.folded.push_back(by_locale ? FoldText(value.text()) : std::string());
      place.values.push_back(std::move(value));
    }
    return place;
  }

  static int Compare(const Query& query, const Place& a, const Place& b) {
    for (size_t i = 0; i < query.order.size(); ++i) {
      const QueryOrder& order = query.order[i];
      const Value& left = a.values[i];
      const Value& right = b.values[i];
      const bool by_locale = order.locale != kNoLocale && !left.is_null() && !right.is_null();
      const int compared = by_locale ? CompareFolded(order.locale, a.folded[i], b.folded[i])
                                     : CompareValues(left, right);
      if (compared != 0) return order.descending ? -compared : compared;
    }
    const int ids = a.key.id.compare(b.key.id);
    return ids != 0 ? ids : a.key.realm.compare(b.key.realm);
  }

  // `extra` selects the rows: of an include, those of one parent.
  template <typename Extra>
  Vector<Slot> Rows(const Query& query, Extra extra) const {
    RowStore& store = world_->store(query.table);
    Vector<Slot> slots;
    const Slot anchor = query.after.empty() ? kNoSlot : store.Find(query.after);
    const bool is_placed = query.is_placed;
    if (!query.after.empty() && !is_placed && anchor == kNoSlot) return slots;
    Place after;
    if (is_placed) {
      after = {kNoSlot, {query.table, query.after, query.after_realm}, query.after_values, {}};
      for (const Value& value : query.after_values)
        after.folded.push_back(value.kind() == ValueKind::kString ? FoldText(value.text()) : "");
    } else if (anchor != kNoSlot) {
      after = PlaceOf(query, anchor);
    }
    Vector<Place> places;
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (!store.IsLive(slot) || !extra(slot)) continue;
      if (!Matches(query.where, store.Id(slot), store.Get(slot), this)) continue;
      Place place = PlaceOf(query, slot);
      if (!query.after.empty() && Compare(query, after, place) >= 0) continue;
      places.push_back(std::move(place));
    }
    Vector<const Place*> sorted;
    for (const Place& place : places) sorted.push_back(&place);
    std::sort(sorted.begin(), sorted.end(),
              [&](const Place* a, const Place* b) { return Compare(query, *a, *b) < 0; });
    for (const Place* place : sorted) slots.push_back(place->slot);
    slots.erase(slots.begin(), slots.begin() + static_cast<ptrdiff_t>(
                                                   std::min<size_t>(query.offset, slots.size())));
    if (slots.size() > query.limit) slots.resize(query.limit);
    return slots;
  }

  Vector<Slot> Rows(const Query& query) const {
    return Rows(query, [](Slot) { return true; });
  }

  void Render(const Query& query, const Vector<Slot>& slots, Vector<uint32_t>* stream) const {
    RowStore& store = world_->store(query.table);
    stream->push_back(static_cast<uint32_t>(slots.size()));
    for (const Slot slot : slots) {
      stream->push_back(slot);
      for (const Include& include : query.includes) {
        const Query& inner = include.query[0];
        RowStore& other = world_->store(include.table);
        const Value target =
            include.back ? Value::String(store.Id(slot)) : store.GetValue(slot, include.prop);
        Render(inner,
               Rows(inner,
                    [&](Slot row) {
                      // An application-defined id names the row of the same realm.
                      const RowStore& named = include.back ? store : other;
                      if (named.table().custom_ids && !(other.GetValue(row, kRealmColumn) ==
                                                        store.GetValue(slot, kRealmColumn)))
                        return false;
                      if (include.back) return other.GetValue(row, include.prop) == target;
                      return Value::String(other.Id(row)) == target;
                    }),
               stream);
      }
    }
  }

  Vector<uint32_t> Run(const Query& query) const {
    Vector<uint32_t> stream;
    Render(query, Rows(query), &stream);
    return stream;
  }

 private:
  ModelWorld* world_;
};

// Mostly a few; sometimes zero, or about as many as there are rows.
inline uint64_t RandomLimit(Random* random, uint64_t rows) {
  const uint64_t dice = random->Below(8);
  if (dice == 0) return Vector<uint64_t>{0, 1, 60}[random->Below(3)];
  if (dice < 3) return rows + random->Below(3) - (rows == 0 ? 0 : 1);
  return random->Below(12);
}

// A row by its id, or the place where one was, which may be one that no row has now.
inline std::string RandomAfter(Random* random, TableIndex table,
                               const Vector<std::string>& ordered) {
  const std::string id = Quote(RandomId(random, table, 60));
  if (random->Below(3) == 0) return id;
  std::string values;
  for (const std::string& column : ordered) {
    values += values.empty() ? "" : ",";
    values += random->Below(6) == 0 ? "null" : RandomConstant(random, table, column);
  }
  const std::string realm = random->Below(2) ? "team" : "public";
  return "{\"id\":" + id + R"(,"realm":")" + realm + R"(","values":[)" + values + "]}";
}

// A random description: filter, orders, window, includes (always at a depth below zero). `rows`:
// how many the table has.
inline std::string RandomQuery(Random* random, TableIndex table, int depth, uint64_t rows = 60) {
  static const char* kNames[] = {"cities", "people", "visits"};
  std::string text = std::string("{\"table\":\"") + kNames[table] + "\"";
  if (random->Below(4) > 0) text += ",\"where\":" + RandomFilter(random, table, 2, true);
  text += ",\"order\":[";
  Vector<std::string> ordered;
  for (uint64_t n = random->Below(3), i = 0; i < n; ++i) {
    const Vector<std::string>& columns = ComparableColumns(table);
    const std::string& column = columns[random->Below(columns.size())];
    ordered.push_back(column);
    text += std::string(i ? "," : "") + "[" + Quote(column) +
            (random->Below(2) ? ",\"asc\"" : ",\"desc\"");
    if (column == "name" || column == "country") {
      static const char* kLocales[] = {"", ",\"fold\"", ",\"back\""};
      text += kLocales[random->Below(3)];
    }
    text += "]";
  }
  text += "]";
  if (random->Below(2)) text += ",\"limit\":" + std::to_string(RandomLimit(random, rows));
  if (random->Below(4) == 0) text += ",\"offset\":" + std::to_string(random->Below(6));
  if (random->Below(4) == 0) text += ",\"after\":" + RandomAfter(random, table, ordered);
  if (depth < 2 && (depth < 0 || random->Below(2) == 0)) {
    text += ",\"include\":[";
    const auto nested = [&](TableIndex inner) {
      return random->Below(3) ? RandomQuery(random, inner, depth + 1, 3) : std::string("null");
    };
    if (table == kCities) {
      text += R"({"name":"twin","kind":"ref","prop":"twin","query":)" + nested(kCities) + "},";
      text += R"({"name":"visits","kind":"back","prop":"city","table":"visits","query":)" +
              nested(kVisits) + "}";
    } else if (table == kPeople) {
      text += R"({"name":"visits","kind":"back","table":"visits","query":)" + nested(kVisits) + "}";
    } else {
      text += R"({"name":"person","kind":"ref","prop":"person","query":)" + nested(kPeople) + "}";
    }
    text += "]";
  }
  return text + "}";
}

}  // namespace skerry

#endif  // SKERRY_TEST_CORE_MODEL_NAIVE_QUERY_H_
