// Members: reads a record of IndexedDB into a struct, and writes it back. A struct lists its
// members once; a generic reader and a generic writer run over that list:
//
//   struct Example {
//     uint64_t n = 0;
//     std::optional<std::string> name;
//     PreservedFields rest;
//     template <typename Self, typename Visitor>
//     static void Each(Self& self, Visitor& member) {
//       member("n", self.n).Require(IsCount);
//       member.Optional("name", self.name);
//     }
//   };
//
// Any script of the origin may have written to the database. So a member with a value of a wrong
// type is read as if it were missing: it keeps its first value (0, empty, none). A struct whose
// required members do not fit is such a value itself. Lists and maps leave out items that do not
// fit. Unknown fields are preserved in `rest`; a struct that is never written back needs none.
//
// ReadStrictly is for messages of the wire, which are refused as a whole if anything in them is
// wrong: a value of a wrong type, a required member that is missing, an item that does not fit. A
// member that is null counts as missing. Unknown members are left alone: another release sends them.
#ifndef SKERRY_LOG_MEMBERS_H_
#define SKERRY_LOG_MEMBERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/member_values.h"

namespace skerry {

// What the writer has to know about the stored record.
struct PreservedFields {
  Data unknown;         // unknown fields; null: none
  uint32_t absent = 0;  // a bit for each missing member: it is not written while it has its first
                        // value
  friend bool operator==(const PreservedFields&, const PreservedFields&) = default;
};

class Members;
template <typename T>
concept HasMembers = requires(T& self, Members& members) { T::Each(self, members); };

template <typename T>
bool CanRead(const Data& data, const Vector<T>*) {
  return data.is_array();
}
template <typename T>
bool CanRead(const Data& data, const Map<std::string, T>*) {
  return data.is_object();
}
template <HasMembers T>
bool CanRead(const Data& data, const T*);
// In a list: null stands for an item that is not there.
template <typename T>
bool CanRead(const Data& data, const std::optional<T>*);
// One of several structs: the first whose required members fit.
template <typename... T>
bool CanRead(const Data& data, const std::variant<T...>*);
// A list of a fixed length.
template <typename... T>
bool CanRead(const Data& data, const std::tuple<T...>*);

// Tests for members that are required.
using DataTest = bool (*)(const Data&);
inline bool IsText(const Data& data) { return data.is_string() && !data.as_string().empty(); }
inline bool IsBytes(const Data& data) { return data.is_bytes(); }
template <typename T>
bool Is(const Data& data) {
  return CanRead(data, static_cast<const T*>(nullptr));
}
template <typename T>
bool IsNullOr(const Data& data) {
  return data.is_null() || Is<T>(data);
}
bool IsMapOf(const Data& data, DataTest fits);
bool IsListOf(const Data& data, DataTest fits);
template <typename T>
bool IsMapOf(const Data& data) {
  return IsMapOf(data, Is<T>);
}
template <typename T>
bool IsListOf(const Data& data) {
  return IsListOf(data, Is<T>);
}

// REQUIRES: the value fits. `wrong` null: a lenient reader.
template <typename T>
void FromData(Data&& data, Vector<T>* out, WrongAt* wrong = nullptr);
template <typename T>
void FromData(Data&& data, Map<std::string, T>* out, WrongAt* wrong = nullptr);
template <HasMembers T>
void FromData(Data&& data, T* out, WrongAt* wrong = nullptr);
template <typename T>
void FromData(Data&& data, std::optional<T>* out, WrongAt* wrong = nullptr);
template <typename... T>
void FromData(Data&& data, std::variant<T...>* out, WrongAt* wrong = nullptr);
template <typename... T>
void FromData(Data&& data, std::tuple<T...>* out);

template <typename T>
void ReadInto(Data&& data, T* out, WrongAt* wrong) {
  if constexpr (requires { FromData(std::move(data), out, wrong); }) {
    FromData(std::move(data), out, wrong);
  } else {
    FromData(std::move(data), out);
  }
}

template <typename T>
Data ToData(const Vector<T>& list);
template <typename T>
Data ToData(const Map<std::string, T>& map);
template <HasMembers T>
Data ToData(const T& self);
template <typename... T>
Data ToData(const std::variant<T...>& one);
template <typename... T>
Data ToData(const std::tuple<T...>& list);
template <typename T>
Data ToData(const std::optional<T>& value) {
  return value.has_value() ? ToData(*value) : Data();
}

template <typename T>
bool IsDefaultValue(const T& value) {
  if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else if constexpr (requires { value.has_value(); }) {
    return !value.has_value();
  } else if constexpr (requires { value == T(); }) {
    return value == T();
  } else {
    return false;  // always written
  }
}

// The functions by which the reader and the writer handle members of one type.
struct MemberType {
  bool (*fits)(const Data& data);
  void (*read)(Data&& data, void* member, WrongAt* wrong);
  Data (*write)(const void* member);
  bool (*is_first)(const void* member);
};

template <typename T>
inline constexpr MemberType kMemberType = {
    Is<T>,
    [](Data&& data, void* member, WrongAt* wrong) {
      ReadInto(std::move(data), static_cast<T*>(member), wrong);
    },
    [](const void* member) { return ToData(*static_cast<const T*>(member)); },
    [](const void* member) { return IsDefaultValue(*static_cast<const T*>(member)); }};

// Written as null if it has no value.
template <typename T>
inline constexpr MemberType kMemberType<std::optional<T>> = {
    kMemberType<T>.fits,
    [](Data&& data, void* member, WrongAt* wrong) {
      ReadInto(std::move(data), &static_cast<std::optional<T>*>(member)->emplace(), wrong);
    },
    [](const void* member) { return ToData(*static_cast<const std::optional<T>*>(member)); },
    [](const void* member) { return !static_cast<const std::optional<T>*>(member)->has_value(); }};

template <typename T>
inline constexpr MemberType kMemberType<DataOf<T>> = kMemberType<Data>;

// The members of one struct, listed by its `Each`.
class Members {
 public:
  template <typename T>
  Members& operator()(const char* name, T& member) {
    return Add(name, &member, &kMemberType<T>);
  }
  // Not written while it has its first value.
  template <typename T>
  void Optional(const char* name, T& member) {
    AddOptional(name, &member, &kMemberType<T>);
  }
  Members& Bytes(const char* name, std::string& member);
  void Bytes(const char* name, std::optional<std::string>& member);
  // One of these texts, in the order of the enumeration. Any other text is read as the first.
  template <typename E, size_t count>
  Members& Text(const char* name, E& member, const char* const (&texts)[count]) {
    static_assert(sizeof(E) == sizeof(uint8_t));
    return AddText(name, &member, texts, count);
  }
  // The member that was listed last has to pass this test. Otherwise the struct cannot be read.
  void Require(DataTest test);

