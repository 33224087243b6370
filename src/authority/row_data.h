// Rows as the server hands them over and takes them back (docs/authority.md, section 2).
#ifndef SKERRY_AUTHORITY_ROW_DATA_H_
#define SKERRY_AUTHORITY_ROW_DATA_H_

#include <optional>
#include <string>

#include "base/data.h"
#include "base/status.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// A row of the database: live, or a tombstone with the props that it last had.
struct StoredRow {
  ObjectKey key;
  Row row;
  std::optional<double> deleted_at;
};

// The times, revision and props of a row whose table and realm are known.
Result<Row> RowOfTable(const TableDef& table, const std::string& realm, const Data& data);
// {"table","id","realm","createdAt","modifiedAt","revision","deletedAt","props"}. Props that the
// schema does not know are left out; one that does not fit its prop is an error, because the
// database was given only what fits.
Result<StoredRow> StoredRowFromData(const Schema& schema, const Data& data);
Data StoredRowToData(const Schema& schema, const StoredRow& stored);
// The same for a live row; null where there is none.
Data RowToData(const Schema& schema, const ObjectKey& key, const std::optional<Row>& row);
// Null is no row.
Result<std::optional<Row>> RowFromData(const Schema& schema, const Data& data);

// What a row that the database has holds where nothing was written: a prop that may not be null has
// its default. Rows and records of `before` may lack a prop that a later release has added.
void FillAbsent(const TableDef& table, Row* row);
// The same for a row that stays as it is: the row, or a filled copy of it in `space`. Null is null.
const Row* Filled(const TableDef& table, const Row* row, std::optional<Row>* space);
// Nulls what `lacking`, a later state of the same row as it was recorded, says nothing of although
// it cannot be null: from there on a client may hold another default than it did before.
void TakeUnknown(const TableDef& table, const Row& lacking, Row* row);

// [table name, id].
Data KeyToData(const Schema& schema, const ObjectKey& key);

// The stable names of codes on the wire.
const char* CodeName(Code code);
Data ErrorToData(const Status& status);  // {"error":{"code","detail"}}

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ROW_DATA_H_
