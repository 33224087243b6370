#include "client/transaction_input.h"

#include <cmath>
#include <utility>

#include "base/limits.h"
#include "base/sort.h"
#include "base/text.h"
#include "log/wire.h"

namespace skerry {
namespace {

Status ReadPlace(const TableDef& table, const Data& id, const Data& realm, OpInput* input) {
  if (!(id.is_null() || id.is_string()) || !(realm.is_null() || realm.is_string())) {
    return {Code::kInvalidArgument, "an id and a realm are texts"};
  }
  input->id = id.as_string();
  input->realm = realm.as_string();
  if (id.is_string()) SKERRY_RETURN_IF_ERROR(CheckId(table, input->id));
  return realm.is_string() ? CheckName("a realm", input->realm, kMaxIdBytes) : Status::Ok();
}

// `index`: the prop with this name, or kNone.
Status ReadProp(TxCall call, const TableDef& table, PropIndex index, const std::string& name,
                const Data& plain, OpInput* input) {
  if (index == kNone) {
    return {Code::kUnknownProp, "table " + table.name + " has no prop " + name};
  }
  const PropDef& prop = table.props[index];
  if (call == TxCall::kInc) {
    if (prop.type != PropType::kNumber || !plain.is_number() || !std::isfinite(plain.as_number())) {
      return {Code::kWrongType, table.name + "." + name + ": inc needs a number prop and a number"};
    }
    input->add.push_back({index, plain.as_number()});
    return Status::Ok();
  }
  Result<Value> value = ValueFromData(prop, plain);
  if (!value.ok()) return At(table.name + "." + name, value.status());
  if (value.value().is_null() && !prop.optional && call == TxCall::kUpdate) {
    return {Code::kMissingProp, table.name + "." + name + " is required"};
  }
  if (!value.value().is_null()) SKERRY_RETURN_IF_ERROR(CheckNewValue(table, prop, value.value()));
  if (value.value().kind() == ValueKind::kJson && !CheckEnvelopes(plain).ok())
    input->malformed.push_back(index);
  input->set.push_back({index, std::move(value.value())});
  return Status::Ok();
}

}  // namespace

std::optional<TxCall> TxCallOf(int number) {
  const auto call = static_cast<TxCall>(number);
  switch (call) {
    case TxCall::kCreate:
    case TxCall::kUpdate:
    case TxCall::kInc:
    case TxCall::kDelete:
    case TxCall::kMove:
    case TxCall::kUpsert:
    case TxCall::kAppend:
      return static_cast<int>(call) == number ? std::optional<TxCall>(call) : std::nullopt;
  }
  return std::nullopt;
}

Status CheckName(std::string_view what, std::string_view name, size_t limit) {
  if (name.empty() || !IsStorableText(name)) {
    return {Code::kInvalidArgument, std::string(what) + " must be text that is not empty"};
  }
  if (name.size() > limit) {
    return {Code::kLimit,
            std::string(what) + " is longer than " + std::to_string(limit) + " bytes"};
  }
  return Status::Ok();
}

Status ReadOperation(TxCall call, const TableDef& table, const Data& operation, OpInput* input) {
  const Data::Array& parts = operation.items();
  if (parts.size() != 3 || !parts[2].is_object()) {
    return {Code::kInvalidArgument, "an operation is [id, realm, props]"};
  }
  SKERRY_RETURN_IF_ERROR(ReadPlace(table, parts[0], parts[1], input));
  for (const auto& [name, plain] : parts[2].members()) {
    SKERRY_RETURN_IF_ERROR(ReadProp(call, table, table.FindProp(name), name, plain, input));
  }
  // A create sorts them itself.
  if (call == TxCall::kCreate) return Status::Ok();
  const auto by_prop = [](const auto& a, const auto& b) { return a.prop < b.prop; };
  Sort(input->set.begin(), input->set.end(), by_prop);
  Sort(input->add.begin(), input->add.end(), by_prop);
  return Status::Ok();
}

Status ReadRow(const TableDef& table, const Data::Array& names, const Vector<PropIndex>& props,
               const Data& row, OpInput* input) {
  const Data::Array& parts = row.items();
  if (parts.size() != props.size() + 2) {
    return {Code::kInvalidArgument, "a row is [id, realm, values]"};
  }
  SKERRY_RETURN_IF_ERROR(ReadPlace(table, parts[0], parts[1], input));
  input->set.reserve(props.size());
  for (size_t i = 0; i < props.size(); ++i) {
    SKERRY_RETURN_IF_ERROR(
        ReadProp(TxCall::kCreate, table, props[i], names[i].as_string(), parts[i + 2], input));
  }
  return Status::Ok();
}

}  // namespace skerry
