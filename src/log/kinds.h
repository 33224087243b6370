// Kinds: objects with a member `type`, as events and messages are. Each kind is a struct with the
// name of its type, `kType`; it lists its other members like a record (log/members.h), or has none.
// OneOf is a list of the kinds that may arrive at one place.
#ifndef SKERRY_LOG_KINDS_H_
#define SKERRY_LOG_KINDS_H_

#include <cstddef>
#include <utility>

#include "base/data.h"
#include "log/members.h"

namespace skerry {

template <typename T>
concept Kind = requires { T::kType; };

template <Kind T>
T ReadKind(Data data) {
  T kind;
  if constexpr (HasMembers<T>) FromData(std::move(data), &kind);
  return kind;
}

template <Kind T>
constexpr ListMembers ListMembersOf() {
  if constexpr (HasMembers<T>) {
    return kListMembers<T>;
  } else {
    return nullptr;
  }
}

template <Kind T>
Data WriteKind(const T& kind) {
  return WriteMembers(&kind, ListMembersOf<T>(), nullptr, T::kType);
}

// The index of the object's type in `types`; `count` if it is none of them.
size_t KindOf(const Data& data, const char* const* types, size_t count);

template <Kind... Kinds>
struct OneOf {
  // If the object is of one of these kinds: takes it, reads it, passes the struct to `handle`, and
  // returns true. A handler that has no overload for one of the kinds does not compile.
  template <typename Handler>
  static bool Visit(Data* data, const Handler& handle) {
    static constexpr const char* kTypes[] = {Kinds::kType...};
    const size_t kind = KindOf(*data, kTypes, sizeof...(Kinds));
    size_t index = 0;
    return ((index++ == kind && (handle(ReadKind<Kinds>(std::move(*data))), true)) || ...);
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_KINDS_H_
