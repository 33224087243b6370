// Cursors: how far a client has read a realm's log, as the text "revision@at" (`at`: the server's
// time of that entry, ms).
#ifndef SKERRY_LOG_CURSOR_H_
#define SKERRY_LOG_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/map.h"

namespace skerry {

using Cursors = Map<std::string, std::string>;  // by realm
using Revisions = Map<std::string, uint64_t>;   // by realm
using Times = Map<std::string, double>;         // by realm: ms
using ForgottenUpTo = Times;

// 0 if the cursor is empty or damaged.
uint64_t CursorRevision(std::string_view cursor);
// The same for a realm; 0 if it has no cursor.
uint64_t CursorRevision(const Cursors& cursors, const std::string& realm);

// ms; 0 if the cursor is empty or damaged.
double CursorTime(std::string_view cursor);
// The latest time of all cursors, ms; 0: there is none.
double LatestTime(const Cursors& cursors);

// A time that no Date can hold becomes 0, which no entry has.
std::string MakeCursor(uint64_t revision, double at);

}  // namespace skerry

#endif  // SKERRY_LOG_CURSOR_H_
