// Holes 8 to 14 (docs/design.md, "Holes that were closed"): pushes that are repeated, refused, late,
// or made by two workers or two copies of a profile.
#include "base/json.h"
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

// The text of the updates in a push, without the envelope.
std::string UpdatesIn(const std::string& push) {
  const size_t from = push.find("\"updates\":[") + 11;
  return push.substr(from, push.rfind(']') - from);
}

TEST_CASE("hole 8: another worker sends an update again, and groups it otherwise") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  // The server applies Anna's update. The answer is lost with her window.
  anna.worker->Hold(Step::kPushAnswer);
  anna.page.Adds("eggs", 2);
  story.Settle();
  const std::string sent = UpdatesIn(story.server.pushes.back());
  anna.Crash();
  // Ben's worker sends it again, though there is a second mutation to group it with by now.
  ben.worker->Hold(Step::kPush);
  ben.page.Adds("eggs", 5);
  story.Pass(10'000);
  ben.worker->Release();
  story.Settle();
  REQUIRE_EQ(story.server.pushes.size(), 3);
  CHECK_EQ(UpdatesIn(story.server.pushes[2]).substr(0, sent.size()), sent);
  CHECK_EQ(story.server.Number("eggs"), 17);
  story.Converge();
}

TEST_CASE("hole 9: a late copy of a rejected update stays rejected") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  story.Settle();
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("items", "her lamp", {{"u", 1}});
  story.Settle();

  // `u` is unique: Anna's lamp, whose device does not know of Carla's, is refused, and goes to her inbox.
  anna.page.Creates("items", "my lamp", {{"u", 1}});
  story.Settle();
  const std::string push = story.server.pushes.back();
  CHECK_EQ(story.device().Count("conflicts"), 1);

  // Carla's lamp is deleted. Then a proxy delivers a copy of Anna's push.
  carla.page.Deletes("items", "her lamp");
  story.Settle();
  CHECK_EQ(story.server.Receives(push), "rejected");
  CHECK_FALSE(story.server.Has("items", "my lamp"));
  story.Converge();
}

TEST_CASE("hole 10: a follower of a refused update fits by its number, which is reused") {
  Story story;
  story.mutations_per_update = 1;
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();
  Window& anna = story.OpenWindow("anna");
  story.Settle();
  // Anna's device has not heard of it, else it would refuse the value itself.
  carla.page.Creates("items", "her lamp", {{"u", 1}});
  story.Settle();

  // Two updates: the first is refused, and so is what depends on it. Both go to the inbox.
  anna.page.Changes("items", "eggs", {{"u", 1}});
  anna.page.Adds("eggs", 2);
  story.Settle();
  const std::string push = story.server.pushes.back();
  CHECK_EQ(story.device().Count("conflicts"), 2);
  // The next update has the number of the refused one. A late copy of the follower comes after it.
  anna.page.Creates("items", "chair", {});
  story.Settle();
  CHECK_EQ(story.server.Receives(push), "forked held");
  CHECK_EQ(story.server.Number("eggs"), 10);
  story.Converge();
}

TEST_CASE("hole 11: of two workers with the same answer, the slower one acts on it as well") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Worker& service = story.device().StartServiceWorker();
  story.Settle();
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("items", "her lamp", {{"u", 1}});
  story.Settle();

  // The service worker is up again, and the window does not know yet: both push the same update.
  anna.worker->Hold(Step::kPush);
  service.Hold(Step::kPushAnswer);
  const std::string lamp = anna.page.Creates("items", "my lamp", {{"u", 1}});
  story.Settle();
  service.Wake();
  story.Settle();
  // The window's worker has its answer first, and moves the lamp to the inbox.
  anna.worker->Release();
  story.Settle();
  CHECK_EQ(story.server.pushes.size(), 3);
  CHECK_EQ(anna.page.Stage(lamp, "confirmed"), "unique");
  CHECK_EQ(story.device().Count("conflicts"), 1);

  service.Release();
  story.Settle();
  CHECK_EQ(story.device().Count("conflicts"), 1);
  story.Converge();
}

TEST_CASE("hole 12: the server has applied a mutation, and no pull has brought it yet") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  anna.worker->Hold(Step::kPullAnswer);
  const std::string two_more = anna.page.Adds("eggs", 2);
  story.Settle();
  CHECK_EQ(anna.page.Stage(two_more, "pushed"), "ok");
  CHECK_EQ(anna.page.Stage(two_more, "confirmed"), "");

  // A window that opens now has the mutation from storage, and from nowhere else.
  Window& ben = story.OpenWindow("ben");
  CHECK_EQ(ben.page.Number("eggs"), 12);
  CHECK_EQ(anna.page.Number("eggs"), 12);
  anna.worker->Release();
  story.Settle();
  CHECK_EQ(anna.page.Stage(two_more, "confirmed"), "ok");
  CHECK_EQ(ben.page.Number("eggs"), 12);
  story.Converge();
}

TEST_CASE("hole 13: a profile is restored from a backup, and goes on from its old place") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  const sync_test::FakeStorage backup = story.device().storage;
  const std::string before = anna.page.Adds("eggs", 2);
  story.Settle();
  anna.Crash();
  story.device().storage = backup;

  // The next update has the number of one that the server has applied.
  Window& again = story.OpenWindow("anna again");
  const std::string after = again.page.Adds("eggs", 5);
  story.Settle();
  CHECK_EQ(story.server.Number("eggs"), 17);
  CHECK_EQ(story.server.CountAction(before), 1);
  CHECK_EQ(story.server.CountAction(after), 1);
  story.Converge();
}

TEST_CASE("hole 14: two live copies of a profile push the same action in different updates") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  // The profile is copied while a mutation waits that no worker has grouped yet.
  anna.worker->StandStill();
  const std::string two_more = anna.page.Adds("eggs", 2);
  story.Settle();
  Device& copy = story.CopyDevice(story.device());
  anna.worker->GoOn();
  story.Settle();
  CHECK_EQ(story.server.Number("eggs"), 12);

  Window& ben = copy.OpenWindow("ben");
  CHECK_EQ(story.server.Number("eggs"), 12);
  CHECK_EQ(story.server.CountAction(two_more), 1);
  CHECK_EQ(ben.page.Number("eggs"), 12);
  CHECK_EQ(copy.Count("conflicts"), 0);
  story.Converge();
}

}  // namespace skerry::spec
