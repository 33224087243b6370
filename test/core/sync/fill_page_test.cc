// Goal: pages fill a scope range by range.
#include "base/json.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("replaces a fill page's range of ids and advances the scope") {
  SyncWorld world;
  world.Open();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1}],
    "more":true,"fills":[{"table":"items","where":["true"],"above":"","upto":"b","ids":["b"]}]})"));
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[
    {"change":"create","table":"items","id":"c","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1}],
    "fills":[{"table":"items","where":["true"],"above":"b","upto":null,"ids":["c"]}]})"));
  world.Settle();
  REQUIRE(world.pull_bodies.size() >= 2);
  CHECK(Json(world.pull_bodies[0])["scopes"].items()[0]["filled"] == Data(false));
  CHECK(Json(world.pull_bodies[1])["scopes"].items()[0]["filled"].as_string() == "b");
  CHECK(world.sync()["scopes"].items()[0]["filled"] == Data(true));
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
}

TEST_CASE("fills only scopes named by an answer that ends before the heads") {
  SyncWorld world;
  world.Open();
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[],"more":true})"));
  for (int i = 0; i < 1000 && world.pull_bodies.size() < 2; ++i) world.host(0).StepOnce();
  CHECK(Json(world.pull_bodies.back())["scopes"].items()[0]["filled"] == Data(false));
}

}  // namespace
}  // namespace skerry::sync_test
