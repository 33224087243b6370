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
      "epoch":"1","hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
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
      "epoch":"1","hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
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
      "epoch":"1","hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
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

constexpr std::string_view kImageOfA =
    R"({"time":1,"cursors":{"A":"0@0"},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
    "epoch":"1","hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";
constexpr std::string_view kFilled =
    R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})";
constexpr std::string_view kDamaged = R"({"error":{"name":"corrupt","message":"damaged"}})";
constexpr std::string_view kRowsOfA = R"({"time":1,"cursors":{"A":"7@70"},"changes":[]})";

// The service worker is host 0; a window's Worker is opened by the test, or not.
struct Offered : SyncWorld {
  explicit Offered(std::string_view mode, bool images = true) {
    Data config = Data::MakeObject();
    config.Set("images", images);
    if (mode != "lease") OpenService(config);
    if (mode != "service") Open(true, config.Set("mode", mode));
    if (mode == "service") host(0).Post(Json(R"({"type":"wake","reason":"sync"})"));
    Answer(kImageOfA);
    Settle();
  }
  // Each pull is answered so until further notice.
  void Answer(std::string_view body) {
    network.scripted.clear();
    for (int i = 0; i < 50; ++i) network.scripted.push_back(Scripted(200, body));
  }
  SyncHost& window() { return host(size() - 1); }
  Vector<Data> fills() {
    Vector<Data> fills;
    for (const Data& effect : window().image_jobs) {
      if (effect["job"]["kind"].Is("fill")) fills.push_back(effect);
    }
    return fills;
  }
  void Finish(std::string_view event) {
    Data done = Json(event);
    window().Deliver(done.Set("type", "image").Set("id", fills().back()["id"]));
    Settle();
  }
  bool last_pull_accepts() const { return Json(pull_bodies.back())["images"].is_null(); }
};

TEST_CASE("accepts images wherever a worker of the device loads them, and nowhere else") {
  for (const char* mode : {"lease", "service", "helper"}) {
    CAPTURE(mode);
    CHECK(Offered(mode).last_pull_accepts());
    CHECK_FALSE(Offered(mode, false).last_pull_accepts());
  }
}

TEST_CASE("leaves a large realm to the next window, and neither waits nor asks again") {
  Offered world("service");
  CHECK(world.pull_bodies.size() == 1);
  world.Run(600'000);
  CHECK(world.pull_bodies.size() == 1);
  CHECK(world.host(0).status["role"].Is("none"));
  CHECK(world.host(0).status["error"].is_null());
  // Another realm goes on: what is written there is pushed and confirmed.
  world.Answer(
      R"({"time":1,"cursors":{"A":"0@0","B":"1@1"},"changes":[],"fills":[{"realm":"A","revision":7,
      "at":70,"epoch":"1","hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/x"}]})");
  world.host(0).Post(Json(R"({"type":"wake","reason":"poke","realm":"B","revision":1})"));
  world.Settle();
  CHECK(world.sync()["cursors"] == Json(R"({"A":"0@0","B":"1@1"})"));
  world.Answer(kImageOfA);
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  world.Settle();
  REQUIRE(world.window().image_jobs.size() == 1);
  CHECK(world.window().image_jobs[0]["job"]["fetch"]["realm"].Is("A"));
}

TEST_CASE("confirms a change of a realm after its image, without a failure until then") {
  Offered world("service");
  world.network.scripted.clear();
  world.storage.Add("mutations", MutationRecord(SyncUuid(9000), {CreateItem("a", "A", 1)}, 1));
  world.host(0).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  for (int i = 0; i < 1000 && world.push_bodies.empty(); ++i) world.host(0).StepOnce();
  REQUIRE(world.push_bodies.size() == 1);
  world.Answer(kImageOfA);
  const size_t pulls = world.pull_bodies.size();
  world.Settle();
  CHECK(world.storage.Count("outbox") == 1);
  CHECK(world.host(0).status["error"].is_null());
  CHECK(world.host(0).status["role"].Is("none"));
  world.Run(600'000);
  CHECK(world.push_bodies.size() == 1);
  CHECK(world.pull_bodies.size() <= pulls + 2);
}

TEST_CASE("drops a revoked realm though another one waits for its image") {
  Offered world("service");
  Data sync = world.sync();
  world.storage.Put("sync", "sync", sync.Set("refill", Json(R"(["A","R"])")));
  world.host(0).Post(Json(R"({"type":"wake","reason":"sync"})"));
  world.Settle();
  CHECK(world.sync()["refill"] == Json(R"(["A"])"));
  CHECK(world.sync()["revokedAt"] == world.sync()["n"]);
}

TEST_CASE("keeps the rows of a realm of another history until its image is there") {
  for (const char* mode : {"lease", "service"}) {
    CAPTURE(mode);
    SyncWorld world;
    world.server.Foreign("a", "A", "old");
    world.server.Foreign("b", "B", "other");
    const Data images = Json(R"({"images":true})");
    const bool is_service = std::string_view(mode) == "service";
    SyncHost& host = world.Open(true, images);
    world.Settle();
    REQUIRE(world.Converged());
    if (is_service) {
      host.Crash();
      world.OpenService(images);
    }
    const auto answer = [&](const char* reset, int times) {
      for (int i = 0; i < times; ++i) {
        world.network.scripted.push_back(
            Scripted(200, R"({"time":1,"cursors":{"A":"0@0","B":"1@9"},"changes":[],"reset":[)" +
                              std::string(reset) +
                              R"(],"fills":[{"realm":"A","revision":7,"at":70,"epoch":"1",
          "hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/x"}]})"));
      }
      world.host(world.size() - 1).Post(Json(R"({"type":"sync","id":1})"));
      world.Settle();
    };
    answer("\"A\"", 1);
    CHECK(GiveBack(&world.storage));
    answer("", 4);
    CHECK(world.Fold()->GetBase("A", {0, "a"}).has_value());
    CHECK(world.sync()["cursors"].Find("A") == nullptr);
    CHECK(world.sync()["refill"] == Json(R"(["A"])"));
    if (is_service) continue;
    REQUIRE(host.image_jobs.size() == 1);
    CHECK(host.image_jobs[0]["job"]["compacts"] == Data(true));
    CHECK(host.image_jobs[0]["job"]["dropRealms"] == Json(R"(["A"])"));
    world.network.scripted.clear();
    Data done = Json(kFilled);
    host.Deliver(done.Set("type", "image").Set("id", host.image_jobs[0]["id"]));
    world.network.down = true;
    world.Settle();
    CHECK(world.sync()["cursors"]["A"].Is("7@70"));
    CHECK(world.sync()["refill"].items().empty());
  }
}

