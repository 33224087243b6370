#include "log/wire.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/sort.h"
#include "base/text.h"
#include "base/vector.h"

namespace skerry {
namespace {

constexpr size_t kMaxQuoted = 64;

Status CheckShortText(const Data& data, size_t limit, const char* what) {
  const std::string& text = data.as_string();
  if (!data.is_string() || text.empty())
    return {Code::kInvalidArgument, std::string(what) + " must be text"};
  if (text.size() > limit) {
    return {Code::kLimit,
            std::string(what) + " is longer than " + std::to_string(limit) + " bytes"};
  }
  if (!IsStorableText(text)) {
    return {Code::kInvalidArgument, std::string(what) + " holds text that no database can hold"};
  }
  return Status::Ok();
}

Status CheckPlainAt(const Data& data, int depth) {
  if ((data.is_array() || data.is_object()) && depth >= kMaxValueDepth) {
    return {Code::kLimit, "deeper than " + std::to_string(kMaxValueDepth)};
  }
  switch (data.kind()) {
    case Data::Kind::kNumber:
      if (!std::isfinite(data.as_number())) return {Code::kWrongType, "not a finite number"};
      return Status::Ok();
    case Data::Kind::kString:
      if (!IsStorableText(data.as_string()))
        return {Code::kWrongType, "text that no database can hold"};
      return Status::Ok();
    case Data::Kind::kArray:
      for (const Data& item : data.items()) SKERRY_RETURN_IF_ERROR(CheckPlainAt(item, depth + 1));
      return Status::Ok();
    case Data::Kind::kObject:
      for (const Data::Member& member : data.members()) {
        if (!IsStorableText(member.first))
          return {Code::kWrongType, "a key that no database can hold"};
        SKERRY_RETURN_IF_ERROR(CheckPlainAt(member.second, depth + 1));
      }
      return Status::Ok();
    default:
      return Status::Ok();
  }
}

bool HoldsJson(const PropDef& prop) {
  return prop.type == PropType::kJson || prop.type == PropType::kClass;
}

Status CheckEnvelope(const Data& data) {
  const Data* type = data.Find("$type");
  if (type == nullptr) return Status::Ok();
  if (!type->is_string())
    return {Code::kInvalidArgument, "an envelope whose $type is not a string"};
  if (type->as_string() == "date") {
    const Data& ms = data["v"];
    if (CheckTime(ms).ok() && std::trunc(ms.as_number()) == ms.as_number()) return Status::Ok();
    return {Code::kInvalidArgument, "an envelope of a date without a date"};
  }
  if (type->as_string() != "bytes" || data["v"].is_bytes()) return Status::Ok();
  std::string bytes;
  if (data["v"].is_string() && Base64Decode(data["v"].as_string(), &bytes)) return Status::Ok();
  return {Code::kInvalidArgument, "an envelope of bytes without base64"};
}

Result<Value> ReadValue(const TableDef& table, const PropDef& prop, const Data& data,
                        Origin origin) {
  if (data.is_null() && origin == Origin::kStored) return Value::Null();
  if (HoldsJson(prop)) {
    Status plain = CheckStorableTree(data);
    if (plain.ok() && origin == Origin::kMade) plain = CheckEnvelopes(data);
    if (!plain.ok()) return At(table.name + "." + prop.name, plain);
  }
  Result<Value> value = ValueFromData(prop, data);
  if (!value.ok()) return At(table.name + "." + prop.name, value.status());
  SKERRY_RETURN_IF_ERROR(origin == Origin::kMade ? CheckNewValue(table, prop, value.value())
                                                 : CheckValue(table, prop, value.value()));
  return value;
}

// Writes the JSON only if an upper bound (an escape takes six bytes for one) exceeds the limit.
Status CheckObjectSize(const TableDef& table, const Data& data, const Vector<PropValue>& set) {
  size_t most = 2;
  for (const PropValue& change : set) {
    most += table.props[change.prop].name.size() + 40 + 6 * change.value.text().size();
  }
  if (most <= kMaxObjectBytes || WriteJson(data).size() <= kMaxObjectBytes) return Status::Ok();
  return {Code::kLimit,
          table.name + ": an object larger than " + std::to_string(kMaxObjectBytes) + " bytes"};
}

}  // namespace

std::string QuoteForDetail(std::string_view text) {
  if (!IsStorableText(text)) return "(unreadable)";
  if (text.size() <= kMaxQuoted) return "\"" + std::string(text) + '"';
  size_t end = kMaxQuoted;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return "\"" + std::string(text.substr(0, end)) + "…\"";
}

Status At(std::string_view place, const Status& status) {
  return {status.code(), std::string(place) + ": " + status.detail()};
}

Status NoTable(std::string_view table) {
  return {Code::kUnknownTable, "there is no table " + QuoteForDetail(table)};
}
Status NoProp(std::string_view table, std::string_view prop) {
  return {Code::kUnknownProp, std::string(table) + " has no prop " + QuoteForDetail(prop)};
}

Status CheckRealm(const Data& data) { return CheckShortText(data, kMaxIdBytes, "a realm"); }

Status CheckName(const Data& data) { return CheckShortText(data, kMaxNameBytes, "a name"); }

Status CheckUuid(const Data& data) {
  Uuid uuid;
  if (ParseUuid(data.as_string(), &uuid)) return Status::Ok();
  return {Code::kInvalidId, "an id is a UUID in lower case"};
}

Status CheckTime(const Data& data) {
  if (data.is_number() && std::abs(data.as_number()) <= kMaxTimeMs) return Status::Ok();
  return {Code::kInvalidArgument, "a time is a number of milliseconds"};
}

double ClockOffset(std::optional<double> read, double otherwise) {
  return read.has_value() && std::abs(*read) <= kMaxTimeMs / 2 ? *read : otherwise;
}

Status CheckStorableTree(const Data& data) { return CheckPlainAt(data, 0); }

Status CheckEnvelopes(const Data& data) {
  if (data.is_array()) {
    for (const Data& item : data.items()) SKERRY_RETURN_IF_ERROR(CheckEnvelopes(item));
  }
  if (!data.is_object()) return Status::Ok();
  for (const Data::Member& member : data.members())
    SKERRY_RETURN_IF_ERROR(CheckEnvelopes(member.second));
  return CheckEnvelope(data);
}

Status CheckEnvelopesIn(std::string_view json) {
  if (json.find("\"$type\"") == std::string_view::npos) return Status::Ok();
  const Result<Data> data = ParseJson(json);
  return data.ok() ? CheckEnvelopes(data.value()) : data.status();
}

bool ReadU64(const Data& data, uint64_t* out) {
  constexpr uint64_t kNoNumber = ~uint64_t{0};
  *out = data.as_u64(kNoNumber);
  return *out != kNoNumber;
}

// A value that is too large has a place, and is refused like that of any client.
bool HasPlaceFor(const TableDef& table, const PropDef& prop, const Data& data) {
  if (data.is_null()) return prop.optional;
  const Result<Value> value = ReadValue(table, prop, data, Origin::kMade);
  return value.ok() || value.status().code() == Code::kLimit;
}

Result<Vector<PropValue>> SetFromData(const TableDef& table, const Data& data, Origin origin,
                                      bool* left_out) {
  if (!data.is_object())
    return Status(Code::kInvalidArgument, table.name + ": `set` must be an object");
  Vector<PropValue> set;
  set.reserve(data.members().size());
  for (const Data::Member& member : data.members()) {
    const PropIndex index = table.FindProp(member.first);
    if (index == kNone && left_out != nullptr) {
      *left_out = true;
      continue;
    }
    if (index == kNone) return NoProp(table.name, member.first);
    Result<Value> value = ReadValue(table, table.props[index], member.second, origin);
    if (!value.ok() && left_out != nullptr) {
      *left_out = true;
      value = DefaultOrNull(table.props[index]);
    }
    if (!value.ok()) return value.status();
    set.push_back({index, std::move(value.value())});
  }
  Sort(set.begin(), set.end(),
       [](const PropValue& a, const PropValue& b) { return a.prop < b.prop; });
  for (size_t i = 1; i < set.size(); ++i) {
    if (set[i - 1].prop != set[i].prop) continue;
    return Status(Code::kInvalidArgument,
                  table.name + "." + table.props[set[i].prop].name + ": twice");
  }
  SKERRY_RETURN_IF_ERROR(CheckObjectSize(table, data, set));
  return set;
}

Data SetToData(const TableDef& table, const Vector<PropValue>& set) {
  Data data = Data::MakeObject();
  for (const PropValue& change : set) {
    const PropDef& prop = table.props[change.prop];
    data.mutable_members().emplace_back(prop.name,
                                        ValueToData(prop, change.value, /*bytes_as_base64=*/true));
  }
  return data;
}

}  // namespace skerry
