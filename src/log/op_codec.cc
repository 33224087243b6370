#include "log/op_codec.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sort.h"
#include "base/vector.h"
#include "log/value_codec.h"

namespace skerry {
namespace {

constexpr uint8_t kHasIf = 1;
constexpr uint8_t kHasOf = 2;
constexpr uint8_t kHasWas = 4;
constexpr uint8_t kHasCreated = 8;
constexpr uint8_t kFlags = kHasIf | kHasOf | kHasWas | kHasCreated;

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

Vector<PropAdd> DecodeAdd(TableIndex table, UnfitPolicy unfit, BodyReader* in) {
  Vector<PropAdd> added;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    PropAdd add;
    add.prop = in->TakeProp();
    add.by = in->in().F64();
    if (!std::isfinite(add.by)) in->in().Fail();
    if (!in->ok() || add.prop == kNone) continue;
    const TableDef& def = in->schema().table(table);
    const Status fits = unfit == UnfitPolicy::kAsItIs ? Status::Ok() : CheckAdd(def, add.prop);
    if (fits.ok()) {
      added.push_back(add);
    } else {
      in->LeaveOut(fits);
    }
  }
  Sort(added.begin(), added.end(),
       [](const PropAdd& a, const PropAdd& b) { return a.prop < b.prop; });
  return added;
}

uint8_t FlagsOf(const Op& op) {
  return static_cast<uint8_t>((op.if_revision ? kHasIf : 0) | (op.of.empty() ? 0 : kHasOf) |
                              (op.was.empty() ? 0 : kHasWas) | (op.created_at ? kHasCreated : 0));
}

void EncodeOp(const Op& op, BodyWriter* out) {
  PutU8(out->payload(), static_cast<uint8_t>(op.kind));
  PutU8(out->payload(), FlagsOf(op));
  if (!op.of.empty()) out->HasUndo();
  out->PutRealm(op.realm);
  EncodeBy(op.by, out);
  if (op.if_revision) PutVarint(out->payload(), *op.if_revision);
  if (!op.of.empty()) out->PutId(op.of);
  if (op.created_at) PutF64(out->payload(), *op.created_at);
  if (op.Has(kOnRow)) {
    out->PutTable(op.table);
    out->PutId(op.id);
  }
  if (!op.was.empty()) EncodeSet(op.table, op.was, out);
  switch (op.kind) {
    case OpKind::kCreate:
    case OpKind::kOffer:
    case OpKind::kUpdate:
    case OpKind::kRestore:
      return EncodeSet(op.table, op.set, out);
    case OpKind::kInc:
      return EncodeAdd(op, out);
    case OpKind::kMove:
      return out->PutRealm(op.to);
    case OpKind::kAppend:
      return PutText(out->payload(), op.stream);
    case OpKind::kDelete:
      return;
  }
}

// A create that is still to be pushed states all props of the object. A logged create was folded by
// the server as it is: if the object existed already, it kept the props that the op does not name.
void DecodeCreate(UnfitPolicy unfit, bool is_whole, BodyReader* in, Op* op) {
  op->set = DecodeSet(op->table, unfit, in);
  const bool is_logged = unfit == UnfitPolicy::kAbsent;
  if (is_whole) AddDefaults(op->table, in->schema(), &op->set, is_logged);
}

// `is_whole`: the table and the id are known. Returns whether the op still has content.
bool DecodeContent(UnfitPolicy unfit, bool is_whole, BodyReader* in, Op* op) {
  switch (op->kind) {
    case OpKind::kCreate:
    case OpKind::kOffer:
      DecodeCreate(unfit, is_whole, in, op);
      return true;
    case OpKind::kUpdate:
      op->set = DecodeSet(op->table, unfit, in);
      return !op->set.empty();
    case OpKind::kRestore:
      op->set = DecodeSet(op->table, unfit, in);
      // It states the whole object, or says nothing of it.
      if (is_whole && op->created_at) AddDefaults(op->table, in->schema(), &op->set, false);
      return true;
    case OpKind::kInc:
      op->add = DecodeAdd(op->table, unfit, in);
      return !op->add.empty();
    case OpKind::kMove:
      op->to = in->TakeRealm();
      return true;
    case OpKind::kAppend:
      op->stream = in->TakeText();
      return true;
    case OpKind::kDelete:
      return true;
  }
  return true;
}

// Returns false if nothing is left of the op.
bool DecodeOp(UnfitPolicy unfit, BodyReader* in, Op* op) {
  const uint8_t kind = in->in().U8();
  const uint8_t flags = in->in().U8();
  op->kind = static_cast<OpKind>(kind);
  if (TraitsOf(op->kind) == 0 || flags > kFlags) in->in().Fail();
  op->realm = in->TakeRealm();
  op->by = DecodeBy(in);
  if (flags & kHasIf) op->if_revision = in->in().Varint();
  if (flags & kHasOf) op->of = in->TakeId();
  if (flags & kHasCreated) op->created_at = in->in().F64();
  if (!in->ok()) return true;
  const bool on_row = op->Has(kOnRow);
  if (on_row) {
    op->table = in->TakeTable();
    op->id = in->TakeId();
    if (!in->ok()) return true;
  }
  const bool is_known = !on_row || KnowsId(op->table, op->id, in);
  const bool left_out = std::exchange(*in->mutable_left_out(), false);
  if (flags & kHasWas) op->was = DecodeSet(op->table, unfit, in);
  const bool says_any = DecodeContent(unfit, is_known, in, op);
  const bool is_emptied = !says_any && in->left_out() && unfit == UnfitPolicy::kLeftOut;
  *in->mutable_left_out() = in->left_out() || left_out;
  return is_known && !is_emptied;
}

}  // namespace

