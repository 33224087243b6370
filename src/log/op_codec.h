// Ops in the payload of a body (log/body.h).
//
//   op   = kind:u8 flags:u8 realm by [if:varint] rest
//   flags = bit 0: `if` is there
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

void EncodeOps(const Vector<Op>& ops, BodyWriter* out);
Vector<Op> DecodeOps(BodyReader* in);  // failures are the reader's

void EncodeSet(TableIndex table, const Vector<PropValue>& set, BodyWriter* out);
Vector<PropValue> DecodeSet(TableIndex table, BodyReader* in);

}  // namespace skerry

#endif  // SKERRY_LOG_OP_CODEC_H_
