// Parses a schema's description (docs/internals.md, section 2) into tables and props.
#ifndef SKERRY_MODEL_SCHEMA_PARSE_H_
#define SKERRY_MODEL_SCHEMA_PARSE_H_

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/schema.h"

namespace skerry {

// Appends all tables with their props, checks names, and resolves refs. kSchema if anything is
// wrong; the detail names the table and the prop.
Status ParseTables(const Data& description, Vector<TableDef>* tables);

}  // namespace skerry

#endif  // SKERRY_MODEL_SCHEMA_PARSE_H_
