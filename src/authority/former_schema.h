// The schema under the names of an earlier release: by them its clients ask, and are answered
// (docs/schema-changes.md).
#ifndef SKERRY_AUTHORITY_FORMER_SCHEMA_H_
#define SKERRY_AUTHORITY_FORMER_SCHEMA_H_

#include <cstdint>
#include <optional>

#include "model/schema.h"

namespace skerry {

// The same tables and props, as that version of the schema names them. None: it names all of them as
// this one does.
std::optional<Schema> NamedAs(uint32_t version, const Schema& schema);

// Whether any table or prop has been renamed.
bool HasFormerNames(const Schema& schema);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_FORMER_SCHEMA_H_
