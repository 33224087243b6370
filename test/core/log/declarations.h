// Declarations: writes the TypeScript interfaces of structs that list their members (log/members.h).
// One more visitor over the same lists: what the core reads and writes, and what JavaScript believes
// that it does, cannot differ.
#ifndef SKERRY_TEST_CORE_LOG_DECLARATIONS_H_
#define SKERRY_TEST_CORE_LOG_DECLARATIONS_H_

#include <optional>
#include <set>
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

// The name of a type without its namespaces.
template <typename T>
std::string NameOf() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const size_t begin = text.find("T = ") + 4;
  const std::string_view name = text.substr(begin, text.find_first_of(";]", begin) - begin);
  return std::string(name.substr(name.rfind(':') + 1));
}

class Declarations {
 public:
  // Adds the struct, and before it those that it consists of.
  template <typename T>
  void Add();
  const std::string& text() const { return text_; }

  template <typename T>
  std::string TypeOf();

 private:
  std::set<std::string> added_;
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
    std::string type, lines;
    for (const char* text : texts) {
      if (*text == '\0') continue;
      const std::string quoted = "'" + std::string(text) + "'";
      type += (type.empty() ? "" : " | ") + quoted;
      lines += "\n    | " + quoted;
    }
    return Add(name, "", type.size() < kMaxUnion ? type : lines);
  }
  void Require(DataTest) {}

  const std::string& text() const { return text_; }

 private:
  InterfaceMembers& Add(const char* name, const char* mark, const std::string& type) {
    const char* space = type[0] == '\n' ? "" : " ";
    text_ += "  readonly " + std::string(name) + mark + ":" + space + type + ";\n";
    return *this;
  }

  static constexpr size_t kMaxUnion = 80;  // characters in a line, about

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

template <typename T>
struct ItemOf {};
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
  } else if constexpr (std::is_same_v<T, KnownAt>) {
    return "number | " + TypeOf<Revisions>();
  } else if constexpr (HasMembers<T>) {
    Add<T>();
    return NameOf<T>();
  } else {
    return ItemOf<T>::Type(this);
  }
}

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_LOG_DECLARATIONS_H_
