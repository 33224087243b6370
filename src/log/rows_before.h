// What a mutation changed from: the objects that it changes, as its window showed them right before
// it. Stored beside the mutation's body, it is what the conflict inbox shows as `base`, and what undo
// puts back. It never travels.
//
//   payload = varint *row                       (a body of kind rows, log/body.h)
//   row     = flags:u8 table id realm [created:f64le] set
//   flags   = bit 0: whole, `set` has all props that are not null, and `created` is there
//   set     = varint *(prop value)              (log/op_codec.h)
#ifndef SKERRY_LOG_ROWS_BEFORE_H_
#define SKERRY_LOG_ROWS_BEFORE_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// An object that was visible. One that was not has no RowBefore.
struct RowBefore {
  ObjectKey key;          // a client's (KeyIn)
  std::string realm;      // in which it was
  bool is_whole = false;  // `set` has all of it; else only what the mutation changes
  double created_at = 0;  // ms; of a whole one
  Vector<PropValue> set;  // sorted by prop
};
using RowsBefore = Vector<RowBefore>;

// "" if there are none.
std::string EncodeRowsBefore(const Schema& schema, const RowsBefore& rows);
// What the schema has no place for is left out. kCorrupt, kVersion: as DecodeMutation.
Result<RowsBefore> DecodeRowsBefore(const Schema& schema, std::string_view bytes);
// With `names`, the schema of the bytes: everything, as it is.
Result<RowsBefore> DecodeRowsBeforeAsTheyAre(const Schema& schema, std::string_view bytes,
                                             Schema* names);

}  // namespace skerry

#endif  // SKERRY_LOG_ROWS_BEFORE_H_
