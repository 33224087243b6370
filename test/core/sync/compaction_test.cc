// Goal: records are compacted into images at the right time, and removed only when no image needs
// them.
#include <algorithm>

#include "base/json.h"
#include "doctest/doctest.h"
#include "sync/image_job.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("compacts after fewer bytes of records when the image is smaller") {
  const auto worth = [](double image_bytes, double record_bytes) {
    SyncRecord sync;
    sync.n = 10;
    sync.record_bytes = 1000 + static_cast<uint64_t>(record_bytes);
    ImagePointer& image = sync.image.emplace();
    image.n = 5;
    image.record_bytes = 1000;
    image.parts.emplace_back().bytes = static_cast<uint64_t>(image_bytes);
    return IsCompactionDue(sync, {}, "layout");
  };
  constexpr double kMega = 1 << 20;
  CHECK(worth(0, kMega / 4));
  CHECK_FALSE(worth(0, kMega / 4 - 1));
  CHECK(worth(8 * kMega, 2 * kMega));
  CHECK_FALSE(worth(8 * kMega, 2 * kMega - 1));
  CHECK(worth(100 * kMega, 4 * kMega));
  CHECK_FALSE(worth(100 * kMega, 4 * kMega - 1));
}

TEST_CASE("compacts records after a second without new ones, or when they are too many") {
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

TEST_CASE("compacts what windows without a remote have logged when a worker is notified") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true})"));
  world.Settle();
  Data logged = Json(R"({"type":"logged","n":1,"cursors":{"local":"1@5"}})");
  logged.Set("recordBytes", 1 << 20);
  Data sync = world.sync();
  for (const char* name : {"n", "cursors", "recordBytes"}) sync.Set(name, logged[name]);
  world.storage.store("sync")[StoreKey(Data("sync"))] = std::move(sync);
  world.host(0).Deliver(Json(R"({"type":"message"})").Set("message", std::move(logged)));
  world.Run(3000);
  REQUIRE(world.host(0).image_jobs.size() == 1);
  CHECK(world.host(0).image_jobs[0]["job"]["upto"].as_u64() == 1);
}

TEST_CASE("compacts under the lease `image`, removes records up to the previous image only") {
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
    CHECK(job["kind"].as_string() == "compact");
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
      // What was the previous image is removed from its mount.
      const Data last = world.host(0).image_jobs.back()["job"];
      REQUIRE(last["kind"].as_string() == "empty");
      CHECK(last["mounts"] == Json(R"(["1"])"));
      CHECK(last["number"] == job["number"]);
      CHECK(last["generations"].is_null());
      CHECK(world.sync()["leftover"].as_bool());
      Data gone = Json(R"({"parts":[]})");
      world.host(0).Deliver(
          gone.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
      world.Settle();
      CHECK_FALSE(world.sync()["leftover"].as_bool());
      CHECK(world.lease("image")["owner"].is_null());
    }
  }
}

TEST_CASE("makes two images at once after a realm was revoked, and keeps no older record") {
  SyncWorld world;
  world.server.Foreign("r", "R", "secret");
  world.Open(true, Json(R"({"images":true})"));
  world.Settle();
  auto& jobs = world.host(0).image_jobs;
  const auto finish = [&] {
    Data done = Json(R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})");
    world.host(0).Deliver(done.Set("type", "image").Set("id", jobs.back()["id"]));
    world.Settle();
  };
  REQUIRE(jobs.empty());
  world.server.revoked.insert("R");
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  const uint64_t n = world.sync()["n"].as_u64();
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0]["job"]["upto"].as_u64() == n);
  finish();
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[1]["job"]["from"]["n"].as_u64() == n);
  finish();
  CHECK(jobs.size() == 2);
  CHECK(world.sync()["previous"]["n"].as_u64() == n);
  CHECK(world.storage.Count("updates") == 0);
  world.Run(10'000);
  CHECK(jobs.size() == 2);
}

TEST_CASE("starts from the previous image after a failed compaction, in the free mount") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  const auto answer = [&](std::string_view with) {
    Data event = Json(with);
    world.host(0).Deliver(
        event.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
    world.Settle();
  };
  const auto compact = [&](std::string_view with) {
    for (int i = 0; i < 10; ++i) {
      if (!world.host(0).image_jobs.empty() &&
          world.host(0).image_jobs.back()["job"]["kind"].Is("compact") &&
          world.host(0).image_jobs.back()["job"]["generation"] !=
              world.sync()["image"]["generation"])
        break;
      world.Mutate({IncItem("a", "A", 1)});
      world.Run(1000);
    }
    const Data job = world.host(0).image_jobs.back()["job"];
    REQUIRE(job["kind"].Is("compact"));
    answer(with);
  };
  constexpr std::string_view kDone =
      R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})";
  constexpr std::string_view kCorrupt = R"({"error":{"name":"corrupt","message":"torn"}})";
  compact(kDone);
  const Data first = world.sync()["image"];
  compact(kDone);
  const Data second = world.sync()["image"];
  REQUIRE(world.sync()["previous"] == first);
  compact(kCorrupt);
  const auto& posts = world.host(0).posts;
  CHECK(std::any_of(posts.begin(), posts.end(), [](const Data& post) {
    return post ==
           Json(
               R"({"type":"imageFailed","error":{"code":"image","message":"torn","retryable":true}})");
  }));
  world.Run(70'000);
  const Data job = world.host(0).image_jobs.back()["job"];
  REQUIRE(job["kind"].Is("compact"));
  CHECK(job["from"] == first);
  CHECK(job["mount"].Is("3"));
  answer(kDone);
  CHECK(world.sync()["image"]["generation"] == job["generation"]);
  CHECK(world.sync()["previous"] == first);
  const Data last = world.host(0).image_jobs.back()["job"];
  REQUIRE(last["kind"].Is("empty"));
  CHECK(last["mounts"] == Data(Data::Array{second["mount"]}));
}

TEST_CASE("does not skip an image that holds a realm as the server sent it") {
  ImagePointer pointer;
  CHECK_FALSE(HasRealmFile(pointer));
  pointer.parts.emplace_back().file = "rows";
  CHECK_FALSE(HasRealmFile(pointer));
  pointer.parts.emplace_back().file = "realm";
  CHECK(HasRealmFile(pointer));
}

}  // namespace
}  // namespace skerry::sync_test
