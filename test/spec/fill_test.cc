// Holes 17, 18 and 22 (docs/design.md, "Holes that were closed"): rows that come in pages, in images,
// or not at all because they are too many.
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

TEST_CASE("hole 17: a row is deleted that a fill has not come to yet") {
  Story story;
  story.tables = {"groups"};
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.Subscribe("items");
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"})
    carla.page.Creates("items", id, {});
  story.Settle();
  Window& anna = story.OpenWindow("anna");

  // Anna subscribes to the items, which come in pages of two.
  story.server.SendPagesOf(2);
  anna.worker->Hold(Step::kPull);
  anna.Subscribe("items");
  story.Settle();
  // She makes one that is far behind the page that comes next. It is pushed and confirmed.
  const std::string made = anna.page.Creates("items", "z", {});
  for (int pulls = 0; pulls < 6; ++pulls) {
    anna.worker->Let(Step::kPull);
    story.Settle();
  }
  CHECK_EQ(anna.page.Stage(made, "confirmed"), "ok");
  CHECK(anna.page.Sees("items", "z"));
  CHECK_FALSE(anna.page.Sees("items", "m"));
  // Carla deletes it. No change tells Anna of a row that her client is not filled up to.
  carla.Sync();
  story.Settle();
  carla.page.Deletes("items", "z");
  story.Settle();
  anna.worker->Release();
  story.Settle();
  CHECK(anna.page.Sees("items", "m"));
  CHECK_FALSE(anna.page.Sees("items", "z"));
  story.Converge();
}

TEST_CASE("hole 18: a window loads an image while the records above it are removed") {
  Story story;
  story.has_images = true;
  Window& anna = story.OpenWindow("anna");
  // Two records are compacted into an image.
  const auto next_image = [&] {
    for (int i = 0; i < 2; ++i) {
      anna.page.Creates("items", "item " + std::to_string(anna.page.Shown().size()), {});
      story.Settle();
    }
    story.Pass(5'000);
  };
  next_image();
  next_image();

  // Ben's window has read which image is the newest one.
  Window& ben = story.device().BeginWindow("ben");
  ben.page.Hold(Step::kImage);
  ben.page.Hold(Step::kTransaction);
  ben.page.Let(Step::kTransaction);
  story.Settle();
  SUBCASE("one more image: the records since the previous one are kept for such a window") {
    next_image();
    ben.page.Let(Step::kImage);
    story.Settle();
    ben.page.Let(Step::kTransaction);
    story.Settle();
    CHECK(ben.page.IsOpen());
    CHECK(ben.page.Shown() == anna.page.Shown());
  }
  SUBCASE("two more images: the records no longer continue the one that it has loaded") {
    ben.page.Let(Step::kImage);
    story.Settle();
    next_image();
    next_image();
    ben.page.Let(Step::kTransaction);
    story.Settle();
    CHECK_FALSE(ben.page.IsOpen());
    ben.page.Release();
    story.Settle();
    CHECK(ben.page.Shown() == anna.page.Shown());
  }
  story.Converge();
}

TEST_CASE("hole 22: one entry deletes more rows than any answer can hold") {
  Story story;
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("groups", "choir", {{"name", "Choir"}});
  for (const char* id : {"ann", "bob", "cid", "dan"})
    carla.page.Creates("members", id, {{"group", "choir"}});
  carla.page.Creates("groups", "board", {{"name", "Board"}});
  story.Settle();
  Window& anna = story.OpenWindow("anna");
  CHECK_EQ(anna.page.Shown().size(), 6);

  // The members are deleted with their group, in one entry. Its changes fit into no answer.
  story.server.SendNoChangesOf("A");
  carla.page.Deletes("groups", "choir");
  story.Settle();
  const size_t before = story.server.pulls.size();
  anna.Sync();
  story.Settle();
  CHECK_FALSE(anna.page.Sees("groups", "choir"));
  CHECK_FALSE(anna.page.Sees("members", "dan"));
  CHECK(anna.page.Sees("groups", "board"));
  CHECK(story.server.pulls.size() < before + 10);
  story.server.SendAllChanges();
  story.Converge();
}

}  // namespace skerry::spec
