// Changes on the wire (docs/protocol.md, "`POST /v1/pull`"; log/codec.h):
//   {"change":"create"|"update","table","id","realm","set":{prop: plain},
//    "createdAt","modifiedAt","revision"}
//   {"change":"move", … as above …, "to"}
//   {"change":"delete"|"leave","table","id","realm","revision"}
// and each may have "over".
#include "base/vector.h"
#include "log/codec.h"
#include "log/op_codec.h"
#include "log/wire.h"

namespace skerry {
namespace {

constexpr const char* kChangeNames[] = {"", "create", "update", "delete", "move", "leave"};

Status ReadContent(const Schema& schema, const Data& data, Change* change, bool* left_out) {
  const TableDef& table = schema.table(change->key.table);
  SKERRY_RETURN_IF_ERROR(CheckId(table, change->key.id));
  SKERRY_RETURN_IF_ERROR(CheckRealm(data["realm"]));
  change->realm = data["realm"].as_string();
  if (const Data& revision = data["revision"];
      !revision.is_null() && !ReadU64(revision, &change->revision)) {
    return {Code::kInvalidArgument, "`revision` must be a number"};
  }
  if (const Data* over = data.Find("over"); over != nullptr && !over->is_null()) {
    if (!ReadU64(*over, &change->over.emplace()))
      return {Code::kInvalidArgument, "`over` must be a number"};
  }
  if (!HasContent(change->kind)) return Status::Ok();
  SKERRY_RETURN_IF_ERROR(CheckTime(data["createdAt"]));
  SKERRY_RETURN_IF_ERROR(CheckTime(data["modifiedAt"]));
  change->created_at = data["createdAt"].as_number();
  change->modified_at = data["modifiedAt"].as_number();
  Result<Vector<PropValue>> set = SetFromData(table, data["set"], Origin::kStored, left_out);
  if (!set.ok()) return set.status();
  change->set = std::move(set.value());
  if (left_out != nullptr && change->kind == ChangeKind::kCreate)
    AddDefaults(change->key.table, schema, &change->set);
  if (change->kind != ChangeKind::kMove) return Status::Ok();
  SKERRY_RETURN_IF_ERROR(CheckRealm(data["to"]));
  change->to = data["to"].as_string();
  return Status::Ok();
}

}  // namespace

Data ChangeToData(const Schema& schema, const Change& change) {
  const TableDef& table = schema.table(change.key.table);
  Data data = Data::MakeObject();
  data.Set("change", kChangeNames[static_cast<int>(change.kind)]).Set("table", table.name);
  data.Set("id", change.key.id).Set("realm", change.realm);
  if (HasContent(change.kind)) {
    if (change.kind == ChangeKind::kMove) data.Set("to", change.to);
    data.Set("set", SetToData(table, change.set));
    data.Set("createdAt", change.created_at).Set("modifiedAt", change.modified_at);
  }
  data.Set("revision", change.revision);
  if (change.over.has_value()) data.Set("over", *change.over);
  return data;
}

Result<Change> ChangeFromData(const Schema& schema, const Data& data, bool* left_out) {
  Change change;
  const std::string& kind = data["change"].as_string();
  int number = static_cast<int>(ChangeKind::kLeave);
  while (number > 0 && kind != kChangeNames[number]) --number;
  if (number == 0)
    return Status(Code::kInvalidArgument, "there is no change " + QuoteForDetail(kind));
  change.kind = static_cast<ChangeKind>(number);
  const std::string& table = data["table"].as_string();
  change.key.table = schema.FindTable(table);
  if (change.key.table == kNone)
    return Status(Code::kUnknownTable, "there is no table " + QuoteForDetail(table));
  change.key.id = data["id"].as_string();
  const Status read = ReadContent(schema, data, &change, left_out);
  if (!read.ok()) return At(kind + " of " + QuoteForDetail(change.key.id), read);
  return change;
}

}  // namespace skerry
