// Judges a whole update, action by action, in order: each as if it had been pushed by itself, on the
// state that the accepted ones before it have left. So what becomes of an action does not depend on
// how the client has grouped it: the first of two that want one unique value has it, and the second
// alone is refused.
//
// An update is applied as a whole or not at all. After a refusal, the steps that follow are judged
// as well, so that the answer names all culprits at once, but for those that depend on a refused one:
// the client puts them into the inbox with it (sync/quarantine.h). An op that comes from several
// actions belongs to the step of the first. If it is refused, it is not known which of them is at
// fault, nor what the state would be without that one. Then nothing more is judged, and the client
// groups each of them by itself.
#ifndef SKERRY_AUTHORITY_JUDGE_UPDATE_H_
#define SKERRY_AUTHORITY_JUDGE_UPDATE_H_

#include <cstddef>

#include "authority/judgement.h"
#include "authority/scene.h"
#include "log/op.h"

namespace skerry {

struct UpdateJudgement : Judgement {
  size_t work = 0;  // ops and rows
  // The steps would take more work than they may: nothing was decided, and the update is refused.
  bool is_too_much = false;
};

// REQUIRES: scene.rows->Begin() was called. If scene.rows->has_needs(), or *scene.locks is not empty
// afterwards, rows or locks were missing, and the judgement must not be used. If there are no
// rejections, the changes are scene.rows->changes(), and the caller commits them or rolls them back.
// `most_work`: how much the judgement may take.
UpdateJudgement JudgeUpdate(Scene scene, const Update& update, size_t most_work);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_JUDGE_UPDATE_H_
