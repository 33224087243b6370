// Goal: what follows by the cascade rules from what other programs have written is what would have followed from
// a push of the same (docs/design.md, "Other programs that write"), in whatever portions it is done. Method: scenes, and
// generated writes that one world gets by pushes, and another by a program.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "base/json.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

struct Scenery {
  AuthorityWorld world;
  Scenery() {
    world.WriteForeign(R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
      {"op":"create","table":"people","id":"p","realm":"A","set":{"name":"p"}},
      {"op":"create","table":"countries","id":"se","realm":"A","set":{"name":"Sweden"}},
      {"op":"create","table":"cities","id":"c","realm":"A","set":{"name":"c","country":"se"}},
      {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g","person":"p"}},
      {"op":"create","table":"logs","id":"l","realm":"A","set":{"member":"m"}}])");
    while (world.FollowUp()) {
    }
  }
};

TEST_CASE("nothing follows from rows that break no rule, but the times of their masters") {
  Scenery s;
  const uint64_t head = s.world.head("A");
  s.world.WriteForeign(
      R"([{"op":"update","table":"people","id":"p","realm":"A","set":{"name":"q"}}])");
  CHECK(s.world.FollowUp());
  CHECK_FALSE(s.world.FollowUp());
  CHECK(s.world.head("A") == head + 1);
  s.world.WriteForeign(
      R"([{"op":"update","table":"logs","id":"l","realm":"A","set":{"text":"t"}}])");
  CHECK(s.world.FollowUp());
  CHECK(s.world.head("A") == head + 3);
  CHECK(s.world.Row("groups", "g")["modifiedAt"].as_number() == s.world.now);
}

TEST_CASE("children go after their parent, transitively, in an entry of nobody") {
  Scenery s;
  s.world.WriteForeign(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  CHECK_FALSE(s.world.Row("members", "m").is_null());
  const uint64_t head = s.world.head("A");
  CHECK(s.world.FollowUp());
  for (const char* table : {"members", "logs"}) {
    CHECK(s.world.Row(table, table[0] == 'm' ? "m" : "l").is_null());
  }
  REQUIRE(s.world.last_done()["entries"].items().size() == 1);
  const Data& entry = s.world.last_done()["entries"].items()[0];
  CHECK_FALSE(entry["declared"].as_bool());
  CHECK(entry["user"].as_string() == "sql");
  // Its author has overlooked nothing.
  CHECK(WriteJson(entry["base"]) == "{\"A\":" + std::to_string(head) + "}");
}

TEST_CASE("a parent that is there again owes nothing") {
  Scenery s;
  s.world.WriteForeign(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  s.world.WriteForeign(
      R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"again"}}])");
  CHECK(s.world.FollowUp());
  CHECK_FALSE(s.world.Row("members", "m").is_null());
}

TEST_CASE("refs to nothing: a child goes, a ref becomes null, `restrict` is counted") {
  Scenery s;
  s.world.WriteForeign(
      R"([{"op":"create","table":"members","id":"orphan","realm":"A","set":{"group":"none"}},
      {"op":"create","table":"members","id":"m2","realm":"A","set":{"group":"g","person":"none"}},
      {"op":"create","table":"cities","id":"c2","realm":"A","set":{"name":"c2","country":"none"}},
      {"op":"delete","table":"countries","id":"se","realm":"A"}])");
  CHECK(s.world.FollowUp());
  CHECK(s.world.last_done()["unmet"].as_u64() == 2);
  CHECK(s.world.Row("members", "orphan").is_null());
  CHECK(s.world.Row("members", "m2")["props"].Find("person") == nullptr);
  CHECK(s.world.Row("cities", "c2")["props"]["country"].as_string() == "none");
  CHECK(s.world.Row("countries", "se").is_null());
}

