// Goal: a window loads (docs/design.md, "Images") without a gap between image and records, under
// damaged and missing images, storage that fails, and records of newer versions. Method: scripted
// windows (tab_fixture.h).
#include "base/bytes.h"
#include "base/checksum.h"
#include "doctest/doctest.h"
#include "log/mutation_record.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("ignores records beyond the last number, and loads the image without a problem") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 3));
  world.A().Settle();
  ConfirmAll(&world.storage);
  for (const uint64_t key : {world.storage.n() + 1, world.storage.n() + 7}) {
    world.storage.updates[key] = Data::Object{{"v", 1}, {"n", 1}, {"body", "nonsense"}};
  }
  world.B().Reopen();
  world.B().Settle();
  REQUIRE(world.B().ready());
  CHECK_FALSE(Noted(world.B(), "dataLost"));
  CHECK_EQ(Count(world.B()), 3);
}

TEST_CASE("counts a mutation once on a cold start when one of two realms has confirmed it") {
  Storage storage;
  // The image has the log of A, with the pending mutation's 3.
  Publish(&storage, "g0", 0, 3);
  Mutation mutation;
  mutation.action = {"00000000-0000-7000-8000-000000000001", "edit", "null", 1000};
  mutation.base = {{"A", 0}, {"B", 0}};
  mutation.ops = {MakeOp(OpKind::kInc, kGroupTable, "g"),
                  MakeOp(OpKind::kCreate, kPersonTable, "p", {{"name", "Anna"}}, "B")};
  mutation.ops[0].add = {{Prop(kGroupTable, "count"), 3}};
  for (Op& op : mutation.ops) op.by = {0};
  storage.mutations[1] = MakeMutationRecord(TestSchema(), mutation).Write();
  storage.outbox["u"] = Data::Object{
      {"id", "u"},
      {"confirmed", Data::Array{"A"}},
      {"mutations", Data::Array{Data::Object{{"id", mutation.action.id}, {"key", 1}}}}};
  Window window(&storage, "a");
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 3);
  CHECK(window.See(kPersonTable, "p").has_value());
  // Nor does a later reading.
  window.Event(Data::Object{{"type", "timer"}, {"name", "reread"}});
  window.Settle();
  CHECK_EQ(Count(window), 3);
}

TEST_CASE("applies a message that comes after an opening window has read") {
  Pair world;
  Window late(&world.storage, "late");
  Next(late);
  late.LoadImage();
  late.Run();
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  late.Hear(Message(world.A(), "added"));
  late.Notify();
  REQUIRE(late.ready());
  CHECK_EQ(Count(late), 1);
}

TEST_CASE("loads again when there is a gap between the image and the records") {
  Storage storage;
  Publish(&storage, "g0", 0);
  Window window(&storage, "a");
  Next(window);
  window.LoadImage();
  // Two image jobs pass before the records are read: those that would continue g0 are gone.
  storage.Work({}, {}, {});
  storage.Work({}, {}, {});
  Publish(&storage, "g1", 1, 1);
  Publish(&storage, "g2", 2, 2);
  CHECK_EQ(storage.updates.size(), 1);
  Next(window);
  CHECK_FALSE(window.ready());
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 2);
  CHECK_EQ(window.client().tab().mirror().n(), 2);
}

TEST_CASE("loads the image in a window left behind, with the old view on screen until then") {
  Pair world;
  const std::string id = world.B().Do(kInc, kGroupTable, "g", One("count", 100));
  for (int i = 0; i < 3; ++i) world.storage.Work({}, {}, {});
  Publish(&world.storage, "g2", 2, 2);
  Publish(&world.storage, "g3", 3, 3);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  while (!world.B().CanLoad()) {
    world.B().Run();
    world.B().Notify();
    CHECK_EQ(Count(world.B()), 100);
  }
  CHECK_EQ(world.B().state["phase"].as_string(), "loading");
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 103);
  CHECK_EQ(Stage(world.B(), id, "durable"), "ok");
}

TEST_CASE("falls back to the previous image and its records when an image is damaged") {
  Storage storage;
  Publish(&storage, "g0", 0);
  Window writer(&storage, "w");
  writer.Settle();
  writer.Do(kInc, kGroupTable, "g", One("count", 1));
  writer.Settle();
  ConfirmAll(&storage);
  Publish(&storage, "g1", 1, 1);
  std::string& part = storage.images["g1"][0];
  part.data()[part.size() / 2] ^= 1;
  Window window(&storage, "a");
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 1);
  CHECK_FALSE(Noted(window, "dataLost"));
}

