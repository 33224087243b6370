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
#ifndef SKERRY_LOG_MEMBERS_H_
#define SKERRY_LOG_MEMBERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/transaction_builder.h"

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

// Low enough for the core to count up from it without losing precision.
inline constexpr uint64_t kMaxCount = uint64_t{1} << 52;
inline bool IsCount(const Data& data) { return data.as_u64(~uint64_t{0}) <= kMaxCount; }

// Whether a value can be read as a member of this type.
inline bool CanRead(const Data& data, const bool*) { return data.is_bool(); }
inline bool CanRead(const Data& data, const uint64_t*) { return IsCount(data); }
bool CanRead(const Data& data, const double*);  // finite
inline bool CanRead(const Data& data, const std::string*) { return data.is_string(); }
inline bool CanRead(const Data&, const Data*) { return true; }
inline bool CanRead(const Data& data, const Key*) { return data.is_number() || data.is_string(); }
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
// One of several structs: the first whose required members fit.
template <typename... T>
bool CanRead(const Data& data, const std::variant<T...>*);

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

// REQUIRES: the value fits.
inline void FromData(Data&& data, bool* out) { *out = data.as_bool(); }
inline void FromData(Data&& data, uint64_t* out) { *out = data.as_u64(); }
inline void FromData(Data&& data, double* out) { *out = data.as_number(); }
inline void FromData(Data&& data, std::string* out) { *out = data.as_string(); }
inline void FromData(Data&& data, Data* out) { *out = std::move(data); }
inline void FromData(Data&& data, Key* out) { *out = Key(std::move(data)); }
template <typename T>
void FromData(Data&& data, Vector<T>* out);
template <typename T>
void FromData(Data&& data, Map<std::string, T>* out);
template <HasMembers T>
void FromData(Data&& data, T* out);
template <typename... T>
void FromData(Data&& data, std::variant<T...>* out);

inline Data ToData(bool value) { return value; }
inline Data ToData(uint64_t value) { return value; }
inline Data ToData(double value) { return value; }
inline Data ToData(const std::string& value) { return value; }
inline Data ToData(const Data& value) { return value; }
inline Data ToData(const Key& value) { return value.data(); }
template <typename T>
Data ToData(const Vector<T>& list);
template <typename T>
Data ToData(const Map<std::string, T>& map);
template <HasMembers T>
Data ToData(const T& self);
template <typename... T>
Data ToData(const std::variant<T...>& one);
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
  void (*read)(Data&& data, void* member);
  Data (*write)(const void* member);
  bool (*is_first)(const void* member);
};

template <typename T>
inline constexpr MemberType kMemberType = {
    Is<T>, [](Data&& data, void* member) { FromData(std::move(data), static_cast<T*>(member)); },
    [](const void* member) { return ToData(*static_cast<const T*>(member)); },
    [](const void* member) { return IsDefaultValue(*static_cast<const T*>(member)); }};

// Written as null if it has no value.
template <typename T>
inline constexpr MemberType kMemberType<std::optional<T>> = {
    kMemberType<T>.fits,
    [](Data&& data, void* member) {
      FromData(std::move(data), &static_cast<std::optional<T>*>(member)->emplace());
    },
    [](const void* member) { return ToData(*static_cast<const std::optional<T>*>(member)); },
    [](const void* member) { return !static_cast<const std::optional<T>*>(member)->has_value(); }};

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
  // `rest` null: the struct has none.
  void Read(Data stored, PreservedFields* rest) const;
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
void ReadMembers(Data&& data, void* out, ListMembers list, PreservedFields* rest);
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
void ReadMembers(Data&& data, T* out) {
  ReadMembers(std::move(data), out, kListMembers<T>, RestOf(out));
}

template <HasMembers T>
Data WriteMembers(const T& self) {
  return WriteMembers(&self, kListMembers<T>, RestOf(const_cast<T*>(&self)), nullptr);
}

template <HasMembers T>
void FromData(Data&& data, T* out) {
  ReadMembers(std::move(data), out);
}

template <HasMembers T>
Data ToData(const T& self) {
  return WriteMembers(self);
}

template <typename T>
void FromData(Data&& data, Vector<T>* out) {
  out->clear();
  for (Data& item : data.mutable_items()) {
    if (!Is<T>(item)) continue;
    FromData(std::move(item), &out->emplace_back());
  }
}

template <typename T>
Data ToData(const Vector<T>& list) {
  Data array = Data::MakeArray();
  for (const T& item : list) array.Push(ToData(item));
  return array;
}

template <typename T>
void FromData(Data&& data, Map<std::string, T>* out) {
  out->clear();
  for (auto& [name, value] : data.mutable_members()) {
    if (Is<T>(value)) FromData(std::move(value), &(*out)[name]);
  }
}

template <typename T>
Data ToData(const Map<std::string, T>& map) {
  Data object = Data::MakeObject();
  for (const auto& [name, value] : map) object.mutable_members().emplace_back(name, ToData(value));
  return object;
}

template <typename... T>
bool CanRead(const Data& data, const std::variant<T...>*) {
  return (Is<T>(data) || ...);
}

template <typename... T>
void FromData(Data&& data, std::variant<T...>* out) {
  static_cast<void>(
      ((Is<T>(data) && (FromData(std::move(data), &out->template emplace<T>()), true)) || ...));
}

template <typename... T>
Data ToData(const std::variant<T...>& one) {
  return std::visit([](const auto& value) { return ToData(value); }, one);
}

// Reads a whole record. A value that is not an object is read as an empty object.
template <HasMembers T>
T ReadRecord(Data stored) {
  T record;
  FromData(std::move(stored), &record);
  return record;
}

}  // namespace skerry

#endif  // SKERRY_LOG_MEMBERS_H_
