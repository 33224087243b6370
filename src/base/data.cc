#include "base/data.h"

#include <cmath>
#include <new>

#include "base/bytes.h"
#include "base/limits.h"

namespace skerry {
namespace {

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53
constexpr size_t kLargeBytes = 64u << 10;

enum Tag : uint8_t {
  kTagNull = 0,
  kTagFalse = 1,
  kTagTrue = 2,
  kTagF64 = 3,
  kTagInteger = 4,
  kTagString = 5,
  kTagBytes = 6,
  kTagArray = 7,
  kTagObject = 8,
  kTagJson = 9,
};

bool IsExactInteger(double v) {
  return std::abs(v) <= kMaxExactInteger && std::trunc(v) == v && !(v == 0 && std::signbit(v));
}

void EncodeNumber(double v, std::string* out) {
  if (!IsExactInteger(v)) {
    PutU8(out, kTagF64);
    PutF64(out, v);
    return;
  }
  const auto integer = static_cast<int64_t>(v);
  PutU8(out, kTagInteger);
  PutVarint(out, static_cast<uint64_t>(integer) << 1 ^ static_cast<uint64_t>(integer >> 63));
}

Data Decode(Reader* in, int depth);

Data DecodeArray(Reader* in, int depth) {
  const uint64_t count = in->Varint();
  if (count > in->remaining()) in->Fail();  // Every element takes at least one byte.
  Data::Array items;
  if (!in->failed()) items.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count && !in->failed(); ++i) items.push_back(Decode(in, depth + 1));
  return Data(std::move(items));
}

Data DecodeObject(Reader* in, int depth) {
  const uint64_t count = in->Varint();
  if (count > in->remaining()) in->Fail();
  Data::Object members;
  if (!in->failed()) members.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count && !in->failed(); ++i) {
    std::string key(in->Text());
    members.emplace_back(std::move(key), Decode(in, depth + 1));
  }
  return Data(std::move(members));
}

Data Decode(Reader* in, int depth) {
  if (depth > kMaxDataDepth) in->Fail();
  const uint8_t tag = in->U8();
  if (in->failed()) return {};
  switch (tag) {
    case kTagNull:
      return {};
    case kTagFalse:
      return Data(false);
    case kTagTrue:
      return Data(true);
    case kTagF64:
      return Data(in->F64());
    case kTagInteger: {
      const uint64_t zigzag = in->Varint();
      return Data(static_cast<double>(static_cast<int64_t>(zigzag >> 1) ^
                                      -static_cast<int64_t>(zigzag & 1)));
    }
    case kTagString:
      return Data(in->Text());
    case kTagBytes:
      return Data::Bytes(std::string(in->Text()));
    case kTagJson:
      return Data::Json(std::string(in->Text()));
    case kTagArray:
      return DecodeArray(in, depth);
    case kTagObject:
      return DecodeObject(in, depth);
    default:
      in->Fail();
      return {};
  }
}

}  // namespace

Data::Data(std::string v) : kind_(Kind::kString), text_(std::move(v)) {}
Data::Data(std::string_view v) : kind_(Kind::kString), text_(v) {}
Data::Data(const char* v) : Data(std::string_view(v)) {}
Data::Data(Array v) : kind_(Kind::kArray), array_(std::move(v)) {}
Data::Data(Object v) : kind_(Kind::kObject), object_(std::move(v)) {}
Data::Data(const Data& other) : Data() { CopyFrom(other); }
Data::Data(Data&& other) noexcept : Data() { MoveFrom(&other); }

Data& Data::operator=(const Data& other) {
  if (this == &other) return *this;
  // `other` may be a part of this value, so it is copied before this value is destroyed.
  Data copy(other);
  return *this = std::move(copy);
}

Data& Data::operator=(Data&& other) noexcept {
  if (this == &other) return *this;
  Data taken;
  taken.MoveFrom(&other);
  if (kind_ >= Kind::kString) Destroy();
  MoveFrom(&taken);
  return *this;
}

Data Data::Bytes(std::string v) {
  Data data(std::move(v));
  data.kind_ = Kind::kBytes;
  return data;
}

Data Data::Json(std::string text) {
  Data data(std::move(text));
  data.kind_ = Kind::kJson;
  return data;
}

Data Data::MakeArray() { return Data(Array{}); }
Data Data::MakeObject() { return Data(Object{}); }

void Data::Destroy() {
  if (kind_ == Kind::kArray) {
    array_.~Array();
  } else if (kind_ == Kind::kObject) {
    object_.~Object();
  } else {
    std::destroy_at(&text_);
  }
  kind_ = Kind::kNull;
  number_ = 0;
}

void Data::CopyFrom(const Data& other) {
  if (other.kind_ == Kind::kArray) {
    new (&array_) Array(other.array_);
  } else if (other.kind_ == Kind::kObject) {
    new (&object_) Object(other.object_);
  } else if (other.kind_ >= Kind::kString) {
    new (&text_) std::string(other.text_);
  } else {
    number_ = other.number_;
  }
  kind_ = other.kind_;
}

void Data::MoveFrom(Data* other) {
  if (other->kind_ == Kind::kArray) {
    new (&array_) Array(std::move(other->array_));
  } else if (other->kind_ == Kind::kObject) {
    new (&object_) Object(std::move(other->object_));
  } else if (other->kind_ >= Kind::kString) {
    new (&text_) std::string(std::move(other->text_));
  } else {
    number_ = other->number_;
  }
  kind_ = other->kind_;
  if (other->kind_ >= Kind::kString) other->Destroy();
}