TEST_CASE("reports an image of a newer format and fails to open, without giving it up") {
  Storage storage;
  Publish(&storage, "g0", 0, 4);
  std::string& image = storage.images["g0"][0];
  image.data()[8] = 3;  // the format
  SUBCASE("a whole image") {
    image.resize(image.size() - 8);
    PutU64(&image, Xxh64(image));
  }
  SUBCASE("a damaged one is given up") {
    Window window(&storage, "a");
    window.Settle();
    CHECK(window.ready());
    return;
  }
  Window window(&storage, "a");
  window.Settle();
  CHECK_FALSE(window.ready());
  CHECK(Noted(window, "openFailed"));
  CHECK(Noted(window, "updateNeeded"));
  CHECK_EQ(storage.sync["image"]["generation"].as_string(), "g0");
}

TEST_CASE("continues after a newer version has opened the database, and reports it") {
  Storage storage;
  Publish(&storage, "g0", 0, 4);
  storage.sync.Set("schema", TestSchema().version() + 1);
  Window window(&storage, "a");
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 4);
  CHECK(Noted(window, "updateNeeded"));
}

TEST_CASE("loads from the records alone when the first image is lost") {
  Storage storage;
  Window writer(&storage, "w");
  writer.Settle();
  writer.Do(kCreate, kPersonTable, "p", One("name", "Ada"));
  writer.Settle();
  ConfirmAll(&storage);
  storage.Publish("g1", Base(&TestSchema()), 1);
  storage.images.clear();
  SUBCASE("shows the rows of the records") {
    Window window(&storage, "a");
    window.Settle();
    REQUIRE(window.ready());
    CHECK_FALSE(Noted(window, "dataLost"));
    CHECK(window.See(kPersonTable, "p").has_value());
  }
  SUBCASE("loses data if a record's rows came with an image") {
    storage.updates.at(1).Set("generation", "g1");
    Window window(&storage, "a");
    window.Settle();
    REQUIRE(window.ready());
    CHECK(Noted(window, "dataLost"));
  }
}

TEST_CASE("starts empty without any image: cursors are reset, pending mutations stay") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  ConfirmAll(&world.storage);
  Publish(&world.storage, "g1", 1, 1);
  world.A().Do(kCreate, kPersonTable, "p", One("name", "Ada"));
  world.A().Settle();
  world.storage.images.clear();
  Window window(&world.storage, "c");
  window.Settle();
  REQUIRE(window.ready());
  CHECK(Noted(window, "dataLost"));
  CHECK_EQ(Count(window), -1);
  CHECK(window.See(kPersonTable, "p").has_value());
  CHECK(world.storage.sync["cursors"].members().empty());
  CHECK_EQ(world.storage.mutations.size(), 1);
  // The next image job removes what is left of the images that were given up. The records go at once.
  CHECK(world.storage.sync["leftover"].as_bool());
  CHECK_EQ(world.storage.updates.size(), 1);
  // The record empties the open windows, so that the next fill has the same effect in all windows.
  world.A().Hear(Message(window, "record"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), -1);
  CHECK(world.A().See(kPersonTable, "p").has_value());
  // A second start finds the empty image, and loses nothing more.
  Window again(&world.storage, "d");
  again.Settle();
  CHECK(again.ready());
  CHECK_FALSE(Noted(again, "dataLost"));
}

TEST_CASE("empties a realm that waits to be filled again, though it has no cursor") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  ConfirmAll(&world.storage);
  Publish(&world.storage, "g1", 1, 1);
  // As after an answer 410.
  world.storage.sync.Set("cursors", Data::MakeObject()).Set("refill", Data::Array{"A"});
  world.storage.images.clear();
  Window window(&world.storage, "c");
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), -1);
  world.A().Hear(Message(window, "record"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), -1);
}

TEST_CASE("gives up images reported as unreadable only if this window cannot read them") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  ConfirmAll(&world.storage);
  Publish(&world.storage, "g1", 1, 1);
  world.A().Event(Data::Object{{"type", "resume"}});
  world.A().Settle();
  const int count = Count(world.A());
  const auto hear = [&] {
    world.A().Hear(Data::Object{{"type", "unreadable"}});
    world.A().Settle();
  };
  hear();
  CHECK_EQ(Count(world.A()), count);
  CHECK_FALSE(Noted(world.A(), "dataLost"));
  CHECK_EQ(world.storage.sync["image"]["generation"].as_string(), "g1");
  world.storage.images.clear();
  hear();
  CHECK(Noted(world.A(), "dataLost"));
  CHECK_EQ(Count(world.A()), -1);
  CHECK(world.storage.sync["image"]["parts"].items().empty());
}

