// Hole 20 (docs/design.md, "Holes that were closed"): a child and the deletion of its parent meet.
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

TEST_CASE("hole 20: a child is created under a parent that another client deletes") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& carla = story.AddDevice().OpenWindow("carla");
  anna.page.Creates("groups", "choir", {{"name", "Choir"}});
  story.Settle();
  carla.Sync();
  story.Settle();

  // Neither client knows what the other one does.
  anna.worker->Hold(Step::kPush);
  carla.worker->Hold(Step::kPush);
  anna.page.Creates("members", "ben", {{"group", "choir"}});
  carla.page.Deletes("groups", "choir");
  story.Settle();
  CHECK(anna.page.Sees("members", "ben"));

  SUBCASE("the deletion is first: the author finds the child in the inbox") {
    carla.worker->Release();
    story.Settle();
    anna.worker->Release();
    story.Settle();
    CHECK_EQ(story.device().Count("conflicts"), 1);
  }
  SUBCASE("the child is first: it is deleted with its parent") {
    anna.worker->Release();
    story.Settle();
    carla.worker->Release();
    story.Settle();
    CHECK_EQ(story.device().Count("conflicts"), 0);
  }
  story.Converge();
  CHECK_FALSE(anna.page.Sees("groups", "choir"));
  CHECK_FALSE(anna.page.Sees("members", "ben"));
  CHECK_FALSE(story.server.Has("members", "ben"));
}

TEST_CASE("hole 20: a child is created before its parent in one update") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& carla = story.AddDevice().OpenWindow("carla");
  story.Settle();
  const std::string mutation = anna.page.DoesAtOnce([&] {
    anna.page.Creates("members", "ben", {{"group", "choir"}});
    anna.page.Creates("groups", "choir", {{"name", "Choir"}});
  });
  story.Settle();
  CHECK_EQ(anna.page.Stage(mutation, "confirmed"), "ok");
  CHECK_EQ(story.device().Count("conflicts"), 0);
  story.Converge();
  CHECK(story.server.Has("members", "ben"));
  CHECK(carla.page.Sees("members", "ben"));
}

}  // namespace skerry::spec
