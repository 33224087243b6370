// The plain values that members of a struct have (log/members.h): whether data can be read as one,
// and both directions. And where a strict reader has found something wrong.
#ifndef SKERRY_LOG_MEMBER_VALUES_H_
#define SKERRY_LOG_MEMBER_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/data.h"
#include "log/key.h"

namespace skerry {

// Where the first wrong value is ("own.x[2].at"), as it is found by a strict reader.
class WrongAt {
 public:
  bool found() const { return found_; }
  const std::string& path() const { return path_; }
  void Set() { found_ = true; }
  void In(const std::string& name);  // the path is within the member `name`
  void In(size_t index);

 private:
  bool found_ = false;
  std::string path_;
};

// A value that has the shape of T already: it is passed on as it is.
template <typename T>
struct DataOf : Data {
  DataOf() = default;
  DataOf(Data data) : Data(std::move(data)) {}  // NOLINT(google-explicit-constructor)
};

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

// REQUIRES: the value fits.
inline void FromData(Data&& data, bool* out) { *out = data.as_bool(); }
inline void FromData(Data&& data, uint64_t* out) { *out = data.as_u64(); }
inline void FromData(Data&& data, double* out) { *out = data.as_number(); }
inline void FromData(Data&& data, std::string* out) { *out = data.as_string(); }
inline void FromData(Data&& data, Data* out) { *out = std::move(data); }
inline void FromData(Data&& data, Key* out) { *out = Key(std::move(data)); }

inline Data ToData(bool value) { return value; }
inline Data ToData(uint64_t value) { return value; }
inline Data ToData(double value) { return value; }
inline Data ToData(const std::string& value) { return value; }
inline Data ToData(const Data& value) { return value; }
inline Data ToData(const Key& value) { return value.data(); }

}  // namespace skerry

#endif  // SKERRY_LOG_MEMBER_VALUES_H_
