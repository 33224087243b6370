// Checks values against their props, and converts them to and from their plain form. model/schema.h
// declares these functions.
#include <cmath>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/schema.h"

namespace skerry {
namespace {

ValueKind KindOf(PropType type) {
  switch (type) {
    case PropType::kNumber:
      return ValueKind::kNumber;
    case PropType::kBoolean:
      return ValueKind::kBool;
    case PropType::kDate:
      return ValueKind::kDate;
    case PropType::kBytes:
      return ValueKind::kBytes;
    case PropType::kJson:
    case PropType::kClass:
      return ValueKind::kJson;
    default:
      return ValueKind::kString;
  }
}

// What a prop of a type takes, and what a piece of data is, in sentences for people.
const char* NameOf(PropType type) {
  static constexpr const char* kNames[] = {
      "",      "a string",           "a number", "a boolean", "a date",
      "bytes", "a name of its enum", "an id",    "json",      "an object of its class"};
  return kNames[static_cast<int>(type)];
}

const char* NameOf(Data::Kind kind) {
  static constexpr const char* kNames[] = {"null",  "a boolean", "a number", "a string",
                                           "bytes", "json",      "a list",   "an object"};
  return kNames[static_cast<int>(kind)];
}

Status WrongType(const PropDef& prop, const Data& data) {
  return {Code::kWrongType,
          std::string("takes ") + NameOf(prop.type) + ", and " + NameOf(data.kind()) + " came"};
}

bool IsEnumMember(const PropDef& prop, const std::string& name) {
  for (const std::string& value : prop.enum_values) {
    if (value == name) return true;
  }
  return false;
}

// {"$type": type, "v": …}, or null.
const Data* Envelope(const Data& data, std::string_view type) {
  return data.is_object() && data["$type"].as_string() == type ? data.Find("v") : nullptr;
}

Result<Value> DateFromData(const PropDef& prop, const Data& data) {
  const Data* v = Envelope(data, "date");
  const Data& ms = v ? *v : data;
  if (!ms.is_number()) return WrongType(prop, ms);
  return Value::Date(ms.as_number());
}

Result<Value> BytesFromData(const PropDef& prop, const Data& data) {
  const Data* v = Envelope(data, "bytes");
  const Data& content = v ? *v : data;
  if (content.is_bytes()) return Value::Bytes(content.as_bytes());
  std::string bytes;
  if (!content.is_string() || !Base64Decode(content.as_string(), &bytes)) {
    return WrongType(prop, content);
  }
  return Value::Bytes(std::move(bytes));
}

}  // namespace

Status CheckValue(const TableDef& table, const PropDef& prop, const Value& value) {
  const auto wrong = [&](Code code, const char* why) {
    return Status(code, table.name + "." + prop.name + ": " + why);
  };
  if (value.is_null()) {
    return prop.optional ? Status::Ok() : wrong(Code::kMissingProp, "must not be null");
  }
  if (value.kind() != KindOf(prop.type)) return wrong(Code::kWrongType, "a value of another type");
  switch (prop.type) {
    case PropType::kNumber:
      if (!std::isfinite(value.number())) return wrong(Code::kWrongType, "not a finite number");
      break;
    case PropType::kDate:
      if (!(std::abs(value.number()) <= kMaxTimeMs) || std::trunc(value.number()) != value.number())
        return wrong(Code::kWrongType, "not a valid date");
      break;
    case PropType::kEnum:
      if (!IsEnumMember(prop, value.text()))
        return wrong(Code::kWrongType, "not a member of the enum");
      break;
    case PropType::kRef:
      if (value.text().empty() || value.text().size() > kMaxIdBytes ||
          !IsStorableText(value.text()))
        return wrong(Code::kInvalidId, "not an id");
      break;
    case PropType::kString:
      if (!IsStorableText(value.text()))
        return wrong(Code::kWrongType, "text that no database can hold");
      break;
    case PropType::kJson:
    case PropType::kClass:
      if (!IsStorableJson(value.text()))
        return wrong(Code::kWrongType, "text that no database can hold");
      break;
    default:
      break;
  }
  if (value.text().size() > kMaxObjectBytes)
    return wrong(Code::kLimit, "larger than an object may be");
  return Status::Ok();
}

Status CheckNewValue(const TableDef& table, const PropDef& prop, const Value& value) {
  SKERRY_RETURN_IF_ERROR(CheckValue(table, prop, value));
  if (value.kind() != ValueKind::kDate || value.number() >= kFirstDateMs) return Status::Ok();
  return {Code::kWrongType,
          table.name + "." + prop.name + ": a date before 4714 BC, which no database can hold"};
}

const Value& DefaultOrNull(const PropDef& prop) {
  static const Value kNothing;
  return prop.has_default && !prop.optional ? prop.default_value : kNothing;
}

Value ConvertValue(const TableDef& table, const PropDef& prop, Value value, bool* left_out) {
  if (value.is_null()) return DefaultOrNull(prop);
  if (CheckValue(table, prop, value).ok()) return value;
  *left_out = true;
  return DefaultOrNull(prop);
}

Result<Value> ValueFromData(const PropDef& prop, const Data& data) {
  if (data.is_null()) return Value::Null();
  const bool any = prop.type == PropType::kJson || prop.type == PropType::kClass;
  if (any && data.kind() == Data::Kind::kJson) return Value::Json(data.as_json());
  if (any && !IsFiniteTree(data))
    return Status(Code::kWrongType, "holds a number that is not finite");
  switch (prop.type) {
    case PropType::kNumber:
      if (!data.is_number()) return WrongType(prop, data);
      return Value::Number(data.as_number());
    case PropType::kBoolean:
      if (!data.is_bool()) return WrongType(prop, data);
      return Value::Bool(data.as_bool());
    case PropType::kDate:
      return DateFromData(prop, data);
    case PropType::kBytes:
      return BytesFromData(prop, data);
    case PropType::kJson:
      return Value::Json(WriteJson(data));
    case PropType::kClass:
      if (!data.is_object() || data["$type"].as_string() != prop.type_name) {
        return WrongType(prop, data);
      }
      return Value::Json(WriteJson(data));
    case PropType::kEnum: {
      const Data* v = prop.type_name.empty() ? nullptr : Envelope(data, prop.type_name);
      const Data& name = v ? *v : data;
      if (!name.is_string()) return WrongType(prop, name);
      return Value::String(name.as_string());
    }
    default:
      if (!data.is_string()) return WrongType(prop, data);
      return Value::String(data.as_string());
  }
}

Data ValueToData(const PropDef& prop, const Value& value, bool bytes_as_base64) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return {};
    case ValueKind::kBool:
      return Data(value.boolean());
    case ValueKind::kNumber:
    case ValueKind::kDate:
      return Data(value.number());
    case ValueKind::kBytes:
      return bytes_as_base64 ? Data(Base64Encode(value.text())) : Data::Bytes(value.text());
    case ValueKind::kJson:
      return Data::Json(value.text());
    default:
      (void)prop;
      return Data(value.text());
  }
}

}  // namespace skerry