Data::Array& Data::mutable_items() {
  SKERRY_CHECK(is_array());
  return array_;
}

Data::Object& Data::mutable_members() {
  SKERRY_CHECK(is_object());
  return object_;
}

bool Data::as_bool(bool fallback) const { return is_bool() ? number_ != 0 : fallback; }
double Data::as_number(double fallback) const { return is_number() ? number_ : fallback; }
bool Data::Is(const char* text) const { return is_string() && text_ == text; }

uint64_t Data::as_u64(uint64_t fallback) const {
  if (!is_number() || !(number_ >= 0) || number_ > kMaxExactInteger ||
      std::trunc(number_) != number_)
    return fallback;
  return static_cast<uint64_t>(number_);
}

const std::string& Data::as_string() const {
  static const std::string empty;
  return is_string() ? text_ : empty;
}

const std::string& Data::as_bytes() const {
  static const std::string empty;
  return is_bytes() ? text_ : empty;
}

const std::string& Data::as_json() const {
  static const std::string null = "null";
  return kind_ == Kind::kJson ? text_ : null;
}

const Data::Array& Data::items() const {
  static const Array empty;
  return is_array() ? array_ : empty;
}

const Data::Object& Data::members() const {
  static const Object empty;
  return is_object() ? object_ : empty;
}

const Data* Data::Find(std::string_view key) const {
  for (const Member& member : members()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

const Data& Data::operator[](std::string_view key) const {
  static const Data null;
  const Data* found = Find(key);
  return found ? *found : null;
}

Data& Data::Set(std::string_view key, Data value) {
  SKERRY_CHECK(is_object());
  for (Member& member : object_) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  object_.emplace_back(std::string(key), std::move(value));
  return *this;
}

const Data& Data::operator[](const char* key) const { return (*this)[std::string_view(key)]; }
Data& Data::Set(const char* key, const Data& value) { return Set(std::string_view(key), value); }
Data& Data::Set(const char* key, Data&& value) {
  return Set(std::string_view(key), std::move(value));
}
Data& Data::Set(const char* key, const char* value) { return Set(key, Data(value)); }
Data& Data::Set(const char* key, const std::string& value) { return Set(key, Data(value)); }
Data& Data::Set(const char* key, std::string&& value) { return Set(key, Data(std::move(value))); }
Data& Data::Set(const char* key, std::nullptr_t) { return Set(key, Data()); }
Data& Data::SetBool(const char* key, bool value) { return Set(key, Data(value)); }
Data& Data::SetNumber(const char* key, double value) { return Set(key, Data(value)); }

void Data::Remove(std::string_view key) {
  for (size_t i = 0; i < object_.size(); ++i) {
    if (object_[i].first != key) continue;
    object_.erase(object_.begin() + static_cast<ptrdiff_t>(i));
    return;
  }
}

Data& Data::Push(Data value) {
  SKERRY_CHECK(is_array());
  array_.push_back(std::move(value));
  return *this;
}

bool operator==(const Data& a, const Data& b) {
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
    case Data::Kind::kArray:
      return a.array_ == b.array_;
    case Data::Kind::kObject: {
      if (a.object_.size() != b.object_.size()) return false;
      for (const Data::Member& member : a.object_) {
        const Data* other = b.Find(member.first);
        if (!other || !(*other == member.second)) return false;
      }
      return true;
    }
    case Data::Kind::kString:
    case Data::Kind::kBytes:
    case Data::Kind::kJson:
      return a.text_ == b.text_;
    default:
      return a.number_ == b.number_;
  }
}

void EncodeData(const Data& data, std::string* out) {
  switch (data.kind()) {
    case Data::Kind::kNull:
      return PutU8(out, kTagNull);
    case Data::Kind::kBool:
      return PutU8(out, data.as_bool() ? kTagTrue : kTagFalse);
    case Data::Kind::kNumber:
      return EncodeNumber(data.as_number(), out);
    case Data::Kind::kString:
      PutU8(out, kTagString);
      return PutText(out, data.as_string());
    case Data::Kind::kBytes:
      // Little follows a large body. Reserving room for it now saves copying the body again.
      if (data.as_bytes().size() > kLargeBytes) {
        out->reserve(out->size() + data.as_bytes().size() + kLargeBytes);
      }
      PutU8(out, kTagBytes);
      return PutText(out, data.as_bytes());
    case Data::Kind::kJson:
      PutU8(out, kTagJson);
      return PutText(out, data.as_json());
    case Data::Kind::kArray:
      PutU8(out, kTagArray);
      PutVarint(out, data.items().size());
      for (const Data& item : data.items()) EncodeData(item, out);
      return;
    case Data::Kind::kObject:
      PutU8(out, kTagObject);
      PutVarint(out, data.members().size());
      for (const Data::Member& member : data.members()) {
        PutText(out, member.first);
        EncodeData(member.second, out);
      }
      return;
  }
}

std::string EncodeData(const Data& data) {
  std::string out;
  EncodeData(data, &out);
  return out;
}

Result<Data> DecodeData(std::string_view bytes) {
  Reader in(bytes);
  Data data = Decode(&in, 0);
  if (!in.AtEnd())
    return Status(Code::kParse, "damaged binary data at byte " + std::to_string(in.position()));
  return data;
}

}  // namespace skerry
