// ForgetLog: which entries of a realm's log a server forgets, and which it keeps because a client
// may still ask for their outcome (docs/design.md, "Compaction"). It does no I/O.
#ifndef SKERRY_AUTHORITY_LOG_FORGETTING_H_
#define SKERRY_AUTHORITY_LOG_FORGETTING_H_

#include <string>
#include <string_view>

#include "authority/cursor.h"
#include "base/vector.h"
#include "log/wire/forgetting.h"

namespace skerry {

// `entries`: ascending; a part of the log. Those that were made before `before` (ms) are old.
// `floor`: up to where the log was forgotten before.
ForgottenLog ForgetLog(const Vector<OldEntry>& entries, double before, Cursor floor);

// The same as JSON text (docs/authority.md, section 7).
std::string ForgetLogJson(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_LOG_FORGETTING_H_
