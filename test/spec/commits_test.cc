// Holes 1 to 6 (docs/design.md, "Holes that were closed"): what a window stores, and how the other
// windows of the profile learn of it.
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

TEST_CASE("hole 1: the next group commit has room, and depends on the one that failed") {
  Story story;
  story.mutations_per_update = 1;
  Window& anna = story.OpenWindow("anna");
  Device& laptop = story.device();

  // Storage is full while the group is stored, but not for the membership that is made meanwhile.
  anna.page.FailNextWrite("QuotaExceededError");
  anna.page.Hold(Step::kOutcome);
  anna.page.Creates("groups", "choir", {{"name", "Choir"}});
  story.Settle();
  const std::string joined = anna.page.Creates("members", "ben", {{"group", "choir"}});
  story.Settle();

  // Stored before its group, the membership would be a child without a parent.
  anna.page.Release();
  story.Settle();
  CHECK_EQ(laptop.Count("mutations"), 0);
  CHECK_EQ(anna.page.Stage(joined, "durable"), "");

  // The failed group is tried again after a pause, and the next one after it.
  story.Pass(60'000);
  CHECK_EQ(anna.page.Stage(joined, "durable"), "ok");
  CHECK(story.server.Has("members", "ben"));
  CHECK_EQ(laptop.Count("conflicts"), 0);
  story.Converge();
}

TEST_CASE("hole 2: a record confirms a mutation before its window knows that it is stored") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  // The mutation is stored, but Anna's window is not notified yet.
  anna.page.Hold(Step::kOutcome);
  const std::string two_more = anna.page.Adds("eggs", 2);
  story.Settle();
  // A change in Ben's window wakes the sync worker, which finds, pushes and confirms both.
  ben.page.Creates("items", "milk", {{"n", 1}});
  story.Settle();
  CHECK_EQ(story.server.Number("eggs"), 12);
  CHECK_EQ(anna.page.Number("eggs"), 12);
  CHECK_EQ(anna.page.Stage(two_more, "confirmed"), "ok");

  // Now the outcome of its own transaction is reported, with the mutation's key. If records named
  // mutations only by keys, it would still be pending, and count twice.
  anna.page.Release();
  story.Settle();
  CHECK_EQ(anna.page.Number("eggs"), 12);
  CHECK_EQ(anna.page.Pending(), 0);
  story.Converge();
}

TEST_CASE("hole 3: the broadcast of a mutation comes after the record that confirmed it") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  ben.page.HoldMessage("added");
  anna.page.Adds("eggs", 2);
  story.Settle();
  CHECK_EQ(story.server.Number("eggs"), 12);
  CHECK_EQ(ben.page.Number("eggs"), 12);  // by the record

  ben.page.Release();
  story.Settle();
  CHECK_EQ(ben.page.Number("eggs"), 12);
  CHECK_EQ(ben.page.Pending(), 0);
  story.Converge();
}

TEST_CASE("hole 4: the broadcast comes after its window has read everything again") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();

  // While Ben's window opens, Anna's mutation is stored, pushed and confirmed.
  Window& ben = story.device().BeginWindow("ben");
  ben.page.Hold(Step::kTransaction);
  ben.page.HoldMessage("added");
  anna.page.Adds("eggs", 2);
  story.Settle();
  CHECK_EQ(story.server.Number("eggs"), 12);
  // Ben's window reads its image and its records. None of what it keeps in memory names the mutation.
  ben.page.Release(Step::kTransaction);
  story.Settle();
  CHECK_EQ(ben.page.Number("eggs"), 12);

  // Only now comes the message that the mutation was stored.
  ben.page.Release();
  story.Settle();
  CHECK_EQ(ben.page.Number("eggs"), 12);
  CHECK_EQ(ben.page.Pending(), 0);
  story.Converge();
}

TEST_CASE("hole 5: a window misses the refusal of what it shows") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");
  story.Settle();
  // Anna's device has not heard of it, else it would refuse her lamp itself.
  Window& carla = story.AddDevice().OpenWindow("carla");
  carla.page.Creates("items", "her lamp", {{"u", 1}});
  story.Settle();

  // Both windows show Anna's lamp, until the server refuses it: `u` is unique.
  // (The pull that brings Carla's lamp has a record, too.)
  for (int records = 0; records < 2; ++records) ben.page.Miss("record");
  anna.page.Creates("items", "my lamp", {{"u", 1}});
  story.Settle();
  CHECK_EQ(story.device().Count("conflicts"), 1);
  CHECK_FALSE(anna.page.Sees("items", "my lamp"));
  CHECK(ben.page.Sees("items", "my lamp"));

  // The next record shows Ben's window that one is missing, and it reads again.
  anna.page.Creates("items", "my chair", {});
  story.Settle();
  CHECK(ben.page.Sees("items", "my chair"));
  CHECK_FALSE(ben.page.Sees("items", "my lamp"));
  story.Converge();
}

TEST_CASE("hole 6: a window ends between storing a mutation and notifying the others") {
  Story story;
  story.has_sockets = true;
  Window& ben = story.OpenWindow("ben");
  Window& anna = story.OpenWindow("anna");
  story.Pass(10'000);

  anna.page.Hold(Step::kOutcome);
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();
  CHECK_EQ(story.device().Count("mutations"), 1);

  SUBCASE("it is killed: the worker with the socket counts what is stored, once a minute") {
    anna.Crash();
    story.Settle();
    CHECK_FALSE(story.server.Has("items", "eggs"));
    story.Pass(120'000);
  }
  SUBCASE("it is closed, and says so: the others look at once") {
    anna.Leave();
    story.Pass(1'000);
  }
  CHECK_EQ(story.server.Number("eggs"), 10);
  CHECK_EQ(ben.page.Number("eggs"), 10);
  story.Converge();
}

}  // namespace skerry::spec
