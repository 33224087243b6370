// Goal: while a service worker pushes, the Workers of the windows, its helpers, make and delete
// images.
#include "base/json.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("fetches images in a window, which pulls for them and never pushes") {
  const Data images = Json(R"({"images":true})");
  constexpr std::string_view kImage =
      R"({"time":1,"cursors":{},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
      "epoch":1,"hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
  SyncWorld world;
  for (int i = 0; i < 4; ++i) world.network.scripted.push_back(Scripted(200, kImage));
  world.OpenService(images);
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Settle();
  CHECK(world.host(0).image_jobs.empty());
  REQUIRE(world.host(1).image_jobs.size() == 1);
  CHECK(world.host(1).status["phase"].as_string() == "filling");
  world.network.scripted.clear();
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"A":"7@70"},"changes":[]})"));
  Data done = Json(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.host(1).Deliver(done.Set("type", "image").Set("id", world.host(1).image_jobs.back()["id"]));
  world.Settle();
  CHECK(world.sync()["cursors"]["A"].as_string() == "7@70");
  CHECK(world.lease()["owner"].is_null());
  // With a pending mutation, and no other worker to push it.
  world.host(0).Crash();
  world.service = -1;
  world.storage.Add("mutations", MutationRecord(SyncUuid(9000), {CreateItem("a", "A", 1)}, 1));
  const size_t pulls = world.host(1).pull_times.size();
  world.Broadcast(0, Json(R"({"type":"fill"})"));
  world.Settle();
  CHECK(world.host(1).pull_times.size() > pulls);
  CHECK(world.host(1).push_times.empty());
}

TEST_CASE("ends the phase with the service worker's work while a window fetches an image") {
  constexpr std::string_view kImage =
      R"({"time":1,"cursors":{},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
      "epoch":1,"hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
  SyncWorld world;
  world.OpenService();
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Settle();
  const auto report = [&world](std::string_view phase) {
    Data shared = Json(R"({"instance":"s","pending":0})");
    shared.Set("phase", phase);
    world.Broadcast(0, Json(R"({"type":"status","n":0})").Set("shared", std::move(shared)));
    world.Settle();
  };
  report("pushing");
  CHECK(world.host(1).status["phase"].Is("pushing"));
  for (int i = 0; i < 4; ++i) world.network.scripted.push_back(Scripted(200, kImage));
  world.Broadcast(0, Json(R"({"type":"fill"})"));
  world.Settle();
  REQUIRE(world.host(1).image_jobs.size() == 1);
  CHECK(world.host(1).status["phase"].Is("filling"));
  report("idle");
  world.network.scripted.clear();
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"A":"7@70"},"changes":[]})"));
  Data done = Json(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.host(1).Deliver(done.Set("type", "image").Set("id", world.host(1).image_jobs.back()["id"]));
  world.Settle();
  CHECK(world.lease()["owner"].is_null());
  CHECK(world.host(1).status["phase"].Is("idle"));
}

TEST_CASE("gives up an image if the service worker has pulled the realm meanwhile") {
  constexpr std::string_view kImage =
      R"({"time":1,"cursors":{},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
      "epoch":1,"hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
  SyncWorld world;
  for (int i = 0; i < 4; ++i) world.network.scripted.push_back(Scripted(200, kImage));
  world.OpenService(Json(R"({"images":true})"));
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Settle();
  REQUIRE(world.host(1).image_jobs.size() == 1);
  world.network.scripted.clear();
  // The service worker pulls, and the window that fills hears of its record.
  for (int i = 0; i < 4; ++i) {
    world.network.scripted.push_back(
        Scripted(200, R"({"time":1,"cursors":{"A":"8@80"},"changes":[]})"));
  }
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(world.sync()["cursors"]["A"].Is("8@80"));
  Data done = Json(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.host(1).Deliver(done.Set("type", "image").Set("id", world.host(1).image_jobs.back()["id"]));
  world.Settle();
  CHECK(world.sync()["cursors"]["A"].Is("8@80"));
  CHECK(world.sync()["image"].is_null());
}

TEST_CASE("makes new images when the service worker has dropped a revoked realm") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.server.Foreign("r", "R", "x");
  world.OpenService(Json(R"({"images":true})"));
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Settle();
  REQUIRE(world.Converged());
  world.Run(60'000);
  CHECK(world.host(1).image_jobs.empty());
  world.server.revoked.insert("R");
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(world.sync()["cursors"].Find("R") == nullptr);
  REQUIRE(world.sync()["older"].items().size() >= 2);
  CHECK(WriteJson(world.sync()["older"]).find("\"R\"") == std::string::npos);
  world.Run(60'000);
  REQUIRE_FALSE(world.host(1).image_jobs.empty());
  CHECK(world.host(1).image_jobs.back()["job"]["upto"] == world.sync()["n"]);
}

TEST_CASE("deletes the image of a window that died, though no window claims its push lease") {
  const Data images = Json(R"({"images":true})");
  SyncWorld world;
  world.OpenService(images);
  world.Settle();
  world.storage.Put("sync", "push", Json(R"({"v":1,"owner":"tab-9","epoch":7,"beat":3})"));
  Data sync = world.sync();
  const Data half = Json(R"([{"generation":"half","lease":"push","epoch":7}])");
  world.storage.Put("sync", "sync", sync.Set("generations", half));
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Run(180'000);
  CHECK(world.lease()["owner"].is_null());
  Data job;
  for (const Data& each : world.host(1).image_jobs) job = each;
  CHECK(job["job"]["kind"].Is("delete"));
  CHECK(job["job"]["generations"] == Json(R"(["half"])"));
}

}  // namespace
}  // namespace skerry::sync_test
