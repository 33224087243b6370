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

// What becomes of a value that its prop cannot hold. In what a user has done and the server has not
// seen it is not said, and an op that says nothing then is none; in what is logged it is what an
// absent one is (AbsentValue).
enum class Unfit { kLeftOut, kAbsent };

void EncodeOps(const Vector<Op>& ops, BodyWriter* out);
// Failures, and whether something was left out, are the reader's.
Vector<Op> DecodeOps(Unfit unfit, BodyReader* in);

void EncodeSet(TableIndex table, const Vector<PropValue>& set, BodyWriter* out);
Vector<PropValue> DecodeSet(TableIndex table, Unfit unfit, BodyReader* in);
// To what creates an object: the defaults of props that may not be null. `for_new`: unless it is
// there already.
void AddDefaults(TableIndex table, const Schema& schema, Vector<PropValue>* set,
                 bool for_new = false);
// Whether the schema of today has this table, and such ids in it.
bool KnowsId(TableIndex table, std::string_view id, BodyReader* in);

}  // namespace skerry

#endif  // SKERRY_LOG_OP_CODEC_H_
