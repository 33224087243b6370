// Sound: records as the sync worker counts on them. The database belongs to the origin, and any
// script of it may have written there; so whatever is read is held against what it must be, and
// what does not fit is as if it were not there: it is made anew, as in a database that has just
// been created.
#ifndef SKERRY_SYNC_SOUND_H_
#define SKERRY_SYNC_SOUND_H_

#include "base/data.h"

namespace skerry {

// A record `sync` without the members, and the entries of lists and maps, that are not what they
// must be. Others stay: they may be a newer version's.
Data SoundSync(Data record);

// Whether windows and images can still go by what is left of it: n, cursors and pointers are whole.
bool KeepsPlace(const Data& record);

}  // namespace skerry

#endif  // SKERRY_SYNC_SOUND_H_
