// Judgement of one step of an update, which is all that one of its actions does, against the merged
// state: folds its ops into the working set, carries out the cascade rules, and checks every other
// rule. The changes are then in the working set's journal. judge_update.h puts the steps together.
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
  Vector<uint32_t> vain;         // those of them that undo an action which the log does not have
  Vector<uint32_t> gone;         // ops whose object was deleted with its parent (result.h)
  Vector<uint32_t> missing;      // ops whose object is not there (result.h)
  Set<PlacedKey> touched;        // rows of which only the time changed
};

// The places of ops in their update, ascending.
using Places = Vector<uint32_t>;

// The lowest revision of the realm on which the update is based; none if it does not say.
std::optional<uint64_t> BaseIn(const Update& update, std::string_view realm);

// The action of the update that the op undoes, if it comes before the op's own.
std::optional<uint32_t> UndoneIn(const Update& update, const Op& op);

// Asks for the author's memberships in all realms that the update names.
void PrefetchRights(const Scene& scene, const Update& update);

// Asks for the rows that the update certainly needs, so that the first round loads most of them. Of a
// realm that is hidden from the author nothing is read. REQUIRES: the memberships are loaded.
void Prefetch(const Scene& scene, const Update& update);

// Judges the ops at `places`. REQUIRES: the journal is empty. If scene.rows->has_needs(), or
// *scene.locks is not empty afterwards, rows or locks were missing, and the judgement must not be
// used. `scene.founding` becomes the realms that the step founds.
Judgement JudgeStep(Scene* scene, const Update& update, const Places& places);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_JUDGEMENT_H_
