#include "log/effect.h"

#include <utility>

namespace skerry {

Data WriteEffect(uint64_t id, Data writes) {
  return WriteKind(effect::WriteReply{id, std::move(writes)});
}

Data MoreEffect(uint64_t id, Data reads) {
  return WriteKind(effect::MoreReply{id, std::move(reads)});
}

Data AbortEffect(uint64_t id) { return WriteKind(effect::AbortReply{id}); }

Data BroadcastEffect(Data message) { return WriteKind(effect::Broadcast{std::move(message)}); }

Data PostEffect(Data message) { return WriteKind(effect::Post{std::move(message)}); }

}  // namespace skerry
