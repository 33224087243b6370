// The entries that an admission adds to the log, and the changes of rows in them.
#include <utility>

#include "authority/admission.h"
#include "authority/row_data.h"

namespace skerry {

uint64_t LoggedBytes(const std::optional<Row>& row) {
  constexpr uint64_t kOfARow = 200, kOfAProp = 24;
  if (!row) return 0;
  uint64_t bytes = kOfARow;
  for (const Value& value : row->props) {
    if (!value.is_null()) bytes += kOfAProp + value.text().size();
  }
  return bytes;
}

Vector<LogChange> Admission::NoteChanges(const std::string& client, const Set<PlacedKey>& touched,
                                         Map<std::string, LogEntry>* entries) {
  Vector<LogChange> changes;
  for (const auto& [key, before] : rows_.changes()) {
    const Row* now = rows_.Find(key);
    const std::optional<Row> after = now ? std::optional<Row>(*now) : std::nullopt;
    if (before == after) continue;
    const uint64_t revision = input_.realms[key.realm].head + 1;
    LogEntry& entry = (*entries)[key.realm];
    entry.tables.insert(schema_->table(key.object.table).name);
    // The op has followed a row that moved. Its author knew of nothing here.
    if (!entry.is_declared()) entry.base = Data::MakeObject().Set(key.realm, 0);
    ++entry.changes;
    before_bytes_ += LoggedBytes(before);
    entry.bytes += LoggedBytes(before) + LoggedBytes(after);
    const bool is_touch = touched.contains(key);
    changes.push_back({key.realm, revision, key.object, before, is_touch});
    if (!is_touch) rows_.NoteChange(key, client, revision);
  }
  return changes;
}

Data Admission::NumberEntries(Map<std::string, LogEntry>* entries) {
  Data spans = Data::MakeObject();
  for (auto& [realm, entry] : *entries) {
    RealmState& state = input_.realms[realm];
    entry.realm = realm;
    entry.revision = ++state.head;
    state.head_at = at_;
    spans.Set(realm, entry.revision);
  }
  return spans;
}

// The entries of what was not pushed as an update.
void Admission::LogInOneName(const std::string& client, const std::string& user,
                             const std::string& update, const Set<PlacedKey>& touched,
                             const Set<PlacedKey>& gone) {
  Map<std::string, LogEntry> entries;
  changes_ = NoteChanges(client, touched, &entries);
  for (const PlacedKey& key : gone) {
    ++entries[key.realm].changes;
    changes_.push_back({key.realm, input_.realms[key.realm].head + 1, key.object, {}});
  }
  const Data spans = NumberEntries(&entries);
  for (auto& [realm, entry] : entries) {
    entry.client = client;
    entry.user = user;
    entry.update = update;
    // Nobody has overlooked anything.
    entry.base = Data::MakeObject().Set(realm, entry.revision - 1);
    if (entries.size() > 1) entry.spans = spans;
    entries_.push_back(std::move(entry));
  }
}

}  // namespace skerry
