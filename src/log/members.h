// Members: how a record of IndexedDB becomes a struct, and back. A struct lists its members once,
// and a reader and a writer run over that list:
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
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/string.h"
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

class MemberReader;
template <typename T>
concept HasMembers = requires(T& self, MemberReader& reader) { T::Each(self, reader); };

// Counting on from it stays exact.
inline constexpr uint64_t kMaxCount = uint64_t{1} << 52;
inline bool IsCount(const Data& data) { return data.as_u64(~uint64_t{0}) <= kMaxCount; }

// Whether a value can be read as such a member. An overload for a struct may ask for more.
inline bool Fits(const Data& data, const bool*) { return data.is_bool(); }
inline bool Fits(const Data& data, const uint64_t*) { return IsCount(data); }
bool Fits(const Data& data, const double*);  // finite
inline bool Fits(const Data& data, const String*) { return data.is_string(); }
inline bool Fits(const Data&, const Data*) { return true; }
inline bool Fits(const Data& data, const Key*) { return data.is_number() || data.is_string(); }
template <typename T>
bool Fits(const Data& data, const Vector<T>*) {
  return data.is_array();
}
template <typename T>
bool Fits(const Data& data, const Map<String, T>*) {
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
inline void FromData(Data&& data, String* out) { *out = data.as_string(); }
inline void FromData(Data&& data, Data* out) { *out = std::move(data); }
inline void FromData(Data&& data, Key* out) { *out = Key(std::move(data)); }
template <typename T>
void FromData(Data&& data, Vector<T>* out);
template <typename T>
void FromData(Data&& data, Map<String, T>* out);
template <HasMembers T>
void FromData(Data&& data, T* out);

inline Data ToData(bool value) { return value; }
inline Data ToData(uint64_t value) { return value; }
inline Data ToData(double value) { return value; }
inline Data ToData(const String& value) { return value; }
inline Data ToData(const Data& value) { return value; }
inline Data ToData(const Key& value) { return value.data(); }
template <typename T>
Data ToData(const std::optional<T>& value) {
  return value.has_value() ? ToData(*value) : Data();
}
template <typename T>
Data ToData(const Vector<T>& list);
template <typename T>
Data ToData(const Map<String, T>& map);
template <HasMembers T>
Data ToData(const T& self);

// Where in `texts` the value is; 0 where it is none of them.
size_t TextIndex(const Data& value, const char* const* texts, size_t count);

class MemberReader {
 public:
  explicit MemberReader(Data object);

  template <typename T>
  void operator()(const char* name, T& out) {
    Data value = Take(name);
    if (Fits(value, &out)) FromData(std::move(value), &out);
  }
  // Null where it is none.
  template <typename T>
  void operator()(const char* name, std::optional<T>& out) {
    Data value = Take(name);
    if (!Fits(value, static_cast<T*>(nullptr))) return;
    FromData(std::move(value), &out.emplace());
  }
  // Absent where it is none.
  template <typename T>
  void Optional(const char* name, std::optional<T>& out) {
    (*this)(name, out);
  }
  void Bytes(const char* name, String& out);
  void Bytes(const char* name, std::optional<String>& out);
  // One of these texts, in the order of the enumeration; another one is the first.
  template <typename E, size_t count>
  void Text(const char* name, E& out, const char* const (&texts)[count]) {
    out = static_cast<E>(TextIndex(Take(name), texts, count));
  }

  Rest Finish();

 private:
  SKERRY_OUT_OF_LINE Data Take(const char* name);  // null where there is none

  Data object_;
  uint32_t absent_ = 0;
  uint32_t bit_ = 1;
};

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

class MemberWriter {
 public:
  explicit MemberWriter(const Rest* rest) : rest_(rest) {}

  template <typename T>
  void operator()(const char* name, const T& value) {
    if (MayWrite(IsFirstValue(value))) Put(name, ToData(value));
  }
  template <typename T>
  void Optional(const char* name, const std::optional<T>& value) {
    if (MayWrite(true) && !value.has_value()) return;
    if (value.has_value()) Put(name, ToData(*value));
  }
  void Bytes(const char* name, const String& value);
  void Bytes(const char* name, const std::optional<String>& value);
  template <typename E, size_t count>
  void Text(const char* name, const E& value, const char* const (&texts)[count]) {
    MayWrite(false);
    Put(name, texts[static_cast<size_t>(value)]);
  }

  Data Finish();

 private:
  // False: it was not there, and has its first value. Counts on to the next member.
  bool MayWrite(bool is_first);
  SKERRY_OUT_OF_LINE void Put(const char* name, Data value);

  const Rest* rest_;
  uint32_t bit_ = 1;
  Data object_ = Data::MakeObject();
};

template <HasMembers T>
void FromData(Data&& data, T* out) {
  MemberReader reader(std::move(data));
  T::Each(*out, reader);
  out->rest = reader.Finish();
}

template <HasMembers T>
Data ToData(const T& self) {
  MemberWriter writer(&self.rest);
  T::Each(self, writer);
  return writer.Finish();
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
void FromData(Data&& data, Map<String, T>* out) {
  out->clear();
  for (auto& [name, value] : data.mutable_members()) {
    if (Fits(value, static_cast<const T*>(nullptr))) FromData(std::move(value), &(*out)[name]);
  }
}

template <typename T>
Data ToData(const Map<String, T>& map) {
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
