// Overwritten changes (docs/design.md): who had not seen a change and makes another one over it does what
// the log says, last, and the author of the first one is told in his inbox.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/conflict_record.h"
#include "test/spec/support/story.h"

namespace skerry::spec {
namespace {

// The inbox of a device: "id reason mine;".
std::string InboxOf(Device& device) {
  std::string text;
  for (const auto& [key, entry] : device.storage.store("conflicts"))
    text += entry["id"].as_string() + ' ' + entry["reason"].as_string() + ' ' +
            WriteJson(entry["mine"]) + ';';
  return text;
}

// Anna and Carla with devices of their own, and a lamp that both have.
struct TwoPeople {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Device& hers = story.AddDevice();
  Window& carla = hers.OpenWindow("carla");

  TwoPeople() {
    anna.page.Creates("items", "lamp", {{"n", 1}, {"u", 1}});
    story.Settle();
    carla.Sync();
    story.Settle();
    REQUIRE(carla.page.Sees("items", "lamp"));
  }
  // Anna's change is in the log before Carla's, whose device has not heard of it.
  void BothChange(Props annas, Props carlas) {
    carla.worker->Hold(Step::kPull);
    anna.page.Changes("items", "lamp", std::move(annas));
    carla.page.Changes("items", "lamp", std::move(carlas));
    story.Settle();
    carla.worker->Release();
    Meet();
  }
  void Meet() {
    for (int i = 0; i < 2; ++i) {
      carla.Sync();
      anna.Sync();
      story.Settle();
    }
  }
  std::string AnnasInbox() { return InboxOf(story.device()); }
};

TEST_CASE("a change that somebody overwrites unseen is in its author's inbox, once") {
  TwoPeople world;
  world.BothChange({{"n", 2}}, {{"n", 3}});
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":2};)");
  CHECK_EQ(InboxOf(world.hers), "");
  world.Meet();
  CHECK_EQ(world.story.device().Count("conflicts"), 1);
  CHECK_EQ(world.anna.page.Number("lamp"), 3);
  world.story.Converge();
}

TEST_CASE("only what has another value now was overwritten") {
  TwoPeople world;
  SUBCASE("not if it is the same value") {
    world.BothChange({{"n", 2}}, {{"n", 2}});
    CHECK_EQ(world.AnnasInbox(), "");
  }
  SUBCASE("not if it is another prop") {
    world.BothChange({{"n", 2}}, {{"note", "old"}});
    CHECK_EQ(world.AnnasInbox(), "");
  }
  SUBCASE("of several props those alone") {
    world.BothChange({{"n", 2}, {"note", "new"}}, {{"n", 3}, {"u", 7}});
    CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":2};)");
  }
  SUBCASE("a prop that was cleared") {
    world.BothChange({{"u", 5}}, {{"u", Data()}});
    CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"u":5};)");
  }
  SUBCASE("one that its author had cleared") {
    world.BothChange({{"u", Data()}}, {{"u", 5}});
    CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"u":null};)");
  }
  world.story.Converge();
}

TEST_CASE("who has seen a change overwrites it knowingly") {
  TwoPeople world;
  world.anna.page.Changes("items", "lamp", {{"n", 2}});
  world.story.Settle();
  world.Meet();
  REQUIRE_EQ(world.carla.page.Number("lamp"), 2);
  world.carla.page.Changes("items", "lamp", {{"n", 3}});
  world.story.Settle();
  world.Meet();
  CHECK_EQ(world.anna.page.Number("lamp"), 3);
  CHECK_EQ(world.AnnasInbox(), "");
  world.BothChange({{"n", 4}}, {{"n", 5}});
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":4};)");
  world.story.Converge();
}

TEST_CASE("a change of a row that somebody deletes unseen was overwritten") {
  TwoPeople world;
  world.carla.worker->Hold(Step::kPull);
  world.anna.page.Changes("items", "lamp", {{"n", 2}});
  world.carla.page.Deletes("items", "lamp");
  world.story.Settle();
  world.carla.worker->Release();
  world.Meet();
  CHECK_FALSE(world.anna.page.Sees("items", "lamp"));
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":2};)");
  world.story.Converge();
}

// It found nothing to change.
TEST_CASE("a change that came after a deletion was not overwritten, but is told as lost") {
  TwoPeople world;
  Window& dora = world.story.AddDevice().OpenWindow("dora");
  world.story.Settle();
  world.carla.worker->Hold(Step::kPull);
  world.anna.page.Changes("items", "lamp", {{"note", "seen by nobody"}});
  world.story.Settle();
  world.anna.Sync();
  world.story.Settle();
  world.anna.worker->Hold(Step::kPush);
  world.anna.page.Changes("items", "lamp", {{"n", 2}});
  world.carla.page.Deletes("items", "lamp");
  world.story.Settle();
  world.anna.worker->Hold(Step::kPull);
  world.anna.worker->Release(Step::kPush);
  world.story.Settle();
  dora.page.Creates("items", "chair", {{"n", 1}});
  world.story.Settle();
  world.anna.worker->Release();
  world.carla.worker->Release();
  world.Meet();
  CHECK_EQ(world.AnnasInbox(),
           R"(lamp row_deleted {"n":2};lamp overwritten {"note":"seen by nobody"};)");
}

