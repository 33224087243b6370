// Holes 7, 15 and 16 (docs/design.md, "Holes that were closed"): pulls that never end, that overtake
// each other, or that bring two realms at different times.
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

TEST_CASE("hole 7: others write all the time, and a client that pulls never gets to push") {
  Story story;
  Window& carla = story.AddDevice().OpenWindow("carla");
  int made = 0;
  const auto carla_writes = [&] {
    carla.page.Creates("items", "note " + std::to_string(++made), {});
    story.Settle();
  };
  carla_writes();
  Window& anna = story.OpenWindow("anna");

  // An answer has one entry, and Carla writes two for each answer that Anna's client gets.
  story.server.SendAtMost(1, "A");
  carla_writes();
  carla_writes();
  anna.worker->Hold(Step::kPull);
  anna.Sync();
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();
  int pulls = 0;
  while (pulls < 20 && !story.server.Has("items", "eggs")) {
    carla_writes();
    carla_writes();
    anna.worker->Let(Step::kPull);
    story.Settle();
    ++pulls;
  }
  CHECK_EQ(pulls, 4);
  story.Converge();
}

TEST_CASE("hole 15: of two pulls at once, the slower answer is folded over the faster one") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& carla = story.AddDevice().OpenWindow("carla");
  Worker& service = story.device().StartServiceWorker();
  carla.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  // The service worker has asked, and its answer with 10 eggs is on its way.
  service.Hold(Step::kPullAnswer);
  service.Wake("visible");
  story.Settle();
  CHECK(service.WaitsForServer());
  // A window's worker asks later, and has its answer with 12 eggs at once.
  carla.page.Adds("eggs", 2);
  story.Settle();
  anna.Sync();
  story.Settle();
  CHECK_EQ(anna.page.Number("eggs"), 12);

  const std::string stored = story.device().Stored();
  service.Let(Step::kPullAnswer);
  story.Settle();
  CHECK_EQ(anna.page.Number("eggs"), 12);
  CHECK(story.device().Stored() == stored);
  story.Converge();
}

TEST_CASE("hole 15: an answer brings what a window has unsubscribed from meanwhile") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& carla = story.AddDevice().OpenWindow("carla");
  Worker& service = story.device().StartServiceWorker();
  carla.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  service.Hold(Step::kPullAnswer);
  service.Wake("visible");
  story.Settle();
  CHECK(service.WaitsForServer());
  anna.worker->Hold(Step::kPull);
  anna.Unsubscribe("items");
  story.Settle();

  const std::string stored = story.device().Stored();
  service.Let(Step::kPullAnswer);
  story.Settle();
  CHECK_FALSE(anna.page.Sees("items", "eggs"));
  CHECK(story.device().Stored() == stored);
}

TEST_CASE("hole 16: a row moves from one realm to another, and their cursors differ") {
  const std::string lamp = "01890000-0000-7000-8000-00000000000a";
  Story story;
  story.has_images = true;
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("boxes", lamp, {{"n", 1}});
  story.Settle();
  Window& anna = story.OpenWindow("anna");

  // The lamp moves into a realm that is new to Anna's client, and large: it comes as an image.
  // An answer has only one entry of the realm that the lamp leaves.
  carla.page.Creates("items", "note", {});
  story.Settle();
  carla.page.Moves("boxes", lamp, "B");
  story.Settle();
  story.server.SendAtMost(1, "A");
  story.server.SendImages();
  anna.worker->Hold(Step::kPull);
  anna.Sync();
  story.Settle();
  anna.worker->Let(Step::kPull);
  story.Settle();
  // In the middle: the image has the lamp, and so has the other realm, at its older cursor.
  CHECK(anna.page.Sees("items", "note"));
  CHECK_EQ(anna.page.RealmOf("boxes", lamp), "B");

  // It leaves the one realm, and stays in the other.
  anna.worker->Release();
  story.Settle();
  CHECK_EQ(anna.page.RealmOf("boxes", lamp), "B");
  story.Converge();
}

}  // namespace skerry::spec
