// Helpers for the records of IndexedDB (docs/internals.md, section 3), which the sync worker
// handles as Data: what it does not know of a record stays in it. Maps by realm are Data objects.
#ifndef SKERRY_SYNC_RECORDS_H_
#define SKERRY_SYNC_RECORDS_H_

#include <string_view>

#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/record_version.h"
#include "log/transaction_builder.h"
#include "model/schema.h"

namespace skerry {

inline constexpr size_t kMaxOlderCursors = 8;

// A newer version of the application has opened this database: what this one does not know may be
// that one's, and is left to it.
bool IsOfNewer(const Schema& schema, const Data& sync);
// A schema's layout as records name it. `lacks` in `sync` is the layout under which something that
// the server sent had no place: another one takes all anew.
String Layout(const Schema& schema);
bool LacksRows(const Schema& schema, const Data& sync);
// One more layout under which something had no place. Where another was noted before, that one
// still lacks what it lacked: then all are to take it anew.
void NoteLack(const String& layout, Data* sync);

// A `sync` record with every member that the sync worker counts on: what is absent, or is not what
// it must be (sync/sound.h), gets its first value, and `client` where it has no identity yet.
Data CompleteSyncRecord(Data record, std::string_view client, uint32_t schema_version);

// Gives it another client identity: an empty chain, nothing seen. Updates in the outbox stay under
// theirs.
void NewIdentity(std::string_view client, Data* sync);

// Whose personal realms (`user:<user>`, which every user can read) cursors name: the user's own,
// and another's. Nothing where no user is known.
struct PersonalRealms {
  bool own = false;
  String other;
};
PersonalRealms PersonalRealmsOf(const Data& cursors, std::string_view user);

// A cursor is "revision@at"; both 0 where it is absent or damaged.
uint64_t CursorRevision(const Data& cursor);
double CursorAt(const Data& cursor);

Data Message(std::string_view type);
Data Strings(const Vector<String>& items);

// {id, key} of a mutation, as records and updates name it.
Data MutationName(const Data& id, const Data& key);

bool ContainsString(const Data& array, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_SYNC_RECORDS_H_