TEST_CASE("reads a record that no message announced when its number is heard") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  ConfirmAll(&world.storage);  // and the worker that stored it dies
  const uint64_t n = world.storage.n();
  const auto heard = [&](uint64_t number) {
    world.A().Hear(Data::Object{{"type", "status"}, {"n", number}});
    world.A().Settle();
  };
  heard(n - 1);
  CHECK_FALSE(world.A().timers.contains("reread"));
  heard(n);
  REQUIRE(world.A().timers.contains("reread"));
  world.A().Event(Data::Object{{"type", "timer"}, {"name", "reread"}});
  world.A().Settle();
  CHECK_EQ(world.A().client().tab().mirror().n(), n);
}

TEST_CASE("keeps an image while storage cannot be read") {
  Storage storage;
  Publish(&storage, "g0", 0, 4);
  Window window(&storage, "a");
  Next(window);
  window.FailAll();
  CHECK(Noted(window, "openFailed"));
  window.Event(Data::Object{{"type", "open"}});
  window.Settle();
  CHECK(window.ready());
  CHECK_EQ(Count(window), 4);
}

TEST_CASE("reports an unreadable image in openFailed, with name and message") {
  Storage storage;
  Publish(&storage, "g0", 0, 4);
  Window window(&storage, "a");
  Next(window);
  window.Event(
      Data::Object{{"type", "imageLoaded"},
                   {"generation", "g0"},
                   {"ok", false},
                   {"error", Data::Object{{"code", "storage_timeout"}, {"detail", "too slow"}}}});
  bool notified = false;
  for (const Data& effect : window.notes) {
    if (!effect["type"].Is("openFailed")) continue;
    notified = true;
    CHECK_EQ(effect["error"]["name"].as_string(), "storage_timeout");
    CHECK_EQ(effect["error"]["message"].as_string(), "too slow");
  }
  CHECK(notified);
}

TEST_CASE("treats the record of an image fill as a gap unless that image was loaded") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  record.Set("kind", "image").Set("generation", "g1");
  world.storage.updates[1] = record;
  Publish(&world.storage, "g1", 1, 9);
  world.storage.updates[1] = record;
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK_EQ(Count(world.B()), 0);
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 9);
  CHECK_EQ(world.B().client().tab().mirror().n(), 1);
}

TEST_CASE("does not show an older image that the records do not continue") {
  Pair world;
  world.storage.Work({}, {}, {});
  Publish(&world.storage, "g1", 1, 1);
  // A fill whose image is lost: the image before it is left.
  Data fill = world.storage.Work({}, {}, {});
  Publish(&world.storage, "g2", 2, 2);
  world.storage.updates[2] = fill.Set("kind", "image").Set("generation", "g2");
  world.storage.images.erase("g2");
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  for (int step = 0; world.storage.sync["image"]["generation"].Is("g2"); ++step) {
    REQUIRE(step < 100);
    CHECK_EQ(Count(world.B()), 0);
    CHECK_EQ(world.B().client().tab().mirror().n(), 0);
    if (world.B().CanNotify()) {
      world.B().Notify();
    } else if (world.B().CanRun()) {
      world.B().Run();
    } else {
      REQUIRE(world.B().CanLoad());
      world.B().LoadImage();
    }
  }
}

TEST_CASE("leaves a record of a newer version alone, and reports it once") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  record.Set("v", 2);
  world.storage.updates[1] = record;
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK_EQ(world.B().notes.size(), 1);
  CHECK(Noted(world.B(), "updateNeeded"));
  CHECK_EQ(world.B().client().tab().mirror().n(), 0);
}

TEST_CASE("reports a stored mutation of a newer version, and shows the rest") {
  Storage storage;
  Publish(&storage, "g0", 0, 5);
  storage.mutations[7] = Data::Object{{"v", 2}, {"id", "of a later version"}};
  Window window(&storage, "a");
  window.Settle();
  CHECK(window.ready());
  CHECK(Noted(window, "updateNeeded"));
  CHECK_EQ(Count(window), 5);
  CHECK_EQ(storage.mutations.count(7), 1);
}

}  // namespace skerry::client_test
