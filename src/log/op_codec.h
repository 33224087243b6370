// Ops in the payload of a body (log/body.h).
//
//   op   = kind:u8 flags:u8 realm by [if:varint] rest
//   flags = bit 0: `if` is present
//   by   = varint *varint                       the first index, then the differences
//   rest = table id set                         create, update
//        | table id varint *(prop by:f64le)     inc
//        | table id                             delete
//        | table id realm                       move
//        | stream:text                          append
//   set  = varint *(prop value)
#ifndef SKERRY_LOG_OP_CODEC_H_
#define SKERRY_LOG_OP_CODEC_H_

#include "base/vector.h"
#include "log/body.h"
#include "log/op.h"

namespace skerry {

// How a value is decoded that its prop cannot hold. kLeftOut: the prop is removed from the op, and
// an op without content is dropped; for mutations, which the server has not seen. kAbsent: the
// value becomes DefaultOrNull; for logged ops. kAsItIs: the schema is BodyReader::NamesOf, which
// says nothing about values.
enum class UnfitPolicy { kLeftOut, kAbsent, kAsItIs };

void EncodeOps(const Vector<Op>& ops, BodyWriter* out);
// The reader holds the failure, and whether something was left out.
Vector<Op> DecodeOps(UnfitPolicy unfit, BodyReader* in);

void EncodeSet(TableIndex table, const Vector<PropValue>& set, BodyWriter* out);
Vector<PropValue> DecodeSet(TableIndex table, UnfitPolicy unfit, BodyReader* in);
// Whether an inc can add to the prop.
Status CheckAdd(const TableDef& table, PropIndex prop);
// Adds the defaults of props that may not be null to the content of a create. `for_new`: a row
// that has a value keeps it.
void AddDefaults(TableIndex table, const Schema& schema, Vector<PropValue>* set,
                 bool for_new = false);
// Whether the current schema has this table, and the id is valid in it.
bool KnowsId(TableIndex table, std::string_view id, BodyReader* in);

}  // namespace skerry

#endif  // SKERRY_LOG_OP_CODEC_H_
