// Strict: checks a value from outside against the members that a struct lists (log/members.h), all
// the way down, before anything of it is used. A reader of stored records leaves out what does not
// fit; an answer or a request of which a part is wrong is refused as a whole, and says which part.
//
// A member that is missing or null is not wrong, unless it is required. Unknown members are not
// looked at: another release may send them.
#ifndef SKERRY_LOG_STRICT_H_
#define SKERRY_LOG_STRICT_H_

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/members.h"

namespace skerry {

// Where a value is wrong, as the path of a member ("own.x[2].at"); empty: the value as a whole.
using WrongAt = std::optional<std::string>;

// Finds what is wrong in a value that is not null.
template <typename T>
struct StrictType {
  static WrongAt Find(const Data& value) {
    return Is<T>(value) ? WrongAt() : WrongAt(std::string());
  }
};

// "name" and "path" -> "name.path"; "name" and "[2]" -> "name[2]".
std::string JoinPath(std::string_view name, std::string_view path);

class Strict {
 public:
  explicit Strict(const Data* object) : object_(object) {}

  template <typename T>
  Strict& operator()(const char* name, T&) {
    return Check(name, StrictType<T>::Find);
  }
  template <typename T>
  void Optional(const char* name, T&) {
    Check(name, StrictType<T>::Find);
  }
  template <typename T>
  Strict& Bytes(const char* name, T&) {
    return Check(name, [](const Data& value) {
      return IsBytes(value) ? WrongAt() : WrongAt(std::string());
    });
  }
  // A text that is none of these was made by another release: it is read as the first.
  template <typename E, size_t count>
  Strict& Text(const char* name, E&, const char* const (&)[count]) {
    return Check(name, StrictType<std::string>::Find);
  }
  // Null, too, has to pass this test.
  void Require(DataTest test);

  const WrongAt& wrong() const { return wrong_; }

 private:
  SKERRY_OUT_OF_LINE Strict& Check(const char* name, WrongAt (*find)(const Data&));

  const Data* object_;
  const char* name_ = "";  // of the member that was checked last
  WrongAt wrong_;          // the first
};

template <typename T>
WrongAt FindWrong(const Data& value) {
  return StrictType<T>::Find(value);
}

// Items of a list that are null are wrong.
WrongAt FindWrongItem(const Data& list, WrongAt (*find)(const Data&));
WrongAt FindWrongValue(const Data& map, WrongAt (*find)(const Data&));

template <typename T>
struct StrictType<std::optional<T>> : StrictType<T> {};

template <typename T>
struct StrictType<Vector<T>> {
  static WrongAt Find(const Data& value) { return FindWrongItem(value, StrictType<T>::Find); }
};

template <typename T>
struct StrictType<Map<std::string, T>> {
  static WrongAt Find(const Data& value) { return FindWrongValue(value, StrictType<T>::Find); }
};

template <HasMembers T>
struct StrictType<T> {
  static WrongAt Find(const Data& value) {
    if (!value.is_object()) return WrongAt(std::string());
    T blank;
    Strict strict(&value);
    T::Each(blank, strict);
    return strict.wrong();
  }
};

// The first of the structs that the value can be read as decides.
template <typename... T>
struct StrictType<std::variant<T...>> {
  static WrongAt Find(const Data& value) {
    WrongAt wrong = std::string();
    const auto found = [&](bool fits, WrongAt (*find)(const Data&)) {
      if (fits) wrong = find(value);
      return fits;
    };
    static_cast<void>((found(Is<T>(value), StrictType<T>::Find) || ...));
    return wrong;
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_STRICT_H_
