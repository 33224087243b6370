// Rows as plain objects, as the conflict inbox keeps them (`base`, `mine`, `theirs`) and people
// read them:
//   {id, realm, createdAt, modifiedAt, revision, props: {name: plain form}}
// Props that are null are left out. The authority's rows (authority/row_data.h) have the same
// shape, and more.
#ifndef SKERRY_LOG_ROW_DATA_H_
#define SKERRY_LOG_ROW_DATA_H_

#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// Bytes as bytes inside of the house, as base64 text on the wire.
Data PlainRow(const TableDef& table, std::string_view id, const Row& row, bool bytes_as_base64);

// Every prop must fit; unknown ones (of a schema that has changed) are left out. kInvalidArgument,
// kInvalidId, kWrongType.
Result<Row> RowFromPlain(const TableDef& table, const Data& data);

}  // namespace skerry

#endif  // SKERRY_LOG_ROW_DATA_H_
