#include "sync/records.h"

#include <charconv>
#include <cmath>

#include "base/checksum.h"
#include "base/vector.h"
#include "sync/sound.h"

namespace skerry {
namespace {

double ParseWhole(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return static_cast<double>(value);
}

}  // namespace

bool IsOfNewer(const Schema& schema, const Data& sync) {
  return sync["schema"].as_u64() > schema.version();
}

String Layout(const Schema& schema) { return Hex16(schema.fingerprint()); }

bool LacksRows(const Schema& schema, const Data& sync) {
  return sync["lacks"].is_string() && sync["lacks"].as_string() != Layout(schema);
}

void NoteLack(const String& layout, Data* sync) {
  const Data& noted = (*sync)["lacks"];
  const bool is_another = noted.is_string() && noted.as_string() != layout;
  sync->Set("lacks", is_another ? String("any") : layout);
}

Data CompleteSyncRecord(Data record, std::string_view client, uint32_t schema_version) {
  Data sync = IsNewer(record) ? std::move(record) : SoundSync(std::move(record));
  const auto fill = [&sync](std::string_view name, Data value) {
    if (sync[name].is_null()) sync.Set(name, std::move(value));
  };
  fill("v", kRecordVersion);
  fill("client", client);
  fill("n", 0);
  fill("goneUpTo", 0);
  for (const char* name : {"cursors", "seen"}) fill(name, Data::MakeObject());
  for (const char* name : {"older", "scopes", "known", "refill", "generations"})
    fill(name, Data::MakeArray());
  fill("scopeVersion", 0);
  fill("clockOffset", 0);
  fill("recordBytes", 0);
  if (sync["chain"]["client"].is_null()) {
    Data chain = Data::MakeObject();
    chain.Set("client", sync["client"]).Set("links", Data::MakeObject());
    sync.Set("chain", std::move(chain));
  }
  for (const char* name : {"realmsToken", "lastSyncedAt", "image", "previous"}) {
    if (sync.Find(name) == nullptr) sync.Set(name, nullptr);
  }
  // A window of an older version does not take back what a newer one has said.
  if (sync["schema"].as_u64() < schema_version) sync.Set("schema", schema_version);
  return sync;
}

void NewIdentity(std::string_view client, Data* sync) {
  Data chain = Data::MakeObject();
  chain.Set("client", client).Set("links", Data::MakeObject());
  sync->Set("client", client).Set("chain", std::move(chain)).Set("seen", Data::MakeObject());
}

PersonalRealms PersonalRealmsOf(const Data& cursors, std::string_view user) {
  constexpr std::string_view kPrefix = "user:";
  PersonalRealms found;
  if (user.empty()) return found;
  for (const auto& [realm, cursor] : cursors.members()) {
    const std::string_view name = realm;
    if (name.substr(0, kPrefix.size()) != kPrefix) continue;
    if (name.substr(kPrefix.size()) == user) {
      found.own = true;
    } else {
      found.other = String(name.substr(kPrefix.size()));
    }
  }
  return found;
}

uint64_t CursorRevision(const Data& cursor) {
  const std::string_view text = cursor.as_string();
  return static_cast<uint64_t>(ParseWhole(text.substr(0, text.find('@'))));
}

double CursorAt(const Data& cursor) {
  const std::string_view text = cursor.as_string();
  const size_t at = text.find('@');
  return at == std::string_view::npos ? 0 : ParseWhole(text.substr(at + 1));
}

Data Message(std::string_view type) {
  Data message = Data::MakeObject();
  message.Set("type", type);
  return message;
}

Data Strings(const Vector<String>& items) {
  Data array = Data::MakeArray();
  for (const String& item : items) array.Push(item);
  return array;
}

Data MutationName(const Data& id, const Data& key) {
  Data name = Data::MakeObject();
  name.Set("id", id).Set("key", key);
  return name;
}

bool ContainsString(const Data& array, std::string_view text) {
  for (const Data& item : array.items()) {
    if (item.is_string() && item.as_string() == text) return true;
  }
  return false;
}

}  // namespace skerry
