#include "test/sim/folds.h"

#include <algorithm>
#include <utility>

#include "log/base.h"
#include "log/codec.h"
#include "log/image.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/world.h"

namespace skerry::sim {

uint64_t Folds::NOf(const Profile& profile) {
  return profile.storage.Get("sync", "sync")["n"].as_u64();
}

void Folds::Stored(Host& host, const Data& writes, const Data& /*keys*/) {
  for (const Data& write : writes.items()) {
    if (write["store"].as_string() != "updates" || write.Find("put") == nullptr) continue;
    for (const Release release : world_->releases()) Enter(host.profile(), release, write["put"]);
  }
}

void Folds::Restored(const Profile& profile, const Profile& /*before*/) {
  for (const Release release : world_->releases()) {
    ByN& folds = folds_[{profile.index, release}];
    folds.erase(folds.upper_bound(NOf(profile)), folds.end());
  }
}

void Folds::Copied(const Profile& profile, const Profile& of) {
  for (const Release release : world_->releases()) {
    ByN folds = folds_[{of.index, release}];
    folds.erase(folds.upper_bound(NOf(profile)), folds.end());
    folds_[{profile.index, release}] = std::move(folds);
  }
}

const test::RowMap* Folds::RowsAt(const Profile& profile, Release release, uint64_t n) const {
  const auto folds = folds_.find({profile.index, release});
  if (folds == folds_.end()) return nullptr;
  const auto fold = folds->second.find(n);
  return fold == folds->second.end() ? nullptr : &fold->second;
}

const test::RowMap& Folds::Now(const Profile& profile, Release release) {
  return folds_[{profile.index, release}][NOf(profile)];
}

void Folds::Enter(const Profile& profile, Release release, const Data& record) {
  const Schema& schema = SchemaOf(release);
  const uint64_t n = record["n"].as_u64();
  ByN& folds = folds_[{profile.index, release}];
  test::RowMap base = folds[n - 1];
  test::TouchedKeys touched;
  bool left_out = false;  // parts that only another release knows
  const auto steps = DecodeSteps(schema, record["body"].as_bytes(), &left_out);
  if (!steps.ok() || !ApplySteps(schema, steps.value(), &base, &touched).ok())
    return Fail("4 convergence: a record that cannot be read");
  if (record["generation"].is_string() &&
      !FillByImage(profile, release, record["generation"].as_string(), &base))
    return Fail("4 convergence: a realm was filled by an image that cannot be read");
  if (n > 1 && folds.contains(n))
    return Fail("4 convergence: a second record n = " + std::to_string(n));
  folds[n] = std::move(base);
}

// Replaces the whole realm in `base` by the server's image.
bool Folds::FillByImage(const Profile& profile, Release release, const std::string& generation,
                        test::RowMap* base) {
  const auto image = std::ranges::find_if(
      profile.images, [&](const auto& entry) { return entry.second.generation == generation; });
  if (image == profile.images.end()) return false;
  const auto& files = image->second.files;
  const auto file = files.find(kRealmFile);
  if (file == files.end()) return false;
  const Result<ImageHeader> header = ReadImageHeader(file->second);
  Base loaded(&SchemaOf(release));
  if (!header.ok() || !LoadImage(file->second, &loaded).ok()) return false;
  for (const auto& [realm, cursor] : header.value().cursors)
    std::erase_if(base->rows, [&](const auto& item) { return item.first.second == realm; });
  for (const TableDef& table : SchemaOf(release).tables()) {
    for (const auto& [id, realm] : loaded.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      base->PutBase(key, *loaded.GetBase(realm, key));
    }
  }
  return true;
}

}  // namespace skerry::sim
