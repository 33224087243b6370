// Goal: a push says of each update with actions that were sent before, and only of these, what its client knew of the server's
// time when it sent them first: so a restored server can refuse an `inc` that it may have been given back (docs/design.md,
// "Another history").
#include <set>

#include "base/json.h"
#include "doctest/doctest.h"
#include "log/cursor.h"
#include "test/core/sync/pushing.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

struct SentBefore : Pushing {
  SentBefore() {
    Mutate({CreateItem("a", "A", 1)});
    Settle();
    before = push_bodies.size();
  }
  double Known() const {
    Cursors cursors;
    const Data record = sync();
    for (const auto& [realm, cursor] : record["cursors"].members())
      cursors[realm] = cursor.as_string();
    return LatestTime(cursors);
  }
  Data Body(size_t i) const { return ParseJson(push_bodies[before + i]).value(); }
  // What the push says of the update with this action; null: nothing.
  static Data SentOf(const Data& body, const std::string& action) {
    for (const Data& update : body["updates"].items()) {
      for (const Data& made : update["actions"].items()) {
        if (made["id"].as_string() == action) return body["sent"][update["id"].as_string()];
      }
    }
    return nullptr;
  }
  void RunUntil(size_t pushes) {
    for (int i = 0; i < 1000 && push_bodies.size() < before + pushes; ++i) Run(100);
    REQUIRE(push_bodies.size() >= before + pushes);
  }
  size_t before = 0;
};

TEST_CASE("a push says what was known when an update was sent first, if it was before") {
  SentBefore world;
  const double known = world.Known();
  REQUIRE(known > 0);
  world.network.lose_push_requests = 2;
  const std::string action = world.Mutate({IncItem("a", "A", 1)});
  world.Settle();
  // What the client reads meanwhile does not count.
  world.server.Foreign("z", "A", "other");
  world.RunUntil(3);
  CHECK(world.Body(0)["sent"].is_null());
  CHECK(world.SentOf(world.Body(1), action).as_number() == known);
  CHECK(world.SentOf(world.Body(2), action).as_number() == known);
  CHECK(world.Known() > known);
  world.Run(60'000);
  CHECK(world.server.n("a") == 2);
}

TEST_CASE("an `inc` that was sent says so in another update, too, and is alone there") {
  SentBefore world;
  const double known = world.Known();
  world.network.lose_push_requests = 1;
  const std::string sent = world.Mutate({IncItem("a", "A", 1)});
  const std::string beside = world.Mutate({UpdateItem("a", "A", "new")});
  world.RunUntil(1);
  // It has another identity from the next answer on.
  world.server.forks = true;
  const std::string fresh = world.Mutate({IncItem("a", "A", 2)});
  world.RunUntil(3);
  world.server.forks = false;
  world.Run(60'000);
  std::set<std::string> updates;
  for (size_t i = 1; world.before + i < world.push_bodies.size(); ++i) {
    const Data body = world.Body(i);
    for (const Data& update : body["updates"].items()) {
      if (update["actions"].items()[0]["id"].as_string() != sent) continue;
      updates.insert(update["id"].as_string());
      if (i > 1) CHECK(update["actions"].items().size() == 1);
    }
    CHECK(world.SentOf(body, sent).as_number(known) == known);
    CHECK(world.SentOf(body, fresh).is_null());
    // It would have no effect the second time, or the same.
    if (i > 1) CHECK(world.SentOf(body, beside).is_null());
  }
  CHECK(updates.size() > 1);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("what was sent once, and was refused as a whole at once, was not sent before") {
  SentBefore world;
  world.server.forks = true;
  const std::string first = world.Mutate({IncItem("a", "A", 1)});
  world.RunUntil(2);
  world.server.forks = false;
  world.Run(60'000);
  for (size_t i = 0; world.before + i < world.push_bodies.size(); ++i)
    CHECK(world.SentOf(world.Body(i), first).is_null());
  CHECK(world.server.n("a") == 2);
}

}  // namespace
}  // namespace skerry::sync_test
