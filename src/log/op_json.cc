// Ops on the wire (docs/protocol.md, "`POST /v1/push`"; log/codec.h):
//   {"op":"create"|"offer"|"update","table","id","realm","set":{prop: plain},"by":[..],"if"}
//   {"op":"inc","table","id","realm","add":{prop: number},"by","if"}
//   {"op":"delete","table","id","realm","by","if"}
//   {"op":"move","table","id","realm","to","by","if"}
//   {"op":"append","stream","realm","by"}
//   {"op":"restore","table","id","realm","of","by"}, and, of a row that the client knows, "set" and "createdAt"
// An op of an undo has "of", the id of the action that it undoes; an update of it also "was":{prop: plain}.
// `by` is missing if there is at most one action. Unknown members are ignored.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/op_codec.h"
#include "log/stream_name.h"
#include "log/wire.h"

namespace skerry {
namespace {

// Null if there is no such kind.
const char* NameOf(OpKind kind) {
  switch (kind) {
    case OpKind::kCreate:
      return "create";
    case OpKind::kUpdate:
      return "update";
    case OpKind::kInc:
      return "inc";
    case OpKind::kDelete:
      return "delete";
    case OpKind::kMove:
      return "move";
    case OpKind::kAppend:
      return "append";
    case OpKind::kOffer:
      return "offer";
    case OpKind::kRestore:
      return "restore";
  }
  return nullptr;
}

bool ReadKind(const std::string& name, OpKind* kind) {
  for (int number = 0; number <= 0xff; ++number) {
    *kind = static_cast<OpKind>(number);
    const char* known = NameOf(*kind);
    if (known != nullptr && name == known) return true;
  }
  return false;
}

Status ReadBy(const Data& data, size_t action_count, Vector<uint32_t>* by) {
  const Data* list = data.Find("by");
  if (!list) {
    if (action_count > 1) return {Code::kInvalidArgument, "`by` must name the actions"};
    if (action_count == 1) by->push_back(0);
    return Status::Ok();
  }
  if (!list->is_array() || list->items().empty() != (action_count == 0)) {
    return {Code::kInvalidArgument, "`by` must be a list of places among the actions"};
  }
  for (const Data& item : list->items()) {
    uint64_t place = 0;
    if (!ReadU64(item, &place) || place >= action_count) {
      return {Code::kInvalidArgument, "`by` names an action that is not there"};
    }
    if (!by->empty() && place <= by->back()) return {Code::kInvalidArgument, "`by` must ascend"};
    by->push_back(static_cast<uint32_t>(place));
  }
  return Status::Ok();
}

// A prop that a create does not name is null, or the default if the prop has one (the authority
// fills it in).
Status CheckWhole(const TableDef& table, const Vector<PropValue>& set) {
  size_t next = 0;
  for (size_t i = 0; i < table.props.size(); ++i) {
    const bool is_set = next < set.size() && set[next].prop == i;
    if (is_set) ++next;
    const PropDef& prop = table.props[i];
    if (is_set || prop.optional || prop.has_default) continue;
    return {Code::kMissingProp, table.name + "." + prop.name + ": missing"};
  }
  return Status::Ok();
}

Status ReadSet(const TableDef& table, const Data& data, Op* op) {
  Result<Vector<PropValue>> set = SetFromData(table, data["set"], Origin::kMade);
  if (!set.ok()) return set.status();
  op->set = std::move(set.value());
  return Status::Ok();
}

Status ReadWas(const TableDef& table, const Data& data, Op* op) {
  if (data["was"].is_null()) return Status::Ok();
  if (op->of.empty())
    return {Code::kInvalidArgument, table.name + ": `was` is for an op that undoes an action"};
  Result<Vector<PropValue>> was = SetFromData(table, data["was"], Origin::kStored);
  if (!was.ok()) return was.status();
  op->was = std::move(was.value());
  const bool is_of_set =
      op->was.size() == op->set.size() &&
      std::equal(op->was.begin(), op->was.end(), op->set.begin(),
                 [](const PropValue& a, const PropValue& b) { return a.prop == b.prop; });
  if (is_of_set) return Status::Ok();
  return {Code::kInvalidArgument, table.name + ": `was` has the props of `set`"};
}

Status ReadRestore(const TableDef& table, const Data& data, Op* op) {
  if (op->of.empty())
    return {Code::kInvalidArgument,
            table.name + ": a restore names the action that deleted (`of`)"};
  if (data["set"].is_null()) return Status::Ok();
  SKERRY_RETURN_IF_ERROR(CheckTime(data["createdAt"]));
  op->created_at = data["createdAt"].as_number();
  return ReadSet(table, data, op);
}

Status ReadAdd(const TableDef& table, const Data& data, Op* op) {
  const Data& add = data["add"];
  if (!add.is_object()) return {Code::kInvalidArgument, table.name + ": `add` must be an object"};
  for (const Data::Member& member : add.members()) {
    const PropIndex index = table.FindProp(member.first);
    if (index == kNone) return NoProp(table.name, member.first);
    SKERRY_RETURN_IF_ERROR(CheckAdd(table, index));
    const std::string place = table.name + "." + member.first;
    if (!member.second.is_number() || !std::isfinite(member.second.as_number())) {
      return {Code::kWrongType, place + ": inc by a value that is not a number"};
    }
    op->add.push_back({index, member.second.as_number()});
  }
  Sort(op->add.begin(), op->add.end(),
       [](const PropAdd& a, const PropAdd& b) { return a.prop < b.prop; });
  for (size_t i = 1; i < op->add.size(); ++i) {
    if (op->add[i - 1].prop == op->add[i].prop)
      return {Code::kInvalidArgument, table.name + ": an inc of one prop, twice"};
  }
  return Status::Ok();
}

// `table`: null if the op is not on a row.
Status ReadContent(const TableDef* table, const Data& data, Op* op) {
  switch (op->kind) {
    case OpKind::kCreate:
    case OpKind::kOffer:
      SKERRY_RETURN_IF_ERROR(ReadSet(*table, data, op));
      return CheckWhole(*table, op->set);
    case OpKind::kUpdate:
      SKERRY_RETURN_IF_ERROR(ReadSet(*table, data, op));
      return ReadWas(*table, data, op);
    case OpKind::kRestore:
      return ReadRestore(*table, data, op);
    case OpKind::kInc:
      return ReadAdd(*table, data, op);
    case OpKind::kMove:
      SKERRY_RETURN_IF_ERROR(CheckRealm(data["to"]));
      op->to = data["to"].as_string();
      if (op->to == op->realm)
        return {Code::kInvalidArgument, table->name + ": a move to the same realm"};
      return Status::Ok();
    case OpKind::kAppend:
      SKERRY_RETURN_IF_ERROR(CheckStreamName(data["stream"]));
      op->stream = data["stream"].as_string();
      if (op->by.size() == 1) return Status::Ok();
      return {Code::kInvalidArgument, "an append is of one action"};
    case OpKind::kDelete:
      return Status::Ok();
  }
  return Status::Ok();
}

void SetContent(const TableDef* table, const Op& op, Data* data) {
  switch (op.kind) {
    case OpKind::kCreate:
    case OpKind::kOffer:
    case OpKind::kUpdate:
      data->Set("set", SetToData(*table, op.set));
      if (!op.was.empty()) data->Set("was", SetToData(*table, op.was));
      return;
    case OpKind::kRestore:
      if (!op.created_at) return;
      data->Set("set", SetToData(*table, op.set)).Set("createdAt", *op.created_at);
      return;
    case OpKind::kInc: {
      Data add = Data::MakeObject();
      for (const PropAdd& change : op.add) add.Set(table->props[change.prop].name, change.by);
      data->Set("add", std::move(add));
      return;
    }
    case OpKind::kMove:
      data->Set("to", op.to);
      return;
    case OpKind::kAppend:
      data->Set("stream", op.stream);
      return;
    case OpKind::kDelete:
      return;
  }
}

Status ReadOp(const Schema& schema, const Data& data, size_t action_count, Op* op) {
  SKERRY_RETURN_IF_ERROR(ReadBy(data, action_count, &op->by));
  SKERRY_RETURN_IF_ERROR(CheckRealm(data["realm"]));
  op->realm = data["realm"].as_string();
  if (const Data& revision = data["if"]; !revision.is_null()) {
    uint64_t value = 0;
    if (!ReadU64(revision, &value)) return {Code::kInvalidArgument, "`if` must be a revision"};
    op->if_revision = value;
  }
  if (const Data& of = data["of"]; !of.is_null()) {
    SKERRY_RETURN_IF_ERROR(CheckUuid(of));
    op->of = of.as_string();
  }
  if (!op->Has(kOnRow)) return ReadContent(nullptr, data, op);
  const std::string& name = data["table"].as_string();
  op->table = schema.FindTable(name);
  if (op->table == kNone) return NoTable(name);
  const TableDef& table = schema.table(op->table);
  op->id = data["id"].as_string();
  SKERRY_RETURN_IF_ERROR(CheckId(table, op->id));
  return ReadContent(&table, data, op);
}

// The name of the member on the wire whose members are props; null if the kind has none.
const char* PropsMember(OpKind kind) {
  switch (kind) {
    case OpKind::kCreate:
    case OpKind::kOffer:
    case OpKind::kUpdate:
    case OpKind::kRestore:
      return "set";
    case OpKind::kInc:
      return "add";
    case OpKind::kDelete:
    case OpKind::kMove:
    case OpKind::kAppend:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

Data OpToData(const Schema& schema, const Op& op, size_t action_count) {
  Data data = Data::MakeObject();
  data.Set("op", NameOf(op.kind));
  const TableDef* table = op.Has(kOnRow) ? &schema.table(op.table) : nullptr;
  if (table) data.Set("table", table->name).Set("id", op.id);
  data.Set("realm", op.realm);
  SetContent(table, op, &data);
  if (action_count > 1) {
    Data by = Data::MakeArray();
    for (const uint32_t action : op.by) by.Push(action);
    data.Set("by", std::move(by));
  }
  if (op.if_revision) data.Set("if", *op.if_revision);
  if (!op.of.empty()) data.Set("of", op.of);
  return data;
}

bool TrimOp(const Schema& schema, Data* data, Vector<std::string>* removed) {
  OpKind kind;
  if (!ReadKind((*data)["op"].as_string(), &kind) || !(TraitsOf(kind) & kOnRow)) return true;
  const TableIndex index = schema.FindTable((*data)["table"].as_string());
  if (index == kNone) return false;
  const TableDef& table = schema.table(index);
  if (!CheckId(table, (*data)["id"].as_string()).ok()) return false;
  const char* member = PropsMember(kind);
  if (member == nullptr || !(*data)[member].is_object()) return true;
  const bool adds = std::string_view(member) == "add";
  Data kept = Data::MakeObject();
  bool is_trimmed = false;
  for (const Data::Member& each : (*data)[member].members()) {
    const PropIndex prop = table.FindProp(each.first);
    const bool fits = prop != kNone && (adds ? CheckAdd(table, prop).ok()
                                             : HasPlaceFor(table, table.props[prop], each.second));
    if (fits) {
      kept.mutable_members().push_back(each);
      continue;
    }
    is_trimmed = true;
    if (removed != nullptr) removed->push_back(each.first);
  }
  if (is_trimmed && (*data)["was"].is_object()) {
    Data was = Data::MakeObject();
    for (const Data::Member& each : (*data)["was"].members()) {
      if (kept.Find(each.first) != nullptr) was.mutable_members().push_back(each);
    }
    data->Set("was", std::move(was));
  }
  const bool is_left = !kept.members().empty() || (TraitsOf(kind) & kCreates) != 0;
  if (is_trimmed) data->Set(member, std::move(kept));
  return is_left || !is_trimmed;
}

Result<Op> OpFromData(const Schema& schema, const Data& data, size_t action_count) {
  if (!data.is_object()) return Status(Code::kInvalidArgument, "an op must be an object");
  Op op;
  const std::string& name = data["op"].as_string();
  if (!ReadKind(name, &op.kind))
    return Status(Code::kInvalidArgument, "there is no op " + QuoteForDetail(name));
  const Status read = ReadOp(schema, data, action_count, &op);
  if (read.ok()) return op;
  const std::string& id = data["id"].as_string();
  return At(id.empty() ? name : name + " of " + QuoteForDetail(id), read);
}

}  // namespace skerry
