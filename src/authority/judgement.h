// Judgement of one update against the merged state: folds its ops into the working set, carries out
// the cascade rules, and checks every other rule. The changes are then in the working set's
// journal, and the caller commits them or rolls them back.
#ifndef SKERRY_AUTHORITY_JUDGEMENT_H_
#define SKERRY_AUTHORITY_JUDGEMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "authority/result.h"
#include "authority/scene.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"

namespace skerry {

struct Judgement {
  Vector<Rejection> rejections;  // empty: the update may be applied
  Vector<uint32_t> noops;        // ops that changed nothing
  Vector<uint32_t> gone;         // ops whose object was deleted with its parent (result.h)
  Set<PlacedKey> touched;        // rows of which only the time changed
};

// The lowest revision of the realm on which the update is based; none if it does not say.
std::optional<uint64_t> BaseIn(const Update& update, std::string_view realm);

// Asks for the rows that the update certainly needs, so that the first round loads most of them.
void Prefetch(const Scene& scene, const Update& update);

// REQUIRES: scene.rows->Begin() was called. If scene.rows->has_needs(), or *scene.locks is not
// empty afterwards, rows or locks were missing, and the judgement must not be used.
Judgement Judge(const Scene& scene, const Update& update);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_JUDGEMENT_H_
