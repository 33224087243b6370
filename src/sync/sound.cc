#include "sync/sound.h"

#include <cmath>
#include <utility>

#include "base/limits.h"
#include "sync/records.h"

namespace skerry {
namespace {

using DataTest = bool (*)(const Data&);

constexpr uint64_t kMaxCount = uint64_t{1} << 52;  // counting on from it stays exact

bool IsCount(const Data& data) { return data.as_u64(~uint64_t{0}) <= kMaxCount; }
bool IsFinite(const Data& data) { return data.is_number() && std::isfinite(data.as_number()); }
bool IsText(const Data& data) { return data.is_string() && !data.as_string().empty(); }
bool IsAnyText(const Data& data) { return data.is_string(); }
bool IsObject(const Data& data) { return data.is_object(); }
bool IsNoNumber(const Data& data) { return data.is_null() || IsFinite(data); }
bool IsNoText(const Data& data) { return data.is_null() || data.is_string(); }

bool IsLink(const Data& data) {
  return data.is_null() || (IsCount(data["seq"]) && IsText(data["id"]));
}

bool HasMembers(const Data& data, DataTest fits) {
  if (!data.is_object()) return false;
  for (const auto& [name, value] : data.members()) {
    if (!fits(value)) return false;
  }
  return true;
}

bool HasItems(const Data& data, DataTest fits) {
  if (!data.is_array()) return false;
  for (const Data& item : data.items()) {
    if (!fits(item)) return false;
  }
  return true;
}

bool IsChain(const Data& data) {
  return IsText(data["client"]) && HasMembers(data["links"], IsLink);
}

bool IsMember(const Data& data) {
  return IsText(data["id"]) && IsCount(data["key"]) && data["key"].as_u64() > 0;
}

bool IsKnown(const Data& data) { return IsMember(data) && HasMembers(data["realms"], IsCount); }

bool IsScope(const Data& data) {
  return IsText(data["table"]) && data["where"].is_array() &&
         (data["filled"].is_bool() || data["filled"].is_string());
}

bool IsGeneration(const Data& data) { return data["generation"].is_string(); }

bool IsPart(const Data& data) {
  return IsText(data["file"]) && data["bytes"].as_u64(~uint64_t{0}) <= kMaxImageBytes;
}

bool IsPointer(const Data& data) {
  if (data.is_null()) return true;
  return IsGeneration(data) && IsCount(data["n"]) && HasItems(data["parts"], IsPart) &&
         HasMembers(data["cursors"], IsAnyText);
}

struct Rule {
  const char* name;
  DataTest fits;
};
constexpr Rule kSingle[] = {{"client", IsText},        {"n", IsCount},
                            {"goneUpTo", IsCount},     {"scopeVersion", IsCount},
                            {"recordBytes", IsCount},  {"clockOffset", IsFinite},
                            {"chain", IsChain},        {"image", IsPointer},
                            {"previous", IsPointer},   {"lastSyncedAt", IsNoNumber},
                            {"realmsToken", IsNoText}, {"lacks", IsNoText}};
constexpr Rule kMaps[] = {{"cursors", IsAnyText}, {"seen", IsCount}};
constexpr Rule kLists[] = {{"older", IsObject},
                           {"scopes", IsScope},
                           {"known", IsKnown},
                           {"refill", IsText},
                           {"generations", IsGeneration}};

Data OnlyMembers(const Data& map, DataTest fits) {
  Data kept = Data::MakeObject();
  for (const auto& [name, value] : map.members()) {
    if (fits(value)) kept.Set(name, value);
  }
  return kept;
}

Data OnlyItems(const Data& list, DataTest fits) {
  Data kept = Data::MakeArray();
  for (const Data& item : list.items()) {
    if (fits(item)) kept.Push(item);
  }
  return kept;
}

}  // namespace

Data SoundSync(Data record) {
  Data sync = record.is_object() ? std::move(record) : Data::MakeObject();
  for (const Rule& rule : kSingle) {
    if (!rule.fits(sync[rule.name])) sync.Remove(rule.name);
  }
  // A chain is that of one identity, and would be forked for ever under another.
  if (!(sync["chain"]["client"] == sync["client"])) sync.Remove("chain");
  for (const Rule& rule : kMaps) {
    if (!HasMembers(sync[rule.name], rule.fits))
      sync.Set(rule.name, OnlyMembers(sync[rule.name], rule.fits));
  }
  for (const Rule& rule : kLists) {
    if (!HasItems(sync[rule.name], rule.fits))
      sync.Set(rule.name, OnlyItems(sync[rule.name], rule.fits));
  }
  return sync;
}

bool KeepsPlace(const Data& record) {
  return IsCount(record["n"]) && HasMembers(record["cursors"], IsAnyText) &&
         IsPointer(record["image"]) && IsPointer(record["previous"]);
}

}  // namespace skerry
