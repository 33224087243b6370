#include "sync/turn.h"

namespace skerry {

uint64_t Turn::Transact(std::initializer_list<Store> stores, TransactionMode mode,
                        Data::Array reads) {
  const uint64_t id = NextId();
  Emit(TransactEffect(id, stores, mode, std::move(reads)));
  return id;
}

}  // namespace skerry
