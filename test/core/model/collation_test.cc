// Goal: a locale's order equals its definition while rows come, change and go, and asks the
// collator seldom.
#include "model/collation.h"

#include <doctest/doctest.h>

#include <string>

#include "base/vector.h"
#include "test/core/model/naive_query.h"

namespace skerry {
namespace {

Row Named(Random* random, Value name) {
  Row row = RandomRow(random, kCities, 60, 40);
  row.props[1] = std::move(name);  // country: it may be null
  return row;
}

Query Parse(const ModelWorld& world, const std::string& text) {
  return std::move(ParseQuery(world.schema(), Json(text)).value());
}

Vector<std::string> Ids(ModelWorld* world, const std::string& text) {
  QueryEngine engine(&world->schema(), world);
  Vector<Slot> slots;
  engine.RunSlots(Parse(*world, text), &slots);
  Vector<std::string> ids;
  for (const Slot slot : slots) ids.push_back(world->store(kCities).Id(slot));
  return ids;
}

uint64_t Calls(ModelWorld* world, const std::string& text) {
  const uint64_t before = collator_count.calls;
  Ids(world, text);
  return collator_count.calls - before;
}

using List = Vector<std::string>;

TEST_CASE("orders by a locale: null first, ties by the next order and id, both directions") {
  ModelWorld world;
  Random random("a locale's order");
  RowStore& store = world.store(kCities);
  const std::pair<const char*, Value> rows[] = {
      {"a", Value::String("b")}, {"b", Value::String("_B")}, {"c", Value::Null()},
      {"d", Value::String("")},  {"e", Value::String("%")},  {"f", Value::String("A")},
      {"g", Value::String("É")}, {"h", Value::String("é")}};
  for (const auto& [id, name] : rows) {
    Row row = Named(&random, name);
    row.props[3] = Value::Number(id[0] == 'b' ? 1 : 2);  // lat
    store.Put(id, row);
  }
  const auto by = [](const std::string& order) {
    return R"({"table":"cities","order":[)" + order + "]}";
  };
  CHECK(Ids(&world, by(R"(["country","asc"])")) == List{"c", "d", "e", "f", "b", "a", "g", "h"});
  CHECK(Ids(&world, by(R"(["country","asc","fold"])")) ==
        List{"c", "d", "e", "f", "a", "b", "h", "g"});
  CHECK(Ids(&world, by(R"(["country","desc","fold"])")) ==
        List{"g", "h", "a", "b", "f", "d", "e", "c"});
  CHECK(Ids(&world, by(R"(["country","asc","back"])")) ==
        List{"c", "g", "h", "a", "b", "f", "d", "e"});
  CHECK(Ids(&world, by(R"(["country","asc","fold"],["lat","asc"])")) ==
        List{"c", "d", "e", "f", "b", "a", "h", "g"});
  CHECK(Ids(&world, by(R"(["country","asc","fold"],["country","asc"])")) ==
        List{"c", "d", "e", "f", "b", "a", "h", "g"});
  CHECK(Ids(&world, by(R"(["lat","asc"],["country","desc","fold"])")) ==
        List{"b", "g", "h", "a", "f", "d", "e", "c"});
  CHECK(Ids(&world, R"({"table":"cities","order":[["country","asc","fold"]],"after":"e",
                        "offset":1,"limit":2})") == List{"a", "b"});
}

TEST_CASE("leaves out the row of a place that the locale takes for the same") {
  ModelWorld world;
  Random random("places");
  const std::pair<const char*, const char*> rows[] = {{"a", "aa"}, {"b", "Bb"}, {"c", "cc"}};
  for (const auto& [id, country] : rows)
    world.store(kCities).Put(id, Named(&random, Value::String(country)));
  // The row was "bb" when it ended a page, and is "Bb" since.
  CHECK(Ids(&world, R"({"table":"cities","order":[["country","asc","fold"]],
                        "after":{"id":"b","realm":"public","values":["bb"]}})") == List{"c"});
  CHECK(Ids(&world, R"({"table":"cities","order":[["country","desc","fold"]],
                        "after":{"id":"b","realm":"public","values":["bb"]}})") == List{"a"});
}

TEST_CASE("keeps a locale's order right over random changes and requests") {
  ModelWorld world;
  Random random("collated");
  QueryEngine engine(&world.schema(), &world);
  const NaiveQuery naive(&world);
  RowStore& store = world.store(kCities);
  for (int step = 0; step < 4000; ++step) {
    if (step % 1000 == 999) store.Clear();
    for (uint64_t n = random.Below(step % 50 == 0 ? 60 : 4); n > 0; --n) {
      const std::string id = CityId(random.Below(90));
      if (random.Below(4) == 0) {
        store.Erase(id);
      } else {
        store.Put(id, Named(&random, MaybeNull(&random, Value::String(RandomText(&random, 5)))));
      }
    }
    std::string text = R"({"table":"cities")";
    if (random.Below(2)) text += ",\"where\":" + RandomFilter(&random, kCities, 2, true);
    static const char* kOrders[] = {R"(["country","asc","fold"])",
                                    R"(["country","desc","fold"])",
                                    R"(["name","asc","back"])",
                                    R"(["country","asc","fold"],["name","desc","fold"])",
                                    R"(["population","asc"],["name","asc","fold"])",
                                    R"(["capital","desc"],["name","asc","back"],["lat","asc"])"};
    text += std::string(",\"order\":[") + kOrders[random.Below(6)] + "]";
    if (random.Below(2)) text += ",\"limit\":" + std::to_string(random.Below(12));
    if (random.Below(3) == 0) text += ",\"offset\":" + std::to_string(random.Below(9));
    if (random.Below(3) == 0) text += ",\"after\":" + Quote(RandomId(&random, kCities, 90));
    text += "}";
    CAPTURE(text);
    const Query query = Parse(world, text);
    Vector<uint32_t> stream;
    engine.Run(query, &stream);
    REQUIRE(stream == naive.Run(query));
    REQUIRE(engine.Count(query) == stream[0]);
  }
}

TEST_CASE("asks the collator once about a text, and only for rows that are ordered") {
  ModelWorld world;
  Random random("seldom");
  RowStore& store = world.store(kCities);
  for (uint64_t i = 0; i < 5000; ++i) {
    Row row = Named(&random, Value::String(i < 100 ? "SE" : "DE"));
    row.props[0] = Value::String(std::to_string(random.Below(1'000'000)));
    store.Put("c" + std::to_string(i), row);
  }
  const char* swedish = R"({"table":"cities","where":["=","country","SE"],
                            "order":[["name","asc","fold"]]})";
  const char* all = R"({"table":"cities","order":[["name","asc","fold"]],"limit":50})";
  const char* further = R"({"table":"cities","order":[["name","desc","fold"],["lat","asc"]],
                            "offset":1000,"limit":50})";
  uint64_t texts = collator_count.texts;
  CHECK(Calls(&world, swedish) == 1);
  CHECK(collator_count.texts - texts == 100);
  CHECK(Calls(&world, all) == 1);  // the new texts, and the few that are ranked again with them
  CHECK(Calls(&world, further) == 0);
  CHECK(Calls(&world, swedish) == 0);
  // A change of another prop, or to the same text.
  Row row = store.Get(store.Find("c7"));
  row.props[3] = Value::Number(77);
  store.Put("c7", row);
  CHECK(Calls(&world, all) == 0);
  row.props[0] = Value::String("zzz");
  store.Put("c7", row);
  texts = collator_count.texts;
  CHECK(Calls(&world, further) <= 13);
  CHECK(collator_count.texts - texts <= 26);
  store.Erase("c7");
  store.Erase("c8");
  CHECK(Calls(&world, all) == 0);
  store.Put("c7", row);
  CHECK(Calls(&world, all) <= 13);
}

