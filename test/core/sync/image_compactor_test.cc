// Goal: compaction gives the image of folding everything: old parts, then records, without realms
// that come again.
#include "sync/image_compactor.h"

#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/image.h"
#include "sync/image_job.h"
#include "sync/records.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

std::string PartOf(const Base& base) { return EncodeImage(base, 0, {}); }

Row ItemRow(std::string realm, double n) {
  Row row;
  row.realm = std::move(realm);
  row.created_at = row.modified_at = 5;
  row.revision = 1;
  row.props = {Value::Number(n), Value(), Value()};
  return row;
}

// The rows of a window that loads this part.
Base Loaded(const std::string& part) {
  Base base(&SyncSchema());
  SKERRY_CHECK(LoadImage(part, &base).ok());
  return base;
}

TEST_CASE("makes an image that equals folding all records, and continues from there") {
  SyncWorld world;
  world.Open();
  world.Settle();
  for (int i = 0; i < 20; ++i)
    world.Mutate({CreateItem("k" + std::to_string(i % 7), "A", i), IncItem("sum", "A", i)});
  world.Mutate({CreateItem("sum", "A", 1)});
  world.Settle();
  world.Mutate({DeleteItem("k3", "A"), MoveItem("k2", "A", "B")});
  world.Settle();
  REQUIRE(world.Converged());
  const Data sync = world.sync();
  const uint64_t n = sync["n"].as_u64();
  std::string part;
  ImageCompactor first(&SyncSchema());
  for (uint64_t i = 1; i <= n / 2; ++i)
    REQUIRE(first.AddRecord(world.storage.Get("updates", i)["body"].as_bytes()).ok());
  part = first.Finish(n / 2, Data::MakeObject());
  ImageCompactor second(&SyncSchema());
  REQUIRE(second.AddPart(part).ok());
  for (uint64_t i = n / 2 + 1; i <= n; ++i)
    REQUIRE(second.AddRecord(world.storage.Get("updates", i)["body"].as_bytes()).ok());
  part = second.Finish(n, sync["cursors"]);
  CHECK(part == EncodeImage(*world.Fold(), n, [&] {
          Vector<std::pair<std::string, std::string>> cursors;
          for (const auto& [realm, cursor] : sync["cursors"].members())
            cursors.emplace_back(realm, cursor.as_string());
          return cursors;
        }()));
  const Result<ImageHeader> header = ReadImageHeader(part);
  REQUIRE(header.ok());
  CHECK(header.value().n == n);
}

TEST_CASE("leaves a realm that comes by the server's image out of the compaction") {
  Base base(&SyncSchema());
  base.PutBase({0, "a"}, ItemRow("A", 1));
  base.PutBase({0, "b"}, ItemRow("B", 2));
  ImageCompactor compactor(&SyncSchema());
  REQUIRE(compactor.AddPart(PartOf(base)).ok());
  compactor.DropRealm("A");
  CHECK_FALSE(compactor.empty());
  const Base left = Loaded(compactor.Finish(1, Data::MakeObject()));
  CHECK(left.BaseKeys(0).size() == 1);
  CHECK(left.GetBase("B", {0, "b"}).has_value());
  compactor.DropRealm("B");
  CHECK(compactor.empty());
}

TEST_CASE("ends a compaction at a damaged part or record") {
  Base base(&SyncSchema());
  base.PutBase({0, "a"}, ItemRow("A", 1));
  std::string part = PartOf(base);
  part.data()[part.size() / 2] ^= 4;
  ImageCompactor compactor(&SyncSchema());
  CHECK(compactor.AddPart(part).code() == Code::kCorrupt);
  std::string body = EncodeSteps(SyncSchema(), {});
  body.data()[body.size() - 1] ^= 4;
  CHECK_FALSE(compactor.AddRecord(body).ok());
}

TEST_CASE("deletes a half-written image of a crashed worker only after the lease moved on") {
  SyncRecord sync = CompleteSyncRecord(Data(), "c", 1);
  EnterGeneration("g1", "image", 4, &sync);
  EnterGeneration("g2", "push", 9, &sync);
  LeaseRecord image = LeaseRecord::Read(Json(R"({"owner":"x","epoch":4})"));
  const LeaseRecord push = LeaseRecord::Read(Json(R"({"owner":"y","epoch":10})"));
  CHECK(Garbage(sync, push, image) == Vector<std::string>{"g2"});
  image.owner.reset();
  CHECK(Garbage(sync, push, image) == Vector<std::string>{"g1", "g2"});
  ForgetGenerations({"g2"}, &sync);
  CHECK(sync.generations.size() == 1);
}

TEST_CASE("keeps the previous generation: removes records only up to its n") {
  SyncRecord sync = CompleteSyncRecord(Data(), "c", 1);
  const auto publish = [&sync](const char* generation, uint64_t n) {
    ImagePointer pointer;
    pointer.generation = generation;
    pointer.n = n;
    return PublishImage(pointer, &sync);
  };
  CHECK(publish("g1", 10) == 0);
  CHECK(publish("g2", 25) == 10);
  CHECK(sync.previous->generation == "g1");
  CHECK(sync.generations.empty());
  CHECK(publish("g3", 40) == 25);
  CHECK(sync.previous->generation == "g2");
  REQUIRE(sync.generations.size() == 1);
  CHECK(sync.generations[0].generation == "g1");
}

}  // namespace
}  // namespace skerry::sync_test