TEST_CASE("ends in pages after three images that failed, and then accepts images again") {
  for (const char* mode : {"lease", "helper"}) {
    CAPTURE(mode);
    Offered world(mode);
    for (size_t failed = 1; failed < 3; ++failed) {
      REQUIRE(world.fills().size() == failed);
      world.Finish(kDamaged);
      CHECK(world.window().status["error"]["code"].Is("image"));
      world.Run(80'000);
      CHECK(world.last_pull_accepts());
    }
    REQUIRE(world.fills().size() == 3);
    world.Answer(kRowsOfA);
    const size_t pulls = world.pull_bodies.size();
    world.Finish(kDamaged);  // without another pause
    REQUIRE(world.pull_bodies.size() > pulls);
    CHECK(Json(world.pull_bodies[pulls])["images"] == Data(false));
    CHECK(world.sync()["cursors"]["A"].Is("7@70"));
    CHECK(world.window().status["error"].is_null());
    world.window().Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.last_pull_accepts());
  }
}

TEST_CASE("goes on with an image that is being fetched when a service worker takes over") {
  Offered world("lease");
  world.OpenService(Json(R"({"images":true})"));
  world.host(0).Post(Json(R"({"type":"service","active":true,"reason":""})"));
  world.Settle();
  CHECK(world.host(0).status["mode"].Is("service-worker"));
  CHECK(world.host(0).status["phase"].Is("filling"));
  CHECK_FALSE(world.host(1).pull_times.empty());
  REQUIRE(world.host(0).image_jobs.size() == 1);
  world.Answer(kRowsOfA);
  Data done = Json(kFilled);
  world.host(0).Deliver(done.Set("type", "image").Set("id", world.host(0).image_jobs[0]["id"]));
  world.Settle();
  CHECK(world.sync()["cursors"]["A"].Is("7@70"));
  CHECK(world.sync()["image"].is_object());
  CHECK(world.host(0).image_jobs.size() == 1);
  CHECK(world.lease()["owner"].is_null());
  CHECK(world.host(0).status["phase"].Is("idle"));
}

TEST_CASE("sends no push once a service worker has taken over during an image") {
  int steps = 0;  // of the window, before it hears of the service worker
  for (bool has_pushed = false; !has_pushed; ++steps) {
    REQUIRE(steps < 100);
    CAPTURE(steps);
    Offered world("lease");
    world.network.scripted.clear();
    world.Mutate({CreateItem("a", "A", 1)});
    for (int i = 0; i < steps; ++i) REQUIRE(world.host(0).StepOnce());
    has_pushed = !world.host(0).push_times.empty();
    if (has_pushed) continue;
    world.host(0).PostFirst(Json(R"({"type":"service","active":true,"reason":""})"));
    world.Settle();
    CHECK(world.host(0).push_times.empty());
    CHECK(world.host(0).status["phase"].Is("filling"));
    CHECK(world.fills().size() == 1);
  }
  CHECK(steps > 2);
}

TEST_CASE("pauses before each image that an older server offers though none is accepted") {
  Offered world("lease");
  for (int i = 0; i < 3; ++i) {
    world.Finish(kDamaged);
    world.Run(80'000);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(world.last_pull_accepts());
    const size_t pulls = world.pull_bodies.size();
    world.Finish(kDamaged);
    CHECK(world.pull_bodies.size() == pulls);
    world.Run(80'000);
  }
}

TEST_CASE("counts no image without room, and no failure before one that was loaded") {
  Offered world("lease");
  for (int i = 0; i < 5; ++i) {
    const size_t jobs = world.fills().size();
    world.Finish(R"({"error":{"name":"quota","message":""}})");
    world.Run(80'000);
    REQUIRE(world.fills().size() == jobs + 1);
    CHECK(world.last_pull_accepts());
  }
  for (int i = 0; i < 2; ++i) {
    world.Finish(kDamaged);
    world.Run(80'000);
  }
  const size_t jobs = world.fills().size();
  world.Finish(kFilled);  // and A is named again: another realm's image may fail twice
  REQUIRE(world.fills().size() > jobs);
  world.Finish(kDamaged);
  world.Run(80'000);
  CHECK(world.last_pull_accepts());
}

TEST_CASE("wakes the service worker only when the scopes of its window are stored") {
  SyncWorld world;
  world.OpenService(Json(R"({"images":true})"));
  world.Settle();
  world.Open(true, Json(R"({"images":true,"mode":"helper"})"));
  for (int i = 0; i < 1000 && world.host(1).wakes.empty(); ++i) world.host(1).StepOnce();
  REQUIRE(world.host(1).wakes.size() == 1);
  CHECK(world.sync()["scopes"].items().size() == 1);
}

}  // namespace
}  // namespace skerry::sync_test