TEST_CASE("orders the few children of many parents without a merge of all rows for each") {
  ModelWorld world;
  Random random("small lots");
  for (uint64_t i = 0; i < 4000; ++i) {
    Row city = RandomRow(&random, kCities, 1, 1);
    city.realm = "public";
    city.props[9] = Value::String("c" + std::to_string(i / 4));  // twin
    city.props[0] = Value::String(std::to_string(random.Below(1'000'000)));
    world.store(kCities).Put("c" + std::to_string(i), city);
  }
  const Query query = Parse(world, R"({"table":"cities","limit":1000,"include":[{"name":"cities",
      "kind":"back","table":"cities","prop":"twin","query":{"order":[["name","asc","fold"]]}}]})");
  QueryEngine engine(&world.schema(), &world);
  Vector<uint32_t> stream;
  collator_count = {};
  engine.Run(query, &stream);
  CHECK(stream == NaiveQuery(&world).Run(query));
  CHECK(collator_count.largest > 3000);
}

TEST_CASE("rejects a locale's order for columns without text") {
  ModelWorld world;
  const auto code = [&](const char* order) {
    const std::string text = std::string(R"({"table":"cities","order":[)") + order + "]}";
    return ParseQuery(world.schema(), Json(text)).status().code();
  };
  CHECK(code(R"(["population","asc","fold"])") == Code::kWrongType);
  CHECK(code(R"(["size","asc","fold"])") == Code::kWrongType);
  CHECK(code(R"(["twin","asc","fold"])") == Code::kWrongType);
  CHECK(code(R"(["id","asc","fold"])") == Code::kWrongType);
  CHECK(code(R"(["realm","asc","fold"])") == Code::kWrongType);
  CHECK(code(R"(["name","asc","xx"])") == Code::kUnsupported);
  CHECK(code(R"(["name","asc",7])") == Code::kInvalidArgument);
  CHECK(code(R"(["name","asc","fold","x"])") == Code::kInvalidArgument);
  SetCollator(nullptr);
  CHECK(code(R"(["name","asc","fold"])") == Code::kUnsupported);
  CHECK(code(R"(["name","asc"])") == Code::kOk);
  SetCollator(&kTestCollator);
}

}  // namespace
}  // namespace skerry
