// Declarations: writes the TypeScript interfaces of structs that list their members (log/members.h).
// One more visitor over the same lists: what the core reads and writes, and what JavaScript believes
// that it does, cannot differ.
#ifndef SKERRY_TEST_CORE_LOG_DECLARATIONS_H_
#define SKERRY_TEST_CORE_LOG_DECLARATIONS_H_

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/kinds.h"
#include "log/members.h"
#include "log/sync_record.h"
#include "log/wire/update_result.h"

namespace skerry::test {

// The name of a type without its namespaces. That of an effect says that it is one; a reply is not.
template <typename T>
std::string NameOf() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const size_t begin = text.find("T = ") + 4;
  const std::string_view whole = text.substr(begin, text.find_first_of(";]", begin) - begin);
  const std::string name(whole.substr(whole.rfind(':') + 1));
  const bool is_effect =
      Kind<T> && whole.find("effect::") != std::string_view::npos && !name.ends_with("Reply");
  return is_effect ? name + "Effect" : name;
}

class Declarations {
 public:
  // Adds the struct, and before it those that it consists of.
  template <typename T>
  void Add();
  const std::string& text() const { return text_; }

  template <typename T>
  std::string TypeOf();
  // The type of an enumeration, of which JavaScript knows the texts.
  template <typename E, size_t count>
  std::string TextsOf(const char* const (&texts)[count]);
  // A union of kinds: what may arrive at one place.
  template <typename... Kinds>
  void AddUnion(const char* name, OneOf<Kinds...>);

 private:
  static constexpr size_t kMaxUnion = 80;  // characters in a line, about
  void AddUnion(const std::string& name, const Vector<std::string>& types);

  std::set<std::string> added_;
  std::map<std::string, std::string> unions_;
  std::string text_;
};

// The visitor.
class InterfaceMembers {
 public:
  explicit InterfaceMembers(Declarations* all) : all_(all) {}

  template <typename T>
  InterfaceMembers& operator()(const char* name, T&) {
    return Add(name, "", all_->TypeOf<T>());
  }
  template <typename T>
  void Optional(const char* name, T&) {
    if constexpr (requires { typename T::value_type; } && requires(T t) { t.has_value(); }) {
      Add(name, "?", all_->TypeOf<typename T::value_type>());
    } else {
      Add(name, "?", all_->TypeOf<T>());
    }
  }
  template <typename T>
  InterfaceMembers& Bytes(const char* name, T&) {
    return Add(name, "", "Uint8Array");
  }
  template <typename E, size_t count>
  InterfaceMembers& Text(const char* name, E&, const char* const (&texts)[count]) {
    return Add(name, "", all_->TextsOf<E>(texts));
  }
  void Require(DataTest) {}

  const std::string& text() const { return text_; }

 private:
  InterfaceMembers& Add(const char* name, const char* mark, const std::string& type) {
    text_ += "  readonly " + std::string(name) + mark + ": " + type + ";\n";
    return *this;
  }

  Declarations* all_;
  std::string text_;
};

template <typename T>
void Declarations::Add() {
  if (!added_.insert(NameOf<T>()).second) return;
  InterfaceMembers members(this);
  std::string type;
  if constexpr (Kind<T>) type = std::string("  readonly type: '") + T::kType + "';\n";
  if constexpr (HasMembers<T>) {
    T blank;
    T::Each(blank, members);
  }
  text_ += "\nexport interface " + NameOf<T>() + " {\n" + type + members.text() + "}\n";
}

inline void Declarations::AddUnion(const std::string& name, const Vector<std::string>& types) {
  std::string line, lines;
  for (const std::string& type : types) {
    line += (line.empty() ? "" : " | ") + type;
    lines += "\n  | " + type;
  }
  const std::string text = line.size() < kMaxUnion ? " " + line : lines;
  const auto [at, is_new] = unions_.emplace(name, text);
  // Two enumerations of one name would be one type.
  CHECK_MESSAGE(at->second == text, name);
  if (is_new) text_ += "\nexport type " + name + " =" + text + ";\n";
}

template <typename E, size_t count>
std::string Declarations::TextsOf(const char* const (&texts)[count]) {
  Vector<std::string> types;
  for (const char* text : texts) {
    if (*text != '\0') types.push_back("'" + std::string(text) + "'");
  }
  AddUnion(NameOf<E>(), types);
  return NameOf<E>();
}

template <typename... Kinds>
void Declarations::AddUnion(const char* name, OneOf<Kinds...>) {
  (Add<Kinds>(), ...);
  AddUnion(name, Vector<std::string>{NameOf<Kinds>()...});
}

template <typename T>
struct ItemOf {};
template <typename T>
struct ItemOf<DataOf<T>> {
  static std::string Type(Declarations* all) { return all->TypeOf<T>(); }
};
template <typename T>
struct ItemOf<std::optional<T>> {
  static std::string Type(Declarations* all) { return all->TypeOf<T>() + " | null"; }
};
template <typename T>
struct ItemOf<Map<std::string, T>> {
  static std::string Type(Declarations* all) {
    return "Readonly<Record<string, " + all->TypeOf<T>() + ">>";
  }
};
template <typename T>
struct ItemOf<Vector<T>> {
  static std::string Type(Declarations* all) {
    const std::string item = all->TypeOf<T>();
    const bool is_whole = !item.starts_with("readonly") && item.find(" | ") == std::string::npos;
    return "readonly " + (is_whole ? item : "(" + item + ")") + "[]";
  }
};
template <typename... T>
struct ItemOf<std::variant<T...>> {
  static std::string Type(Declarations* all) {
    std::string type;
    ((type += (type.empty() ? "" : " | ") + all->TypeOf<T>()), ...);
    return type;
  }
};
template <typename... T>
struct ItemOf<std::tuple<T...>> {
  static std::string Type(Declarations* all) {
    std::string type;
    ((type += (type.empty() ? "" : ", ") + all->TypeOf<T>()), ...);
    return "readonly [" + type + "]";
  }
};

template <typename T>
std::string Declarations::TypeOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return "boolean";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return "number";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "string";
  } else if constexpr (std::is_same_v<T, Data>) {
    return "unknown";
  } else if constexpr (std::is_same_v<T, ScopeFill>) {
    return "boolean | string";
  } else if constexpr (std::is_same_v<T, Key>) {
    return "number | string";
  } else if constexpr (std::is_same_v<T, KnownAt>) {
    return "number | " + TypeOf<Revisions>();
  } else if constexpr (requires { ItemOf<T>::Type(this); }) {
    return ItemOf<T>::Type(this);
  } else {
    Add<T>();
    return NameOf<T>();
  }
}

// Compares a file of the repository with what is written from the core. With SKERRY_WRITE=1 in the
// environment the file is written.
inline void CheckWritten(const char* path, const std::string& from, const std::string& by,
                         const std::string& text) {
  const std::string whole = "// Written from " + from + " by " + by +
                            ", which says how.\n// What the members mean is said there.\n" + text;
  if (std::getenv("SKERRY_WRITE") != nullptr) std::ofstream(path) << whole;
  std::stringstream present;
  present << std::ifstream(path).rdbuf();
  CHECK_MESSAGE(present.str() == whole, "run the core's tests with SKERRY_WRITE=1");
}

inline void CheckTypes(const char* path, const std::string& from, const std::string& by,
                       const Declarations& types) {
  CheckWritten(path, from, by, types.text());
}

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_LOG_DECLARATIONS_H_
