// Rows as plain objects: the form that people can read:
//   {id, realm, createdAt, modifiedAt, revision, props: {name: plain form}}
// Props that are null are left out. The authority's rows (authority/row_data.h) have these members
// and more.
#ifndef SKERRY_LOG_ROW_DATA_H_
#define SKERRY_LOG_ROW_DATA_H_

#include <string_view>

#include "base/data.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// `bytes_as_base64`: true for the wire, false for data that stays in the client.
Data PlainRow(const TableDef& table, std::string_view id, const Row& row, bool bytes_as_base64);

}  // namespace skerry

#endif  // SKERRY_LOG_ROW_DATA_H_
