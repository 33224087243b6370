#include "sync/turn.h"

namespace skerry {

uint64_t Turn::Transact(std::string_view stores, bool write, bool strict, Data::Array reads) {
  Data names = Data::MakeArray();
  while (!stores.empty()) {
    const size_t space = stores.find(' ');
    names.Push(stores.substr(0, space));
    stores = space == std::string_view::npos ? std::string_view() : stores.substr(space + 1);
  }
  const uint64_t id = NextId();
  Data effect = Message("transact");
  effect.Set("id", id)
      .Set("stores", std::move(names))
      .Set("mode", write ? "readwrite" : "readonly");
  effect.Set("durability", strict ? "strict" : "relaxed").Set("reads", std::move(reads));
  Emit(std::move(effect));
  return id;
}

}  // namespace skerry