Status CheckAdd(const TableDef& table, PropIndex prop) {
  const PropDef& def = table.props[prop];
  if (def.type == PropType::kNumber) return Status::Ok();
  return {Code::kWrongType, table.name + "." + def.name + ": inc requires a number prop"};
}

void EncodeSet(TableIndex table, const Vector<PropValue>& set, BodyWriter* out) {
  PutVarint(out->payload(), set.size());
  for (const PropValue& change : set) {
    out->PutProp(table, change.prop);
    PutValue(change.value, out->payload());
  }
}

bool KnowsId(TableIndex table, std::string_view id, BodyReader* in) {
  if (table == kNone) return false;
  const Status known = CheckId(in->schema().table(table), id);
  if (!known.ok()) in->LeaveOut(known);
  return known.ok();
}

Vector<PropValue> DecodeSet(TableIndex table, UnfitPolicy unfit, BodyReader* in) {
  Vector<PropValue> set;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const PropIndex prop = in->TakeProp();
    Value value = in->TakeValue();
    if (!in->ok() || prop == kNone) continue;
    const TableDef& def = in->schema().table(table);
    if (unfit == UnfitPolicy::kAbsent) {
      value = ConvertValue(def, def.props[prop], std::move(value), in->mutable_left_out());
    } else if (unfit == UnfitPolicy::kLeftOut) {
      const Status fits = CheckValue(def, def.props[prop], value);
      if (!fits.ok()) {
        in->LeaveOut(fits);
        continue;
      }
    }
    set.push_back({prop, std::move(value)});
  }
  // The order of props in the current schema may differ from that in the writer's.
  Sort(set.begin(), set.end(),
       [](const PropValue& a, const PropValue& b) { return a.prop < b.prop; });
  return set;
}

void AddDefaults(TableIndex table, const Schema& schema, Vector<PropValue>* set, bool for_new) {
  const Vector<PropDef>& props = schema.table(table).props;
  size_t next = 0;
  for (PropIndex i = 0; i < props.size(); ++i) {
    if (next < set->size() && (*set)[next].prop == i) {
      ++next;
    } else if (!DefaultOrNull(props[i]).is_null()) {
      set->insert(set->begin() + next++, {i, DefaultOrNull(props[i]), for_new});
    }
  }
}

void EncodeOps(const Vector<Op>& ops, BodyWriter* out) {
  PutVarint(out->payload(), ops.size());
  for (const Op& op : ops) EncodeOp(op, out);
}

Vector<Op> DecodeOps(UnfitPolicy unfit, BodyReader* in) {
  Vector<Op> ops;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    Op op;
    if (DecodeOp(unfit, in, &op)) ops.push_back(std::move(op));
  }
  return ops;
}

}  // namespace skerry
