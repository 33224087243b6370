// Judgement: one update against the merged state: folds its ops into the working set, works out
// what they cascade to, and checks every rule. Leaves the changes in the working set's journal; the
// caller commits or rolls back.
#ifndef SKERRY_AUTHORITY_JUDGEMENT_H_
#define SKERRY_AUTHORITY_JUDGEMENT_H_

#include <cstdint>
#include <string>

#include "authority/result.h"
#include "authority/scene.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"

namespace skerry {

struct Judgement {
  Vector<Rejection> rejections;  // empty: it may be applied
  Vector<uint32_t> noops;
  Vector<uint32_t> gone;
  Set<ObjectKey> touched;  // changed in nothing but the time
};

// Asks for the rows that the update is sure to need, so that the first round asks for most.
void Prefetch(const Scene& scene, const Update& update);

// REQUIRES: scene.rows->Begin() was called. Where scene.rows->has_needs() or scene.locks is not
// empty afterwards, the judgement is worth nothing.
Judgement Judge(const Scene& scene, const Update& update);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_JUDGEMENT_H_
