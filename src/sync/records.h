// Small helpers of the sync worker: its messages, and what cursors say about the user.
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

// Reads the cursors of an answer that has not been checked yet: members that are not cursors become
// empty.
Cursors ReadCursors(const Data& cursors);

// The personal realms (`user:<user>`; an answer always names the one of its user) among the
// cursors: whether the user's own one is there, and the name of another user, if there is one.
// Empty if no user is known.
struct PersonalRealms {
  bool own = false;
  std::string other;
};
PersonalRealms PersonalRealmsOf(const Cursors& cursors, std::string_view user);

bool Contains(const Vector<std::string>& list, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_SYNC_RECORDS_H_