  bool CanRead(const Data& data) const;
  // `rest` null: the struct has none. `wrong` null: a lenient reader.
  void Read(Data stored, PreservedFields* rest, WrongAt* wrong) const;
  // `type`, unless it is null, is the value of a first member `type`.
  Data Write(const PreservedFields* rest, const char* type) const;

 private:
  struct Member {
    const char* name;
    void* place;
    const MemberType* type;  // null: one of `texts`
    bool is_optional = false;
    const char* const* texts = nullptr;
    size_t count = 0;
    DataTest required = nullptr;
  };
  static constexpr size_t kMaxMembers = 32;  // the number of bits of PreservedFields::absent

  // With few arguments, because there are hundreds of calls.
  SKERRY_OUT_OF_LINE Members& Add(const char* name, void* place, const MemberType* type);
  SKERRY_OUT_OF_LINE void AddOptional(const char* name, void* place, const MemberType* type);
  SKERRY_OUT_OF_LINE Members& AddText(const char* name, void* place, const char* const* texts,
                                      size_t count);

  Member members_[kMaxMembers];
  size_t count_ = 0;
};

// Lists the members of a struct whose type is known only to this function, so that the functions
// below are compiled once and not for each type.
using ListMembers = void (*)(void* self, Members* members);
template <HasMembers T>
inline constexpr ListMembers kListMembers =
    [](void* self, Members* members) { T::Each(*static_cast<T*>(self), *members); };

template <typename T>
PreservedFields* RestOf(T* self) {
  if constexpr (requires { self->rest; }) {
    return &self->rest;
  } else {
    return nullptr;
  }
}

// `blank`: any value of the struct.
bool CanReadMembers(const Data& data, void* blank, ListMembers list);
void ReadMembers(Data&& data, void* out, ListMembers list, PreservedFields* rest, WrongAt* wrong);
// `list` null: the struct has no members. `type`: see Members::Write.
Data WriteMembers(const void* self, ListMembers list, const PreservedFields* rest,
                  const char* type);

template <HasMembers T>
bool CanReadMembers(const Data& data) {
  T blank;
  return CanReadMembers(data, &blank, kListMembers<T>);
}

template <HasMembers T>
bool CanRead(const Data& data, const T*) {
  return CanReadMembers<T>(data);
}

template <HasMembers T>
void ReadMembers(Data&& data, T* out, WrongAt* wrong = nullptr) {
  ReadMembers(std::move(data), out, kListMembers<T>, RestOf(out), wrong);
}

template <HasMembers T>
Data WriteMembers(const T& self) {
  return WriteMembers(&self, kListMembers<T>, RestOf(const_cast<T*>(&self)), nullptr);
}

template <HasMembers T>
void FromData(Data&& data, T* out, WrongAt* wrong) {
  if (!data.is_null()) ReadMembers(std::move(data), out, wrong);
}

template <HasMembers T>
Data ToData(const T& self) {
  return WriteMembers(self);
}

// Lists and maps of any type: compiled once. `add` and `place` make an item, and return where it is.
void ReadList(Data&& data, const MemberType& type, void* list, void* (*add)(void* list),
              WrongAt* wrong);
void ReadMap(Data&& data, const MemberType& type, void* map,
             void* (*place)(void* map, const std::string& name), WrongAt* wrong);
// `size`: of one item, in bytes.
Data WriteList(const MemberType& type, const void* items, size_t count, size_t size);

// An item is always written, so nobody asks whether it has its first value.
template <typename T>
inline constexpr MemberType kItemType = {
    Is<T>,
    [](Data&& data, void* item, WrongAt* wrong) {
      ReadInto(std::move(data), static_cast<T*>(item), wrong);
    },
    [](const void* item) { return ToData(*static_cast<const T*>(item)); }, nullptr};

template <typename T>
void FromData(Data&& data, Vector<T>* out, WrongAt* wrong) {
  out->clear();
  ReadList(
      std::move(data), kItemType<T>, out,
      [](void* list) -> void* { return &static_cast<Vector<T>*>(list)->emplace_back(); }, wrong);
}

template <typename T>
Data ToData(const Vector<T>& list) {
  return WriteList(kItemType<T>, list.data(), list.size(), sizeof(T));
}

template <typename T>
void FromData(Data&& data, Map<std::string, T>* out, WrongAt* wrong) {
  out->clear();
  ReadMap(
      std::move(data), kItemType<T>, out,
      [](void* map, const std::string& name) -> void* {
        return &(*static_cast<Map<std::string, T>*>(map))[name];
      },
      wrong);
}

template <typename T>
Data ToData(const Map<std::string, T>& map) {
  Data object = Data::MakeObject();
  for (const auto& [name, value] : map) object.mutable_members().emplace_back(name, ToData(value));
  return object;
}

template <typename T>
bool CanRead(const Data& data, const std::optional<T>*) {
  return data.is_null() || Is<T>(data);
}

template <typename T>
void FromData(Data&& data, std::optional<T>* out, WrongAt* wrong) {
  out->reset();
  if (!data.is_null()) ReadInto(std::move(data), &out->emplace(), wrong);
}

template <typename... T>
bool CanRead(const Data& data, const std::variant<T...>*) {
  return (Is<T>(data) || ...);
}

template <typename... T>
void FromData(Data&& data, std::variant<T...>* out, WrongAt* wrong) {
  static_cast<void>(
      ((Is<T>(data) && (ReadInto(std::move(data), &out->template emplace<T>(), wrong), true)) ||
       ...));
}

template <typename... T>
Data ToData(const std::variant<T...>& one) {
  return std::visit([](const auto& value) { return ToData(value); }, one);
}

template <typename... T>
bool CanRead(const Data& data, const std::tuple<T...>*) {
  if (!data.is_array() || data.items().size() != sizeof...(T)) return false;
  size_t i = 0;
  return (Is<T>(data.items()[i++]) && ...);
}

template <typename... T>
void FromData(Data&& data, std::tuple<T...>* out) {
  size_t i = 0;
  std::apply([&](T&... item) { (FromData(std::move(data.mutable_items()[i++]), &item), ...); },
             *out);
}

template <typename... T>
Data ToData(const std::tuple<T...>& list) {
  Data array = Data::MakeArray();
  std::apply([&](const T&... item) { (array.Push(ToData(item)), ...); }, list);
  return array;
}

// Reads a whole record. A value that is not an object is read as an empty object.
template <HasMembers T>
T ReadRecord(Data stored) {
  T record;
  FromData(std::move(stored), &record);
  return record;
}

template <HasMembers T>
WrongAt ReadStrictly(Data data, T* out) {
  WrongAt wrong;
  ReadMembers(std::move(data), out, &wrong);
  return wrong;
}

}  // namespace skerry

#endif  // SKERRY_LOG_MEMBERS_H_
