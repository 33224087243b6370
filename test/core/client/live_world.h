// A world of live queries for tests: every change of a row is reported to them first, an Observer
// holds one live query, and CheckObserver compares it with the query from scratch.
#ifndef SKERRY_TEST_CORE_CLIENT_LIVE_WORLD_H_
#define SKERRY_TEST_CORE_CLIENT_LIVE_WORLD_H_

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/vector.h"
#include "client/live_query.h"
#include "test/core/model/naive_query.h"

namespace skerry {

// A result as it looks: per row its id, slot, content (without revision) and includes. `key`: its id,
// and the realm where several have it.
struct Shown {
  std::string id;
  std::string key;
  std::string content;
};

class Observer {
 public:
  Observer(ModelWorld* world, LiveQueries* live, const std::string& description)
      : query(std::move(ParseQuery(world->schema(), Json(description)).value())), world_(world) {
    Vector<uint32_t> rows;
    id = live->Open(query, &rows);
    CHECK(rows == NaiveQuery(world).Run(query));
    shown = Look();
  }

  Vector<Shown> Look() const { return Look(NaiveQuery(world_).Rows(query)); }

  // Of rows that the query has found, in this order.
  Vector<Shown> Look(const Vector<Slot>& rows) const {
    const NaiveQuery naive(world_);
    Query one = query;
    one.where = Filter();
    one.limit = kNoLimit;
    one.offset = 0;
    Vector<Shown> result;
    for (const Slot slot : rows) {
      Vector<uint32_t> stream;
      naive.Render(one, {slot}, &stream);
      std::string content;
      Describe(one, stream, &content);
      const ObjectKey key = world_->store(query.table).Key(slot);
      result.push_back({key.id, key.id + '\n' + key.realm, content});
    }
    return result;
  }

  Query query;
  uint32_t id = 0;
  Vector<Shown> shown;

 private:
  void DescribeRow(TableIndex table, Slot slot, std::string* content) const {
    Row row = world_->store(table).Get(slot);
    *content += std::to_string(slot) + ":" + world_->store(table).Id(slot) + "/" + row.realm + "/" +
                std::to_string(static_cast<int64_t>(row.created_at)) + "/" +
                std::to_string(static_cast<int64_t>(row.modified_at));
    for (const Value& v : row.props) {
      *content +=
          "/" + std::to_string(static_cast<int>(v.kind())) + WriteJson(v.number()) + v.text();
    }
  }
  void Describe(const Query& level, const Vector<uint32_t>& stream, std::string* content) const {
    size_t at = 0;
    DescribeLevel(level, stream, &at, content);
  }
  void DescribeLevel(const Query& level, const Vector<uint32_t>& stream, size_t* at,
                     std::string* content) const {
    const uint32_t n = stream[(*at)++];
    *content += "[";
    for (uint32_t i = 0; i < n; ++i) {
      DescribeRow(level.table, stream[(*at)++], content);
      for (const Include& include : level.includes)
        DescribeLevel(include.query[0], stream, at, content);
    }
    *content += "]";
  }

  ModelWorld* world_;
};

using ShownByKey = std::map<std::string_view, const Shown*>;

inline ShownByKey ByKey(const Vector<Shown>& rows) {
  ShownByKey by_key;
  for (const Shown& row : rows) by_key.emplace(row.key, &row);
  return by_key;
}

inline const Shown* FindShown(const ShownByKey& rows, const std::string& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : found->second;
}

// By definition.
inline LiveDelta Difference(const Vector<Shown>& before, const Vector<Shown>& after) {
  LiveDelta delta;
  const ShownByKey before_by_key = ByKey(before);
  const ShownByKey after_by_key = ByKey(after);
  const auto unchanged_before = [&](const Vector<Shown>& rows, const std::string& key) {
    int count = 0;
    for (const Shown& row : rows) {
      if (row.key == key) break;
      const Shown* then = FindShown(before_by_key, row.key);
      const Shown* now = FindShown(after_by_key, row.key);
      // Only the row itself counts: its includes do not affect its place.
      if (then && now &&
          then->content.substr(0, then->content.find('[', 1)) ==
              now->content.substr(0, now->content.find('[', 1)))
        ++count;
    }
    return count;
  };
  for (const Shown& row : after) {
    const Shown* then = FindShown(before_by_key, row.key);
    if (!then) {
      delta.added.push_back(row.id);
      continue;
    }
    if (then->content == row.content) continue;
    delta.changed.push_back(row.id);
    if (unchanged_before(before, row.key) != unchanged_before(after, row.key))
      delta.moved.push_back(row.id);
  }
  for (const Shown& row : before) {
    if (!FindShown(after_by_key, row.key)) delta.removed.push_back(row.id);
  }
  return delta;
}

class LiveWorld {
 public:
  LiveWorld() : live(&world.schema(), &world) {}

