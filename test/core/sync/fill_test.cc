// Filling by images of whole realms, and the roll-up of records into images.
#include "base/json.h"
#include "doctest/doctest.h"
#include "sync/image_job.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

constexpr std::string_view kImageAnswer =
    R"({"time":1,"cursors":{},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
  "epoch":1,"hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";

// Another worker claims this lease. Gives its epoch.
uint64_t TakeOver(SyncWorld* world, const char* name) {
  Data lease = world->lease(name);
  const uint64_t epoch = lease["epoch"].as_u64() + 1;
  world->storage.Put("sync", name, lease.Set("owner", "other").Set("epoch", epoch));
  return epoch;
}

struct Filling : SyncWorld {
  Filling() {
    network.scripted.push_back(Scripted(200, kImageAnswer));
    Open(true, Json(R"({"images":true})"));
    Settle();
  }
  void Finish(std::string_view event) {
    Data done = Json(event);
    host(0).Deliver(done.Set("type", "image").Set("id", host(0).image_jobs.back()["id"]));
  }
};

TEST_CASE(
    "a whole realm is filled by the server's image: pointer, cursor and record in one "
    "transaction") {
  Filling world;
  REQUIRE(world.host(0).image_jobs.size() == 1);
  const Data job = world.host(0).image_jobs[0]["job"];
  CHECK(job["kind"].as_string() == "fill");
  CHECK(job["roll"] == Data(false));
  CHECK(job["fetch"]["checksum"].as_string() == "0123456789abcdef");
  CHECK(world.host(0).status["phase"].as_string() == "filling");
  CHECK(world.lease()["owner"].is_string());
  CHECK(world.pull_bodies.size() == 1);  // nothing is pulled meanwhile
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"A":"7@70"},"changes":[]})"));
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  const Data sync = world.sync();
  CHECK(sync["cursors"]["A"].as_string() == "7@70");
  CHECK(sync["image"]["generation"] == job["generation"]);
  CHECK(sync["image"]["cursors"]["A"].as_string() == "7@70");
  CHECK(sync["image"]["n"].as_number() == 0);
  CHECK(sync["scopes"].items()[0]["filled"] == Data(true));
  CHECK(sync["generations"].items().empty());
  const Data record = world.storage.Get("updates", sync["n"]);
  CHECK(record["kind"].as_string() == "image");
  CHECK(record["generation"] == job["generation"]);
  CHECK(Json(world.pull_bodies[1])["cursors"]["A"].as_string() == "7@70");
}

TEST_CASE(
    "the image of a realm that was pulled while it was empty is rolled with the records: the page "
    "that said so must not empty it again") {
  SyncWorld world;
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"0@0"},"changes":[],
    "fills":[{"table":"items","where":["true"],"above":"","upto":null,"realms":["A"],"ids":[]}]})"));
  world.network.scripted.push_back(Scripted(200, kImageAnswer));
  world.Open(true, Json(R"({"images":true})"));
  world.Settle();
  world.host(0).Deliver(Json(R"({"type":"message","message":{"type":"wake","reason":"test"}})"));
  world.Settle();
  REQUIRE(world.host(0).image_jobs.size() == 1);
  const Data job = world.host(0).image_jobs[0]["job"];
  CHECK(job["roll"] == Data(true));
  CHECK(job["upto"].as_u64() == 1);
}

TEST_CASE("mutations are pushed while an image is on its way") {
  Filling world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.pull_bodies.size() == 1);
}

TEST_CASE("an image that was fetched under a lost lease is not made the pointer") {
  Filling world;
  world.claims[TakeOver(&world, "push")] = "other";
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  CHECK(world.sync()["image"].is_null());
  CHECK(world.sync()["cursors"].members().empty());
}

TEST_CASE("a fill that began from another pointer than the present one is thrown away") {
  Filling world;
  Data sync = world.sync();
  const Data other = Json(R"({"generation":"other","parts":[],"n":0,"cursors":{}})");
  world.storage.Put("sync", "sync", sync.Set("image", other));
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  CHECK(world.sync()["image"] == other);
  CHECK(world.storage.Count("updates") == 0);
  CHECK(world.pull_bodies.size() >= 2);  // the realm is asked for again
}

TEST_CASE(
    "a fill that was asked for with other scopes is thrown away: some of its rows may not be "
    "wanted") {
  Filling world;
  world.host(0).Post(
      Json(R"({"type":"scopes","drop":[{"table":"items","where":["true"]}],"add":[]})"));
  world.Settle();
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  CHECK(world.sync()["image"].is_null());
  CHECK(world.sync()["scopes"].items().empty());
}

