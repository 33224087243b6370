#include "log/rows_before.h"

#include <utility>

#include "log/body.h"
#include "log/op_codec.h"

namespace skerry {
namespace {

constexpr uint8_t kIsWhole = 1;

Result<RowsBefore> DecodeRows(const Schema& schema, std::string_view bytes, UnfitPolicy unfit) {
  if (bytes.empty()) return RowsBefore();
  Result<BodyReader> opened = BodyReader::Open(schema, BodyKind::kRows, bytes);
  if (!opened.ok()) return opened.status();
  BodyReader& in = opened.value();
  RowsBefore rows;
  const uint64_t count = in.TakeCount();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    RowBefore row;
    const uint8_t flags = in.in().U8();
    if (flags > kIsWhole) in.in().Fail();
    const TableIndex table = in.TakeTable();
    const std::string id = in.TakeId();
    row.realm = in.TakeRealm();
    row.is_whole = (flags & kIsWhole) != 0;
    if (row.is_whole) row.created_at = in.in().F64();
    row.set = DecodeSet(table, unfit, &in);
    if (!in.ok() || !KnowsId(table, id, &in)) continue;
    row.key = KeyIn(schema, table, id, row.realm);
    rows.push_back(std::move(row));
  }
  SKERRY_RETURN_IF_ERROR(in.Finish());
  return rows;
}

}  // namespace

std::string EncodeRowsBefore(const Schema& schema, const RowsBefore& rows) {
  if (rows.empty()) return {};
  BodyWriter out(schema);
  PutVarint(out.payload(), rows.size());
  for (const RowBefore& row : rows) {
    PutU8(out.payload(), row.is_whole ? kIsWhole : 0);
    out.PutTable(row.key.table);
    out.PutId(row.key.id);
    out.PutRealm(row.realm);
    if (row.is_whole) PutF64(out.payload(), row.created_at);
    EncodeSet(row.key.table, row.set, &out);
  }
  return out.Finish(BodyKind::kRows);
}

Result<RowsBefore> DecodeRowsBefore(const Schema& schema, std::string_view bytes) {
  return DecodeRows(schema, bytes, UnfitPolicy::kLeftOut);
}

Result<RowsBefore> DecodeRowsBeforeAsTheyAre(const Schema& schema, std::string_view bytes,
                                             Schema* names) {
  if (bytes.empty()) return RowsBefore();
  Result<Schema> named = BodyReader::NamesOf(schema, BodyKind::kRows, bytes);
  if (!named.ok()) return named.status();
  *names = std::move(named.value());
  return DecodeRows(*names, bytes, UnfitPolicy::kAsItIs);
}

}  // namespace skerry
