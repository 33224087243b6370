#include "test/sim/folds.h"

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
    Enter(host.profile(), write["put"]);
  }
}

void Folds::Restored(const Profile& profile, const Profile& /*before*/) {
  ByN& folds = folds_[profile.index];
  folds.erase(folds.upper_bound(NOf(profile)), folds.end());
}

void Folds::Copied(const Profile& profile, const Profile& of) {
  ByN folds = folds_[of.index];
  folds.erase(folds.upper_bound(NOf(profile)), folds.end());
  folds_[profile.index] = std::move(folds);
}

const test::RowMap* Folds::At(const Profile& profile, uint64_t n) const {
  const auto folds = folds_.find(profile.index);
  if (folds == folds_.end()) return nullptr;
  const auto fold = folds->second.find(n);
  return fold == folds->second.end() ? nullptr : &fold->second;
}

const test::RowMap& Folds::Now(const Profile& profile) {
  return folds_[profile.index][NOf(profile)];
}

void Folds::Enter(const Profile& profile, const Data& record) {
  const uint64_t n = record["n"].as_u64();
  ByN& folds = folds_[profile.index];
  test::RowMap base = folds[n - 1];
  test::TouchedKeys touched;
  const auto steps = DecodeSteps(test::CheckSchema(), record["body"].as_bytes());
  if (!steps.ok() || !ApplySteps(test::CheckSchema(), steps.value(), &base, &touched).ok())
    return Fail("4 convergence: a record that cannot be read");
  if (record["generation"].is_string() &&
      !FillByImage(profile, record["generation"].as_string(), &base))
    return Fail("4 convergence: a realm was filled by an image that cannot be read");
  if (n > 1 && folds.contains(n)) return Fail("4 convergence: a second record n = " + ToText(n));
  folds[n] = std::move(base);
}

// The server's file is the realm: what was held of it before is no more.
bool Folds::FillByImage(const Profile& profile, const String& generation, test::RowMap* base) {
  const auto files = profile.images.find(generation);
  if (files == profile.images.end()) return false;
  const auto file = files->second.find(kRealmFile);
  if (file == files->second.end()) return false;
  const Result<ImageHeader> header = ReadImageHeader(file->second);
  Base loaded(&test::CheckSchema());
  if (!header.ok() || !LoadImage(file->second, &loaded).ok()) return false;
  for (const auto& [realm, cursor] : header.value().cursors)
    std::erase_if(base->rows, [&](const auto& item) { return item.first.second == realm; });
  for (const TableDef& table : test::CheckSchema().tables()) {
    for (const auto& [id, realm] : loaded.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      base->PutBase(key, *loaded.GetBase(realm, key));
    }
  }
  return true;
}

}  // namespace skerry::sim