TEST_CASE("a fill that fails is tried again, and says what went wrong") {
  Filling world;
  world.Finish(R"({"error":{"name":"checksum","message":"the file is damaged"}})");
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "image");
  CHECK(world.lease()["owner"].is_null());
  world.network.scripted.push_back(Scripted(200, kImageAnswer));
  world.Run(10000);
  REQUIRE(world.host(0).image_jobs.size() >= 2);
  CHECK(world.host(0).image_jobs.back()["job"]["kind"].as_string() == "fill");
}

TEST_CASE("a fill over an image that cannot be read is rolled up with the image before next time") {
  Filling world;
  const auto pointer = [](const char* generation, uint64_t n) {
    Data made = Json(R"({"parts":[{"file":"rows","bytes":10}],"cursors":{},"recordBytes":0})");
    made.Set("generation", generation).Set("n", n);
    return made;
  };
  Data sync = world.sync();
  const Data first = pointer("first", 0);
  const Data second = pointer("second", 0);
  world.storage.Put("sync", "sync", sync.Set("image", second).Set("previous", first));
  constexpr std::string_view kDone =
      R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})";
  const auto refilled = [&] {
    world.network.scripted.push_back(Scripted(200, kImageAnswer));
    world.Run(10'000);
    return world.host(0).image_jobs.back()["job"];
  };
  world.Finish(kDone);  // of an image that is not the present one any more
  CHECK(refilled()["from"] == second);
  world.Finish(R"({"error":{"name":"corrupt","message":""}})");
  const Data job = refilled();
  CHECK(job["from"] == first);
  world.Finish(kDone);
  world.Settle();
  CHECK(world.sync()["image"]["generation"] == job["generation"]);
  CHECK(world.sync()["previous"] == first);
  bool is_listed = false;
  const Data after = world.sync();
  for (const Data& entry : after["generations"].items())
    is_listed = is_listed || entry["generation"] == second["generation"];
  CHECK(is_listed);
}

// Found by the simulator (seed 3026): a worker stood still before it wrote what it had begun.
TEST_CASE(
    "an image that comes to nothing because another worker took over is deleted by its maker") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  for (int i = 0; i < 10 && world.host(0).image_jobs.empty(); ++i) {
    world.Mutate({IncItem("a", "A", 1)});
    world.Run(1000);
  }
  REQUIRE(world.host(0).image_jobs.size() == 1);
  const Data roll = world.host(0).image_jobs[0];
  TakeOver(&world, "image");
  Data sync = world.sync();
  world.storage.Put("sync", "sync", sync.Set("generations", Data::MakeArray()));
  Data done = Json(R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})");
  world.host(0).Deliver(done.Set("type", "image").Set("id", roll["id"]));
  world.Settle();
  REQUIRE(world.host(0).image_jobs.size() >= 2);
  const Data job = world.host(0).image_jobs[1]["job"];
  CHECK(job["kind"].Is("delete"));
  REQUIRE(job["generations"].items().size() == 1);
  CHECK(job["generations"].items()[0] == roll["job"]["generation"]);
  CHECK(world.sync()["image"].is_null());
}

TEST_CASE("a fill that comes to nothing because another worker took over is deleted by its maker") {
  Filling world;
  const Data fill = world.host(0).image_jobs[0]["job"];
  world.claims[TakeOver(&world, "push")] = "other";
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  REQUIRE(world.host(0).image_jobs.size() == 2);
  const Data job = world.host(0).image_jobs[1]["job"];
  CHECK(job["kind"].Is("delete"));
  CHECK(job["generations"].items()[0] == fill["generation"]);
}

TEST_CASE("the smaller an image, the fewer bytes of records are rolled up into it") {
  const auto worth = [](double image_bytes, double record_bytes) {
    Data part = Data::MakeObject();
    Data parts = Data::MakeArray();
    parts.Push(std::move(part.Set("bytes", image_bytes)));
    Data image = Data::MakeObject();
    image.Set("n", 5).Set("recordBytes", 1000).Set("parts", std::move(parts));
    Data sync = Data::MakeObject();
    sync.Set("n", 10).Set("recordBytes", 1000 + record_bytes).Set("image", std::move(image));
    return WorthRolling(sync, {});
  };
  constexpr double kMega = 1 << 20;
  CHECK(worth(0, kMega / 4));
  CHECK_FALSE(worth(0, kMega / 4 - 1));
  CHECK(worth(8 * kMega, 2 * kMega));
  CHECK_FALSE(worth(8 * kMega, 2 * kMega - 1));
  CHECK(worth(100 * kMega, 4 * kMega));
  CHECK_FALSE(worth(100 * kMega, 4 * kMega - 1));
}

