#include "log/value_codec.h"

namespace skerry {

void PutValue(const Value& value, std::string* out) {
  PutU8(out, static_cast<uint8_t>(value.kind()));
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kBool:
      return PutU8(out, value.boolean() ? 1 : 0);
    case ValueKind::kNumber:
    case ValueKind::kDate:
      return PutF64(out, value.number());
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      return PutText(out, value.text());
  }
}

Value TakeValue(Reader* in) {
  const uint8_t kind = in->U8();
  switch (static_cast<ValueKind>(kind)) {
    case ValueKind::kNull:
      return Value::Null();
    case ValueKind::kBool: {
      const uint8_t flag = in->U8();
      if (flag > 1) in->Fail();
      return Value::Bool(flag == 1);
    }
    case ValueKind::kNumber:
      return Value::Number(in->F64());
    case ValueKind::kString:
      return Value::String(std::string(in->Text()));
    case ValueKind::kDate:
      return Value::Date(in->F64());
    case ValueKind::kBytes:
      return Value::Bytes(std::string(in->Text()));
    case ValueKind::kJson:
      return Value::Json(std::string(in->Text()));
  }
  in->Fail();
  return Value::Null();
}

}  // namespace skerry