TEST_CASE("of several own changes the last one of a prop was overwritten") {
  TwoPeople world;
  world.carla.worker->Hold(Step::kPull);
  world.anna.page.Changes("items", "lamp", {{"n", 2}, {"note", "new"}});
  world.story.Settle();
  world.anna.page.Changes("items", "lamp", {{"n", 3}});
  world.carla.page.Changes("items", "lamp", {{"n", 4}, {"note", "hers"}});
  world.story.Settle();
  world.carla.worker->Release();
  world.Meet();
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"note":"new"};lamp overwritten {"n":3};)");
  world.story.Converge();
}

TEST_CASE("an own deletion, or an amount that was added, is nobody's to overwrite") {
  TwoPeople world;
  SUBCASE("an amount") {
    world.carla.worker->Hold(Step::kPull);
    world.anna.page.Adds("lamp", 2);
    world.carla.page.Changes("items", "lamp", {{"n", 10}});
  }
  SUBCASE("a change before the own deletion") {
    world.carla.worker->Hold(Step::kPull);
    world.anna.page.Changes("items", "lamp", {{"n", 2}});
    world.story.Settle();
    world.anna.page.Deletes("items", "lamp");
    world.carla.page.Deletes("items", "lamp");
  }
  world.story.Settle();
  world.carla.worker->Release();
  world.Meet();
  CHECK_EQ(world.AnnasInbox(), "");
  world.story.Converge();
}

TEST_CASE("of one row and the same props the last entry stays") {
  TwoPeople world;
  world.BothChange({{"n", 2}, {"note", "a"}}, {{"n", 3}, {"note", "b"}});
  world.BothChange({{"n", 4}}, {{"n", 5}});
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":2,"note":"a"};lamp overwritten {"n":4};)");
  world.BothChange({{"n", 6}, {"note", "c"}}, {{"n", 7}, {"note", "d"}});
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":6,"note":"c"};)");
  // Her window shows what is stored.
  CHECK_EQ(world.anna.page.Conflicts(), 1);
  world.story.Converge();
}

TEST_CASE("each object of a change has an entry of its own") {
  TwoPeople world;
  world.anna.page.Creates("items", "chair", {{"n", 1}});
  world.story.Settle();
  world.Meet();
  world.carla.worker->Hold(Step::kPull);
  world.anna.page.DoesAtOnce([&] {
    world.anna.page.Changes("items", "lamp", {{"n", 2}});
    world.anna.page.Changes("items", "chair", {{"n", 3}});
  });
  // She does so twice, and each pull brings one of both.
  world.story.mutations_per_update = 1;
  world.carla.page.Changes("items", "chair", {{"n", 5}});
  world.carla.page.Changes("items", "chair", {{"n", 6}});
  world.story.Settle();
  world.story.server.SendAtMost(1, "A");
  world.carla.worker->Release();
  world.Meet();
  CHECK_EQ(world.anna.page.Number("chair"), 6);
  CHECK_EQ(world.AnnasInbox(), R"(chair overwritten {"n":3};)");
  world.story.Converge();
}

TEST_CASE("a change is watched for thirty days") {
  constexpr double kDay = 86'400'000;
  TwoPeople world;
  world.carla.worker->Hold(Step::kPull);
  world.anna.page.Changes("items", "lamp", {{"n", 2}});
  world.carla.page.Changes("items", "lamp", {{"n", 3}});
  world.story.Settle();
  SUBCASE("") { world.story.Sleep(29 * kDay); }
  SUBCASE("") { world.story.Sleep(31 * kDay); }
  const bool is_old = world.story.mono() > 30 * kDay;
  world.carla.worker->Release();
  world.Meet();
  CHECK_EQ(world.AnnasInbox(), is_old ? "" : R"(lamp overwritten {"n":2};)");
  CHECK_EQ(world.anna.page.Number("lamp"), 3);
}

TEST_CASE("another window of the device shows the entry, also one that opens later") {
  TwoPeople world;
  Window& ben = world.story.OpenWindow("ben");
  world.BothChange({{"n", 2}}, {{"n", 3}});
  world.anna.Crash();
  world.story.Settle();
  CHECK_EQ(ben.page.Number("lamp"), 3);
  CHECK_EQ(world.AnnasInbox(), R"(lamp overwritten {"n":2};)");
}

}  // namespace
}  // namespace skerry::spec
