// Members: how a record of IndexedDB becomes a struct, and back. A struct lists its members once, and
// a reader and a writer, which know no struct, run over that list:
//
//   struct Example {
//     uint64_t n = 0;
//     std::optional<String> name;
//     Rest rest;
//     template <typename Self, typename Visitor>
//     static void Each(Self& self, Visitor& member) {
//       member("n", self.n);
//       member.Optional("name", self.name);
//     }
//   };
//
// The database belongs to the origin, and any script of it may have written there. So a member that
// is not of its type is read as if it were absent: it gets its first value (0, empty, none). Lists
// and maps leave out the items that do not fit. What this build does not know is kept in `rest`.
#ifndef SKERRY_LOG_MEMBERS_H_
#define SKERRY_LOG_MEMBERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/transaction_builder.h"

namespace skerry {

// What a writer needs to know of how a record was stored.
struct Rest {
  Data unknown;         // the members that this build does not know; null: none
  uint32_t absent = 0;  // the members that were not there, a bit each: with their first value they
                        // stay away
  friend bool operator==(const Rest&, const Rest&) = default;
};

class Members;
template <typename T>
concept HasMembers = requires(T& self, Members& members) { T::Each(self, members); };

// Counting on from it stays exact.
inline constexpr uint64_t kMaxCount = uint64_t{1} << 52;
inline bool IsCount(const Data& data) { return data.as_u64(~uint64_t{0}) <= kMaxCount; }

// Whether a value can be read as such a member. An overload for a struct may ask for more.
inline bool Fits(const Data& data, const bool*) { return data.is_bool(); }
inline bool Fits(const Data& data, const uint64_t*) { return IsCount(data); }
bool Fits(const Data& data, const double*);  // finite
inline bool Fits(const Data& data, const std::string*) { return data.is_string(); }
inline bool Fits(const Data&, const Data*) { return true; }
inline bool Fits(const Data& data, const Key*) { return data.is_number() || data.is_string(); }
template <typename T>
bool Fits(const Data& data, const Vector<T>*) {
  return data.is_array();
}
template <typename T>
bool Fits(const Data& data, const Map<std::string, T>*) {
  return data.is_object();
}
template <HasMembers T>
bool Fits(const Data& data, const T*) {
  return data.is_object();
}

// For records of which a part that does not fit makes the whole useless.
inline bool IsText(const Data& data) { return data.is_string() && !data.as_string().empty(); }
using DataTest = bool (*)(const Data&);
bool IsMapOf(const Data& data, DataTest fits);
bool IsListOf(const Data& data, DataTest fits);

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
template <typename T>
Data ToData(const std::optional<T>& value) {
  return value.has_value() ? ToData(*value) : Data();
}

template <typename T>
bool IsFirstValue(const T& value) {
  if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else if constexpr (requires { value.has_value(); }) {
    return !value.has_value();
  } else {
    return value == T();
  }
}

// What the reader and the writer do with a member of some type, wherever it is.
struct MemberType {
  bool (*fits)(const Data& data);
  void (*read)(Data&& data, void* member);
  Data (*write)(const void* member);
  bool (*is_first)(const void* member);
};

template <typename T>
inline constexpr MemberType kMemberType = {
    [](const Data& data) { return Fits(data, static_cast<const T*>(nullptr)); },
    [](Data&& data, void* member) { FromData(std::move(data), static_cast<T*>(member)); },
    [](const void* member) { return ToData(*static_cast<const T*>(member)); },
    [](const void* member) { return IsFirstValue(*static_cast<const T*>(member)); }};

// Null where it is none.
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
  void operator()(const char* name, T& member) {
    Add({name, &member, &kMemberType<T>});
  }
  // Absent where it is none.
  template <typename T>
  void Optional(const char* name, std::optional<T>& member) {
    Add({name, &member, &kMemberType<std::optional<T>>, true});
  }
  void Bytes(const char* name, std::string& member);
  void Bytes(const char* name, std::optional<std::string>& member);
  // One of these texts, in the order of the enumeration; another one is the first.
  template <typename E, size_t count>
  void Text(const char* name, E& member, const char* const (&texts)[count]) {
    static_assert(sizeof(E) == sizeof(uint8_t));
    Add({name, &member, nullptr, false, texts, count});
  }

  Rest Read(Data stored) const;
  Data Write(const Rest& rest) const;

 private:
  struct Member {
    const char* name;
    void* place;
    const MemberType* type;  // none: one of `texts`
    bool is_optional = false;
    const char* const* texts = nullptr;
    size_t count = 0;
  };
  static constexpr size_t kMost = 32;  // as many as Rest::absent has bits

  SKERRY_OUT_OF_LINE void Add(const Member& member);

  Member members_[kMost];
  size_t count_ = 0;
};

template <HasMembers T>
void ReadMembers(Data&& data, T* out) {
  Members members;
  T::Each(*out, members);
  out->rest = members.Read(std::move(data));
}

template <HasMembers T>
Data WriteMembers(const T& self) {
  Members members;
  T::Each(const_cast<T&>(self), members);
  return members.Write(self.rest);
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
    if (!Fits(item, static_cast<const T*>(nullptr))) continue;
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
    if (Fits(value, static_cast<const T*>(nullptr))) FromData(std::move(value), &(*out)[name]);
  }
}

template <typename T>
Data ToData(const Map<std::string, T>& map) {
  Data object = Data::MakeObject();
  for (const auto& [name, value] : map) object.mutable_members().emplace_back(name, ToData(value));
  return object;
}

// A whole record. What is no object is read as an empty one.
template <HasMembers T>
T ReadRecord(Data stored) {
  T record;
  FromData(std::move(stored), &record);
  return record;
}

}  // namespace skerry

#endif  // SKERRY_LOG_MEMBERS_H_