TEST_CASE("records are rolled up when no more have come for a second, or when they are too many") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  for (int i = 0; i < 10; ++i) {
    world.Mutate({IncItem("a", "A", 1)});
    world.Run(500);
  }
  REQUIRE(world.sync()["n"].as_u64() >= 10);
  CHECK(world.host(0).image_jobs.empty());
  world.Run(1000);
  CHECK(world.host(0).image_jobs.size() == 1);

  SyncWorld busy;
  busy.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  busy.Settle();
  while (busy.host(0).image_jobs.empty()) {
    REQUIRE(busy.sync()["n"].as_u64() < 40);
    busy.Mutate({IncItem("a", "A", 1)});
    busy.Run(500);
  }
  CHECK(busy.sync()["n"].as_u64() >= 24);
}

TEST_CASE(
    "records are rolled up under the lease image, and only up to the previous generation are they "
    "removed") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  uint64_t first_upto = 0;
  for (int round = 0; round < 3; ++round) {
    const size_t jobs = world.host(0).image_jobs.size();
    for (int i = 0; i < 10 && world.host(0).image_jobs.size() == jobs; ++i) {
      world.Mutate({IncItem("a", "A", 1)});
      world.Run(1000);
    }
    REQUIRE(world.host(0).image_jobs.size() == jobs + 1);
    const Data job = world.host(0).image_jobs.back()["job"];
    CHECK(job["kind"].as_string() == "roll");
    CHECK(world.lease("image")["owner"].as_string() == "tab-0");
    Data done = Json(R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})");
    world.host(0).Deliver(
        done.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
    world.Settle();
    CHECK(world.sync()["image"]["generation"] == job["generation"]);
    if (round == 0) {
      first_upto = job["upto"].as_u64();
      CHECK(world.storage.store("updates").begin()->first.number ==
            1);  // no previous image: every record stays
    } else if (round == 1) {
      CHECK(world.storage.store("updates").begin()->first.number ==
            static_cast<double>(first_upto + 1));
    } else {
      // What was previous before is deleted, and forgotten when that is done.
      const Data last = world.host(0).image_jobs.back()["job"];
      REQUIRE(last["kind"].as_string() == "delete");
      CHECK(last["generations"].items().size() == 1);
      Data gone = Json(R"({"parts":[]})");
      world.host(0).Deliver(
          gone.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
      world.Settle();
      CHECK(world.sync()["generations"].items().empty());
      CHECK(world.lease("image")["owner"].is_null());
    }
  }
}

TEST_CASE(
    "where a roll fails the next begins from the previous image, and what failed does not heap "
    "up") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  const auto answer = [&](std::string_view with) {
    Data event = Json(with);
    world.host(0).Deliver(
        event.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
    world.Settle();
  };
  const auto roll = [&](std::string_view with) {
    for (int i = 0; i < 10; ++i) {
      if (!world.host(0).image_jobs.empty() &&
          world.host(0).image_jobs.back()["job"]["kind"].Is("roll") &&
          world.host(0).image_jobs.back()["job"]["generation"] !=
              world.sync()["image"]["generation"])
        break;
      world.Mutate({IncItem("a", "A", 1)});
      world.Run(1000);
    }
    const Data job = world.host(0).image_jobs.back()["job"];
    REQUIRE(job["kind"].Is("roll"));
    answer(with);
  };
  constexpr std::string_view kDone =
      R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})";
  constexpr std::string_view kCorrupt = R"({"error":{"name":"corrupt","message":""}})";
  roll(kDone);
  const Data first = world.sync()["image"];
  roll(kDone);
  const Data second = world.sync()["image"];
  REQUIRE(world.sync()["previous"] == first);
  roll(kCorrupt);
  world.Run(70'000);
  REQUIRE(world.host(0).image_jobs.back()["job"]["kind"].Is("delete"));
  answer(R"({"parts":[]})");
  const Data job = world.host(0).image_jobs.back()["job"];
  REQUIRE(job["kind"].Is("roll"));
  CHECK(job["from"] == first);
  CHECK(world.sync()["generations"].items().size() == 1);
  answer(kDone);
  CHECK(world.sync()["image"]["generation"] == job["generation"]);
  CHECK(world.sync()["previous"] == first);
  const Data last = world.host(0).image_jobs.back()["job"];
  REQUIRE(last["kind"].Is("delete"));
  CHECK(last["generations"].items()[0] == second["generation"]);
}

TEST_CASE("an image that holds a realm as the server sent it is not passed over") {
  CHECK(HasRealmFile(Json(R"({"parts":[{"file":"realm"},{"file":"rows"}]})")));
  CHECK_FALSE(HasRealmFile(Json(R"({"parts":[{"file":"rows"}]})")));
  CHECK_FALSE(HasRealmFile(Data()));
}

}  // namespace
}  // namespace skerry::sync_test
