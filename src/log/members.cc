#include "log/members.h"

#include <cmath>
#include <cstddef>

namespace skerry {

bool Fits(const Data& data, const double*) {
  return data.is_number() && std::isfinite(data.as_number());
}

bool IsMapOf(const Data& data, DataTest fits) {
  if (!data.is_object()) return false;
  for (const auto& [name, value] : data.members()) {
    if (!fits(value)) return false;
  }
  return true;
}

bool IsListOf(const Data& data, DataTest fits) {
  if (!data.is_array()) return false;
  for (const Data& item : data.items()) {
    if (!fits(item)) return false;
  }
  return true;
}

size_t TextIndex(const Data& value, const char* const* texts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (value.Is(texts[i])) return i;
  }
  return 0;
}

MemberReader::MemberReader(Data object)
    : object_(object.is_object() ? std::move(object) : Data::MakeObject()) {}

Data MemberReader::Take(const char* name) {
  const uint32_t bit = bit_;
  bit_ <<= 1;
  Data::Object& members = object_.mutable_members();
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].first != name) continue;
    Data value = std::move(members[i].second);
    members.erase(members.begin() + static_cast<ptrdiff_t>(i));
    return value;
  }
  absent_ |= bit;
  return {};
}

void MemberReader::Bytes(const char* name, String& out) {
  const Data value = Take(name);
  if (value.is_bytes()) out = value.as_bytes();
}

void MemberReader::Bytes(const char* name, std::optional<String>& out) {
  const Data value = Take(name);
  if (value.is_bytes()) out = value.as_bytes();
}

Rest MemberReader::Finish() {
  Rest rest;
  rest.absent = absent_;
  if (!object_.members().empty()) rest.unknown = std::move(object_);
  return rest;
}

bool MemberWriter::MayWrite(bool is_first) {
  const bool was_absent = (rest_->absent & bit_) != 0;
  bit_ <<= 1;
  return !was_absent || !is_first;
}

void MemberWriter::Bytes(const char* name, const String& value) {
  if (MayWrite(value.empty())) Put(name, Data::Bytes(value));
}

void MemberWriter::Bytes(const char* name, const std::optional<String>& value) {
  if (MayWrite(!value.has_value())) Put(name, value.has_value() ? Data::Bytes(*value) : Data());
}

void MemberWriter::Put(const char* name, Data value) {
  object_.mutable_members().emplace_back(name, std::move(value));
}

Data MemberWriter::Finish() {
  for (const Data::Member& member : rest_->unknown.members()) {
    object_.mutable_members().push_back(member);
  }
  return std::move(object_);
}

}  // namespace skerry
