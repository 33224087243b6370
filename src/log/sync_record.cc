#include "log/sync_record.h"

#include <utility>

#include "base/checksum.h"
#include "base/json.h"
#include "log/wire.h"
#include "model/present_names.h"

namespace skerry {
namespace {

void RemoveEmpty(Vector<std::string>* realms) {
  erase_if(*realms, [](const std::string& realm) { return realm.empty(); });
}

// As in bodies (log/body.h).
template <typename Def>
std::string NameInBodies(const Def& def) {
  return std::string(def.former.First(def.name));
}

}  // namespace

bool CanRead(const Data& data, const ScopeFill*) { return data.is_bool() || data.is_string(); }

void FromData(Data&& data, ScopeFill* out) {
  out->whole = data.as_bool();
  if (data.is_string()) out->upto = data.as_string();
}

Data ToData(const ScopeFill& filled) {
  return filled.upto.has_value() ? Data(*filled.upto) : Data(filled.whole);
}

std::optional<uint64_t> FilledIn(const SyncStream& stream, const Cursors& cursors,
                                 std::string_view realm) {
  const auto cursor = cursors.find(realm);
  if (cursor == cursors.end()) return std::nullopt;
  const auto behind = stream.behind.find(realm);
  if (behind == stream.behind.end()) return CursorRevision(cursor->second);
  return behind->second == 0 ? std::nullopt : std::optional<uint64_t>(behind->second);
}

SyncProgress SyncProgress::Read(Data stored) {
  SyncProgress sync = ReadRecord<SyncProgress>(std::move(stored));
  RemoveEmpty(&sync.refill);
  return sync;
}

Data SyncProgress::Write() const { return ToData(*this); }

void SyncProgress::Regain(const std::string& realm) {
  if (lost.has_value()) erase(*lost, realm);
  lost_at.erase(realm);
}

std::optional<bool> SyncProgress::Offered(const std::string& realm) const {
  const auto place = lost_at.find(realm);
  return place == lost_at.end() ? std::nullopt : place->second.offered;
}

SyncRecord SyncRecord::Read(Data stored) {
  SyncRecord sync = ReadRecord<SyncRecord>(std::move(stored));
  // A chain belongs to one identity. Under another identity the server would answer `forked` for
  // ever.
  if (sync.chain.client != sync.client) sync.chain = {};
  RemoveEmpty(&sync.refill);
  return sync;
}

Data SyncRecord::Write() const { return ToData(*this); }

SyncRecord CompleteSyncRecord(Data stored, std::string_view client, const Schema& schema) {
  SyncRecord sync = SyncRecord::Read(std::move(stored));
  if (sync.client.empty()) sync.client = client;
  if (sync.chain.client.empty()) {
    sync.chain = {};
    sync.chain.client = sync.client;
  }
  sync.clock_offset = ClockOffset(sync.clock_offset, 0);
  // A window of an older version must not lower what a newer one has written.
  if (sync.schema < schema.version()) sync.schema = schema.version();
  for (SyncScope& scope : sync.scopes) UsePresentNames(schema, &scope.table, &scope.where);
  sync.rest.absent = 0;
  return sync;
}

std::string DefaultText(const Value& value) {
  std::string text;
  WriteJson(ValueToData({}, value, true), &text);
  return text;
}

void NoteDefaults(const Schema& schema, SyncRecord* sync) {
  for (const TableDef& table : schema.tables()) {
    for (const PropDef& prop : table.props) {
      if (!prop.has_default || prop.default_value.is_null()) continue;
      if (!sync->defaults.has_value()) sync->defaults.emplace();
      // A longer one is taken for the user's own value.
      std::string text = DefaultText(prop.default_value);
      if (text.size() <= kMaxOldDefaultBytes)
        (*sync->defaults)[NameInBodies(table)][NameInBodies(prop)] = std::move(text);
    }
  }
}

void NewIdentity(const std::string& client, SyncRecord* sync) {
  sync->client = client;
  sync->chain = {};
  sync->chain.client = client;
  sync->seen.clear();
}

bool IsFromNewerVersion(const Schema& schema, const SyncProgress& sync) {
  return sync.schema > schema.version();
}

std::string Layout(const Schema& schema) { return Hex16(schema.fingerprint()); }

bool MustReadAgain(const Schema& schema, const SyncRecord& sync) {
  return sync.lacks.has_value() && *sync.lacks != Layout(schema);
}

void NoteLeftOut(const std::string& layout, SyncRecord* sync) {
  const bool is_another = sync->lacks.has_value() && *sync->lacks != layout;
  sync->lacks = is_another ? std::string("any") : layout;
}

}  // namespace skerry
