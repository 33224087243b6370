// Rows as JSON, as the server passes them to the authority and gets them back (docs/authority.md,
// section 2).
#ifndef SKERRY_AUTHORITY_ROW_DATA_H_
#define SKERRY_AUTHORITY_ROW_DATA_H_

#include <optional>
#include <string>

#include "authority/placed_key.h"
#include "base/data.h"
#include "base/status.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// A row of the database: live, or a tombstone with the last props of a row that was deleted or has
// moved to another realm.
struct StoredRow {
  ObjectKey key;
  Row row;
  std::optional<double> deleted_at;
  std::string moved_to = {};  // the realm that it moved to; then deleted_at is when
};

// Reads the times, the revision and the props of a row whose table and realm are known.
Result<Row> RowOfTable(const TableDef& table, const std::string& realm, const Data& data);
// {"table","id","realm","createdAt","modifiedAt","revision","deletedAt","movedTo","props"}. Unknown
// props are ignored. A value that does not fit its prop is an error, because only values that fit were
// written to the database.
Result<StoredRow> StoredRowFromData(const Schema& schema, const Data& data);
Data StoredRowToData(const Schema& schema, const StoredRow& stored);
// The same for a live row; null if there is none.
Data RowToData(const Schema& schema, const ObjectKey& key, const std::optional<Row>& row);
// Null is no row.
Result<std::optional<Row>> RowFromData(const Schema& schema, const Data& data);

// Sets each required prop that is null to its default. In stored rows and in `before`, a prop that
// a later release has added may be missing.
void SetDefaults(const TableDef& table, Row* row);
// The same without changing `row`: returns `row` itself if nothing is missing, else a filled copy
// in `space`. Null stays null.
const Row* WithDefaults(const TableDef& table, const Row* row, std::optional<Row>* space);
// Sets to null each required prop of `row` that is missing in `before`, a later state of the same
// row as it was recorded: from there on the client may hold another default than before.
void ClearUnknownDefault(const TableDef& table, const Row& before, Row* row);

// The names of codes on the wire. They never change.
const char* CodeName(Code code);
Data ErrorToData(const Status& status);  // {"error":{"code","detail"}}

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ROW_DATA_H_
