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

TEST_CASE("uses three mounts in turn: never that of the image or of the previous one") {
  SyncRecord sync = CompleteSyncRecord(Data(), "c", SyncSchema());
  const auto publish = [&sync](std::string mount) {
    CHECK(FreeMount(sync) == mount);
    ImagePointer pointer;
    pointer.generation = "g" + mount;
    pointer.mount = std::move(mount);
    PublishImage(std::move(pointer), &sync);
  };
  const auto empty = [&sync] {
    CHECK(sync.leftover == true);
    const EmptyingJob job = EmptyingOf(sync);
    NoteEmptied(job, &sync);
    CHECK_FALSE(sync.leftover.has_value());
    return job;
  };
  publish("1");
  publish("2");
  CHECK_FALSE(sync.leftover.has_value());
  publish("3");
  CHECK(empty().mounts == Vector<std::string>{"1"});
  publish("1");
  CHECK(empty().mounts == Vector<std::string>{"2"});
  // The image cannot be read: its mount is the next one.
  DropImage(&sync);
  CHECK(sync.image->mount == "3");
  CHECK(empty().mounts == Vector<std::string>{"1", "2"});
  publish("1");
  CHECK_FALSE(sync.leftover.has_value());
}

TEST_CASE("an image that is dropped while others are removed is removed later") {
  SyncRecord sync = CompleteSyncRecord(Data(), "c", SyncSchema());
  const auto publish = [&sync] {
    ImagePointer pointer;
    pointer.mount = FreeMount(sync);
    PublishImage(std::move(pointer), &sync);
  };
  for (int i = 0; i < 3; ++i) publish();
  const EmptyingJob job = EmptyingOf(sync);
  publish();
  NoteEmptied(job, &sync);
  CHECK(sync.leftover == true);
}

TEST_CASE("former images are used until two others are there, and deleted then") {
  SyncRecord sync = SyncRecord::Read(Json(R"({"generations":[{"generation":"half"}],
    "image":{"generation":"new","parts":[],"n":9,"cursors":{}},
    "previous":{"generation":"old","parts":[],"n":4,"cursors":{}}})"));
  const auto publish = [&sync] {
    ImagePointer pointer;
    pointer.mount = FreeMount(sync);
    PublishImage(std::move(pointer), &sync);
    EmptyingJob job = EmptyingOf(sync);
    NoteEmptied(job, &sync);
    return job;
  };
  EmptyingJob job = publish();
  CHECK(job.generations == Vector<std::string>{"half", "old"});
  CHECK(job.keep == Vector<std::string>{"new"});
  job = publish();
  CHECK(job.generations == Vector<std::string>{"new"});
  CHECK(job.keep.empty());
  job = publish();
  CHECK_FALSE(job.generations.has_value());
  CHECK(sync.Write().Find("generations") == nullptr);
}

TEST_CASE("keeps the previous image: removes records only up to its n") {
  SyncRecord sync = CompleteSyncRecord(Data(), "c", SyncSchema());
  const auto publish = [&sync](const char* generation, uint64_t n) {
    ImagePointer pointer;
    pointer.generation = generation;
    pointer.n = n;
    return PublishImage(pointer, &sync);
  };
  CHECK(publish("g1", 10) == 0);
  CHECK(publish("g2", 25) == 10);
  CHECK(sync.previous->generation == "g1");
  CHECK(publish("g3", 40) == 25);
  CHECK(sync.previous->generation == "g2");
}

}  // namespace
}  // namespace skerry::sync_test
