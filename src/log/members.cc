#include "log/members.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "base/status.h"

namespace skerry {

void WrongAt::In(const std::string& name) {
  const bool is_item = path_.empty() || path_[0] == '[';
  path_ = name + (is_item ? "" : ".") + path_;
}

void WrongAt::In(size_t index) { In("[" + std::to_string(index) + "]"); }

bool CanRead(const Data& data, const double*) {
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

namespace {

constexpr MemberType kBytes = {
    IsBytes,
    [](Data&& data, void* member, WrongAt*) {
      *static_cast<std::string*>(member) = data.as_bytes();
    },
    [](const void* member) { return Data::Bytes(*static_cast<const std::string*>(member)); },
    [](const void* member) { return static_cast<const std::string*>(member)->empty(); }};

using MaybeBytes = std::optional<std::string>;
constexpr MemberType kMaybeBytes = {
    kBytes.fits,
    [](Data&& data, void* member, WrongAt*) {
      *static_cast<MaybeBytes*>(member) = data.as_bytes();
    },
    [](const void* member) {
      const auto* bytes = static_cast<const MaybeBytes*>(member);
      return bytes->has_value() ? Data::Bytes(**bytes) : Data();
    },
    [](const void* member) { return !static_cast<const MaybeBytes*>(member)->has_value(); }};

// The index of the value in `texts`; 0 if it is none of them.
size_t TextIndex(const Data& value, const char* const* texts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (value.Is(texts[i])) return i;
  }
  return 0;
}

}  // namespace

Members& Members::Bytes(const char* name, std::string& member) {
  return Add(name, &member, &kBytes);
}

void Members::Bytes(const char* name, std::optional<std::string>& member) {
  Add(name, &member, &kMaybeBytes);
}

void Members::Require(DataTest test) { members_[count_ - 1].required = test; }

Members& Members::Add(const char* name, void* place, const MemberType* type) {
  SKERRY_CHECK(count_ < kMaxMembers);
  members_[count_++] = {name, place, type};
  return *this;
}

void Members::AddOptional(const char* name, void* place, const MemberType* type) {
  Add(name, place, type);
  members_[count_ - 1].is_optional = true;
}

Members& Members::AddText(const char* name, void* place, const char* const* texts, size_t count) {
  Add(name, place, nullptr);
  members_[count_ - 1].texts = texts;
  members_[count_ - 1].count = count;
  return *this;
}

void ReadList(Data&& data, const MemberType& type, void* list, void* (*add)(void* list),
              WrongAt* wrong) {
  size_t count = 0;
  for (Data& item : data.mutable_items()) {
    const bool fits = type.fits(item);
    if (fits) type.read(std::move(item), add(list), wrong);
    if (wrong != nullptr) {
      if (!fits) wrong->Set();
      if (wrong->found()) return wrong->In(count);
    }
    count += fits;
  }
}

void ReadMap(Data&& data, const MemberType& type, void* map,
             void* (*place)(void* map, const std::string& name), WrongAt* wrong) {
  for (auto& [name, value] : data.mutable_members()) {
    const bool fits = type.fits(value);
    if (fits) type.read(std::move(value), place(map, name), wrong);
    if (wrong == nullptr) continue;
    if (!fits) wrong->Set();
    if (wrong->found()) return wrong->In(name);
  }
}

Data WriteList(const MemberType& type, const void* items, size_t count, size_t size) {
  Data array = Data::MakeArray();
  const auto* item = static_cast<const char*>(items);
  for (size_t i = 0; i < count; ++i, item += size) array.Push(type.write(item));
  return array;
}

bool CanReadMembers(const Data& data, void* blank, ListMembers list) {
  Members members;
  list(blank, &members);
  return members.CanRead(data);
}

void ReadMembers(Data&& data, void* out, ListMembers list, PreservedFields* rest, WrongAt* wrong) {
  Members members;
  list(out, &members);
  members.Read(std::move(data), rest, wrong);
}

Data WriteMembers(const void* self, ListMembers list, const PreservedFields* rest,
                  const char* type) {
  Members members;
  if (list != nullptr) list(const_cast<void*>(self), &members);
  return members.Write(rest, type);
}

bool Members::CanRead(const Data& data) const {
  if (!data.is_object()) return false;
  return std::all_of(members_, members_ + count_, [&](const Member& member) {
    return member.required == nullptr || member.required(data[member.name]);
  });
}

void Members::Read(Data stored, PreservedFields* out, WrongAt* wrong) const {
  if (wrong != nullptr && !stored.is_object()) return wrong->Set();
  Data object = stored.is_object() ? std::move(stored) : Data::MakeObject();
  Data::Object& found = object.mutable_members();
  PreservedFields rest;
  for (size_t i = 0; i < count_; ++i) {
    const Member& member = members_[i];
    const auto at = std::find_if(found.begin(), found.end(),
                                 [&](const auto& each) { return each.first == member.name; });
    Data value;
    const bool is_absent = at == found.end();
    if (is_absent) {
      rest.absent |= uint32_t{1} << i;
    } else {
      value = std::move(at->second);
      found.erase(at);
    }
    const bool fits = member.type == nullptr ? value.is_string() : member.type->fits(value);
    if (wrong != nullptr &&
        ((!fits && !value.is_null()) || (member.required != nullptr && !member.required(value)))) {
      wrong->Set();
    } else if (member.type == nullptr) {
      *static_cast<uint8_t*>(member.place) =
          static_cast<uint8_t>(TextIndex(value, member.texts, member.count));
    } else if (fits && !is_absent) {
      member.type->read(std::move(value), member.place, wrong);
    }
    if (wrong != nullptr && wrong->found()) return wrong->In(member.name);
  }
  if (out == nullptr) return;
  if (!found.empty()) rest.unknown = std::move(object);
  *out = std::move(rest);
}

Data Members::Write(const PreservedFields* kept, const char* type) const {
  const PreservedFields none;
  const PreservedFields& rest = kept == nullptr ? none : *kept;
  Data object = Data::MakeObject();
  const auto put = [&object](const char* name, Data value) {
    object.mutable_members().emplace_back(name, std::move(value));
  };
  if (type != nullptr) put("type", type);
  for (size_t i = 0; i < count_; ++i) {
    const Member& member = members_[i];
    if (member.type == nullptr) {
      put(member.name, member.texts[*static_cast<const uint8_t*>(member.place)]);
      continue;
    }
    const bool was_absent = (rest.absent >> i & 1) != 0;
    if (member.type->is_first(member.place) && (was_absent || member.is_optional)) continue;
    put(member.name, member.type->write(member.place));
  }
  for (const Data::Member& member : rest.unknown.members()) {
    object.mutable_members().push_back(member);
  }
  return object;
}

}  // namespace skerry
