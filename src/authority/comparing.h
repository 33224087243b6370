// Comparing: what a client holds of parts of tables, with what it should hold at its cursor
// (docs/design.md, "Comparing").
#ifndef SKERRY_AUTHORITY_COMPARING_H_
#define SKERRY_AUTHORITY_COMPARING_H_

#include <string>
#include <string_view>

#include "model/schema.h"

namespace skerry {

// wire::ReadDiff -> {"tables":[DiffResult..]}, or {"error"} (log/wire/diff.h).
std::string CompareJson(const Schema& schema, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_COMPARING_H_
