// kRelocatable<T>: whether an object of T may be moved by copying its bytes, without calling a
// destructor at the old place. It is deduced for numbers, pointers, pairs, optionals and plain
// structs of these. A class with private members declares it by a specialisation beside its
// definition. Objects of other types (a std::map, whose nodes point into it) are moved one by one.
#ifndef SKERRY_BASE_RELOCATABLE_H_
#define SKERRY_BASE_RELOCATABLE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace skerry {
namespace relocation {

// Converts to any type. Used in unevaluated expressions only; the conversion is never called.
struct Any {
  template <typename T>
  operator T() const noexcept {  // NOLINT
    __builtin_unreachable();
  }
};

template <typename T, typename... Fields>
constexpr size_t CountFields() {
  if constexpr (requires { T{Fields{}..., Any{}}; }) {
    return CountFields<T, Fields..., Any>();
  } else {
    return sizeof...(Fields);
  }
}

// Fields are counted by what a struct can be made of, which depends on their types.
struct FieldsOfAllSorts {
  int number;
  std::string text;
  std::optional<std::string> maybe;
  std::pair<double, std::string> both;
  std::unique_ptr<int> owned;
};
static_assert(CountFields<FieldsOfAllSorts>() == 5);

}  // namespace relocation

// Looks at the fields of a struct. For a struct of more than 16 fields, or with a base class,
// specialise kRelocatable.
template <typename T>
constexpr bool IsRelocatable();

template <typename T>
inline constexpr bool kRelocatable = IsRelocatable<T>();

template <typename T>
inline constexpr bool kRelocatable<std::unique_ptr<T>> = true;
// A string holds a short text in itself. libc++, which the modules are built with, finds that text
// by an offset; libstdc++ keeps a pointer to it, which a copy of the bytes would break.
#ifdef _LIBCPP_VERSION
template <>
inline constexpr bool kRelocatable<std::string> = true;
// The library says so itself, where it is new enough.
#if __has_include(<__type_traits/is_trivially_relocatable.h>)
static_assert(std::__libcpp_is_trivially_relocatable<std::string>::value);
#endif
#endif
template <typename T>
inline constexpr bool kRelocatable<std::optional<T>> = kRelocatable<T>;
template <typename A, typename B>
inline constexpr bool kRelocatable<std::pair<A, B>> = kRelocatable<A> && kRelocatable<B>;

namespace relocation {

// Structured bindings with as many names as there are fields give the types of the fields.
template <typename... Fields>
std::bool_constant<(kRelocatable<std::remove_cvref_t<Fields>> && ...)> Judge(Fields&&...);

template <typename T>
constexpr bool AllFields() {
  constexpr size_t kCount = CountFields<T>();
  static_assert(kCount <= 16, "say kRelocatable of this struct beside its definition");
#define SKERRY_FIELDS(count, ...)                      \
  if constexpr (kCount == count) {                     \
    auto judge = [](T& object) {                       \
      auto& [__VA_ARGS__] = object;                    \
      return decltype(Judge(__VA_ARGS__)){};           \
    };                                                 \
    return decltype(judge(std::declval<T&>()))::value; \
  }
  SKERRY_FIELDS(1, a)
  SKERRY_FIELDS(2, a, b)
  SKERRY_FIELDS(3, a, b, c)
  SKERRY_FIELDS(4, a, b, c, d)
  SKERRY_FIELDS(5, a, b, c, d, e)
  SKERRY_FIELDS(6, a, b, c, d, e, f)
  SKERRY_FIELDS(7, a, b, c, d, e, f, g)
  SKERRY_FIELDS(8, a, b, c, d, e, f, g, h)
  SKERRY_FIELDS(9, a, b, c, d, e, f, g, h, i)
  SKERRY_FIELDS(10, a, b, c, d, e, f, g, h, i, j)
  SKERRY_FIELDS(11, a, b, c, d, e, f, g, h, i, j, k)
  SKERRY_FIELDS(12, a, b, c, d, e, f, g, h, i, j, k, l)
  SKERRY_FIELDS(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
  SKERRY_FIELDS(14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
  SKERRY_FIELDS(15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
  SKERRY_FIELDS(16, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
#undef SKERRY_FIELDS
}

}  // namespace relocation

template <typename T>
constexpr bool IsRelocatable() {
  if constexpr (std::is_trivially_copyable_v<T>) {
    return true;
  } else if constexpr (std::is_aggregate_v<T>) {
    return relocation::AllFields<T>();
  } else {
    return false;
  }
}

}  // namespace skerry

#endif  // SKERRY_BASE_RELOCATABLE_H_
