// Parsing of a schema's description (docs/internals.md, section 2) into tables and props, apart
// from the class Schema.
#ifndef SKERRY_MODEL_SCHEMA_PARSE_H_
#define SKERRY_MODEL_SCHEMA_PARSE_H_

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/schema.h"

namespace skerry {

// Every table and prop, names checked and refs resolved. kSchema on anything wrong, with the names
// in the detail.
Status ParseTables(const Data& description, Vector<TableDef>* tables);

}  // namespace skerry

#endif  // SKERRY_MODEL_SCHEMA_PARSE_H_
