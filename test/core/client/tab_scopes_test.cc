// Goal: the window checks each scope by itself and posts the valid ones to its worker.
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("posts the valid scopes of a message when another one is rejected") {
  Pair world;
  const auto scope = [](const char* table, const char* prop) {
    return Data::Object{{"table", table}, {"where", Data::Array{"=", prop, "x"}}};
  };
  const Data right = scope("groups", "name");
  Data::Array wrong{scope("groups", "nope"), scope("nowhere", "name")};
  Data::Array added{wrong[0], right, wrong[1]};
  world.B().problems = true;
  world.B().posted.clear();
  world.B().Event(Data::Object{
      {"type", "scopes"}, {"add", Data(std::move(added))}, {"drop", Data(Data::Array{right})}});
  REQUIRE_EQ(world.B().posted.size(), 1);
  CHECK(world.B().posted[0]["add"] == Data(Data::Array{right}));
  CHECK(world.B().posted[0]["drop"] == Data(Data::Array{right}));
  Vector<Data> refused;
  for (const Data& note : world.B().notes) {
    if (note["type"].Is("problem")) refused.push_back(note["scope"]);
  }
  REQUIRE_EQ(refused.size(), 2);
  CHECK(refused[0] == wrong[0]);
  CHECK(refused[1] == wrong[1]);
}

}  // namespace skerry::client_test
