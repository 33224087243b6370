#include "log/op_codec.h"

#include <algorithm>
#include <cmath>

#include "base/sort.h"
#include "base/vector.h"
#include "log/value_codec.h"

namespace skerry {
namespace {

constexpr uint8_t kHasIf = 1;

void EncodeBy(const Vector<uint32_t>& by, BodyWriter* out) {
  PutVarint(out->payload(), by.size());
  uint32_t last = 0;
  for (const uint32_t action : by) {
    PutVarint(out->payload(), action - last);
    last = action;
  }
}

Vector<uint32_t> DecodeBy(BodyReader* in) {
  Vector<uint32_t> by;
  const uint64_t count = in->TakeCount();
  uint64_t last = 0;
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const uint64_t step = in->in().Varint();
    last += step;
    if ((i > 0 && step == 0) || step > 0xffffffff || last > 0xffffffff) in->in().Fail();
    by.push_back(static_cast<uint32_t>(last));
  }
  return by;
}

void EncodeAdd(const Op& op, BodyWriter* out) {
  PutVarint(out->payload(), op.add.size());
  for (const PropAdd& add : op.add) {
    out->PutProp(op.table, add.prop);
    PutF64(out->payload(), add.by);
  }
}

Vector<PropAdd> DecodeAdd(TableIndex table, BodyReader* in) {
  Vector<PropAdd> added;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    PropAdd add;
    add.prop = in->TakeProp(table);
    add.by = in->in().F64();
    if (!in->ok()) break;
    const TableDef& def = in->schema().table(table);
    if (!std::isfinite(add.by)) in->in().Fail();
    if (def.props[add.prop].type != PropType::kNumber) {
      in->Fail({Code::kWrongType,
                def.name + "." + def.props[add.prop].name + ": an inc of what is no number"});
    }
    added.push_back(add);
  }
  Sort(added.begin(), added.end(),
       [](const PropAdd& a, const PropAdd& b) { return a.prop < b.prop; });
  return added;
}

void EncodeOp(const Op& op, BodyWriter* out) {
  PutU8(out->payload(), static_cast<uint8_t>(op.kind));
  PutU8(out->payload(), op.if_revision ? kHasIf : 0);
  out->PutRealm(op.realm);
  EncodeBy(op.by, out);
  if (op.if_revision) PutVarint(out->payload(), *op.if_revision);
  if (op.kind == OpKind::kAppend) return PutText(out->payload(), op.stream);
  out->PutTable(op.table);
  out->PutId(op.id);
  switch (op.kind) {
    case OpKind::kCreate:
    case OpKind::kUpdate:
      return EncodeSet(op.table, op.set, out);
    case OpKind::kInc:
      return EncodeAdd(op, out);
    case OpKind::kMove:
      return out->PutRealm(op.to);
    case OpKind::kDelete:
    case OpKind::kAppend:
      return;
  }
}

Op DecodeOp(BodyReader* in) {
  Op op;
  const uint8_t kind = in->in().U8();
  const uint8_t flags = in->in().U8();
  if (kind < 1 || kind > static_cast<uint8_t>(OpKind::kAppend) || flags > kHasIf) in->in().Fail();
  op.kind = static_cast<OpKind>(kind);
  op.realm = in->TakeRealm();
  op.by = DecodeBy(in);
  if (flags & kHasIf) op.if_revision = in->in().Varint();
  if (!in->ok()) return op;
  if (op.kind == OpKind::kAppend) {
    op.stream = in->TakeText();
    return op;
  }
  op.table = in->TakeTable();
  op.id = in->TakeId(op.table);
  if (!in->ok()) return op;
  if (op.kind == OpKind::kCreate || op.kind == OpKind::kUpdate) op.set = DecodeSet(op.table, in);
  if (op.kind == OpKind::kInc) op.add = DecodeAdd(op.table, in);
  if (op.kind == OpKind::kMove) op.to = in->TakeRealm();
  return op;
}

}  // namespace

void EncodeSet(TableIndex table, const Vector<PropValue>& set, BodyWriter* out) {
  PutVarint(out->payload(), set.size());
  for (const PropValue& change : set) {
    out->PutProp(table, change.prop);
    PutValue(change.value, out->payload());
  }
}

Vector<PropValue> DecodeSet(TableIndex table, BodyReader* in) {
  Vector<PropValue> set;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    PropValue change;
    change.prop = in->TakeProp(table);
    change.value = in->TakeValue(table, change.prop);
    set.push_back(std::move(change));
  }
  // Props are sorted as the schema of today has them, which may be another order than that of the
  // writer.
  Sort(set.begin(), set.end(),
       [](const PropValue& a, const PropValue& b) { return a.prop < b.prop; });
  return set;
}

void EncodeOps(const Vector<Op>& ops, BodyWriter* out) {
  PutVarint(out->payload(), ops.size());
  for (const Op& op : ops) EncodeOp(op, out);
}

Vector<Op> DecodeOps(BodyReader* in) {
  Vector<Op> ops;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) ops.push_back(DecodeOp(in));
  return ops;
}

}  // namespace skerry
