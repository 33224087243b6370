// Small helpers of the sync worker: its messages, and what cursors tell of the user.
#ifndef SKERRY_SYNC_RECORDS_H_
#define SKERRY_SYNC_RECORDS_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/record_version.h"
#include "log/transaction_builder.h"

namespace skerry {

// Of an answer, before it is read: only what is a cursor.
Cursors ReadCursors(const Data& cursors);

// Whose personal realms (`user:<user>`, which every user can read) cursors name: the user's own,
// and another's. Nothing where no user is known.
struct PersonalRealms {
  bool own = false;
  std::string other;
};
PersonalRealms PersonalRealmsOf(const Cursors& cursors, std::string_view user);

Data Message(std::string_view type);
Data Strings(const Vector<std::string>& items);

bool Contains(const Vector<std::string>& list, std::string_view text);
bool ContainsString(const Data& array, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_SYNC_RECORDS_H_