  void Put(TableIndex table, const std::string& id, const Row& row) {
    live.WillChange(KeyIn(world.schema(), table, id, row.realm));
    world.store(table).Put(id, row);
  }
  // The row with this id in one realm, if there is any.
  void Erase(TableIndex table, const std::string& id) {
    const Slot slot = world.store(table).Find(id);
    if (slot == kNoSlot) return;
    const ObjectKey key = world.store(table).Key(slot);
    live.WillChange(key);
    world.store(table).Erase(id, key.realm);
  }
  void Change(Random* random) {
    const TableIndex table = static_cast<TableIndex>(random->Below(3));
    const std::string id = RandomId(random, table, 60);
    const Slot slot = world.store(table).Find(id);
    if (random->Below(60) < erased) {
      Erase(table, id);
    } else if (slot != kNoSlot && random->Below(2)) {
      // One prop only, or none at all but the revision.
      Row row = world.store(table).Get(slot);
      const Row other = RandomRow(random, table, cities, people);
      const size_t prop = random->Below(row.props.size() + 1);
      if (prop < row.props.size()) row.props[prop] = other.props[prop];
      row.revision = other.revision;
      Put(table, id, row);
    } else {
      Put(table, id, RandomRow(random, table, cities, people));
    }
  }
  std::map<uint32_t, LiveDelta> Flush() {
    Vector<LiveDelta> deltas;
    live.Flush(&deltas);
    std::map<uint32_t, LiveDelta> by_live;
    for (LiveDelta& delta : deltas) {
      CHECK(by_live.count(delta.live) == 0);
      by_live[delta.live] = std::move(delta);
    }
    return by_live;
  }

  ModelWorld world;
  LiveQueries live;
  // How many of 60 changes erase a row: tables grow to all their 60 rows, or shrink to none.
  uint64_t erased = 20;
  // How many rows refs may name: many rows refer to few.
  uint64_t cities = 60;
  uint64_t people = 40;
};

inline void CheckObserver(LiveWorld* lived, Observer* observer,
                          const std::map<uint32_t, LiveDelta>& deltas) {
  Vector<uint32_t> rows;
  lived->live.Render(observer->id, &rows);
  const NaiveQuery naive(&lived->world);
  const Vector<Slot> slots = naive.Rows(observer->query);
  Vector<uint32_t> expected_rows;
  naive.Render(observer->query, slots, &expected_rows);
  REQUIRE(rows == expected_rows);
  Vector<Shown> now = observer->Look(slots);
  const LiveDelta expected = Difference(observer->shown, now);
  const auto found = deltas.find(observer->id);
  const bool differs =
      !expected.added.empty() || !expected.removed.empty() || !expected.changed.empty();
  REQUIRE((found != deltas.end()) == differs);
  observer->shown = std::move(now);
  if (!differs) return;
  const LiveDelta& delta = found->second;
  REQUIRE(delta.rows == rows);
  REQUIRE(delta.added == expected.added);
  REQUIRE(delta.removed == expected.removed);
  REQUIRE(delta.changed == expected.changed);
  REQUIRE(delta.moved == expected.moved);
}

}  // namespace skerry

#endif  // SKERRY_TEST_CORE_CLIENT_LIVE_WORLD_H_