TEST_CASE("children follow a parent that was moved, into a realm that was not locked") {
  Scenery s;
  s.world.WriteForeign(R"([{"op":"move","table":"groups","id":"g","realm":"A","to":"B"}])");
  CHECK(s.world.Row("members", "m")["realm"].as_string() == "A");
  CHECK(s.world.FollowUp());
  CHECK(s.world.Row("members", "m")["realm"].as_string() == "B");
  CHECK(s.world.Row("logs", "l")["realm"].as_string() == "B");
  CHECK(s.world.Row("members", "m")["props"].Find("person") == nullptr);
  REQUIRE(s.world.last_done()["entries"].items().size() == 2);
  CHECK(WriteJson(s.world.last_done()["entries"].items()[0]["spans"]).find("\"B\"") !=
        std::string::npos);
}

// Ops on few rows of tables without `restrict`, each row at most once. A push would follow a row that has moved, a program does not:
// each op names its row where it is.
std::string RandomOps(const AuthorityWorld& world, std::mt19937* random) {
  const auto below = [&](uint32_t n) { return (*random)() % n; };
  const auto text = [](const char* name, uint32_t n) {
    return "\"" + std::string(name) + std::to_string(n) + "\"";
  };
  const char* realms[] = {"A", "B"};
  std::string ops;
  std::set<std::string> seen;
  for (uint32_t i = 0, n = 1 + below(3); i < n; ++i) {
    const char* const tables[] = {"groups", "members", "people", "items", "logs"};
    const std::string table = tables[below(5)];
    const std::string id = text(table.c_str(), below(3)), realm = realms[below(2)];
    if (!seen.insert(id).second) continue;
    std::string set;
    if (table == "groups" || table == "people") set = "\"name\":" + text("n", below(9));
    if (table == "members") {
      set = "\"group\":" + text("groups", below(3));
      if (below(2)) set += ",\"person\":" + text("people", below(3));
    }
    if (table == "logs") set = "\"member\":" + text("members", below(3));
    if (table == "items") {
      set = "\"parent\":" + (below(3) ? text("items", below(3)) : "null");
      if (below(2)) set += ",\"friend\":" + text("items", below(3));
    }
    const char* const kinds[] = {"create", "create", "update", "delete", "move"};
    const std::string kind = kinds[below(5)];
    const Data row = world.Row(table, id.substr(1, id.size() - 2));
    if (row.is_null() ? kind != "create" : row["realm"].as_string() != realm) continue;
    ops += std::string(ops.empty() ? "" : ",") + "{\"op\":\"" + kind + "\",\"table\":\"" + table +
           "\",\"id\":" + id + ",\"realm\":\"" + realm + "\"";
    if (kind == "move") ops += std::string(",\"to\":\"") + (realm == "A" ? "B" : "A") + "\"";
    if (kind == "create" || kind == "update") ops += ",\"set\":{" + set + "}";
    ops += "}";
  }
  return "[" + ops + "]";
}

// The rows of all realms, without times and revisions.
std::string RowsOf(const AuthorityWorld& world) {
  std::string out;
  for (const char* realm : {"A", "B"}) {
    for (const auto& [key, row] : world.StateAt(realm, world.head(realm)))
      out += std::string(realm) + " " + key.first + " " + key.second + " " +
             WriteJson(row["props"]) + "\n";
  }
  return out;
}

TEST_CASE("generated writes: the rows are those of the same pushes, in whatever portions") {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    AuthorityWorld pushed, written, in_parts;
    for (int step = 0; step < 12; ++step) {
      const std::string ops = RandomOps(pushed, &random);
      if (ops == "[]") continue;
      Author author(&pushed, "c" + std::to_string(step));
      // What a push is refused for, a program does all the same: then the worlds differ from here on.
      if (Status(author.Push(ops, {"A", "B"})) != "applied") continue;
      for (AuthorityWorld* world : {&written, &in_parts}) world->WriteForeign(ops);
      while (written.FollowUp()) {
      }
      while (in_parts.FollowUp(1)) {
      }
      INFO("seed " << seed << ", step " << step << ": " << ops);
      REQUIRE(RowsOf(written) == RowsOf(pushed));
      REQUIRE(RowsOf(in_parts) == RowsOf(pushed));
    }
  }
}

}  // namespace
}  // namespace skerry::authority_test
