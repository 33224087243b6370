// What an admission asks for before it judges, and while it waits for rows.
#include "authority/admission.h"
#include "authority/judge_update.h"
#include "base/limits.h"

namespace skerry {

// The updates after a rejected one may run as many rounds again.
void Admission::ForgetNeeds() {
  rows_.TakeNeeds();
  locks_.clear();
  rounds_ = 1;
}

// Asks for the memberships of the authors, if `step` is kRights, or else for the rows that the updates
// are likely to need: which ones, depends on the rights. No rows are loaded for an update that was
// decided before. One that is rejected in any case, possibly because it needs too many rows, needs only
// the author's memberships: RealmOfRejection.
void Admission::AskAhead(Ahead step) {
  for (size_t r = 0; r < pushed_.size(); ++r) {
    const Request& request = input_.requests[r];
    for (size_t i = 0; i < pushed_[r].size(); ++i) {
      const Pushed& pushed = pushed_[r][i];
      const Data* answer = nullptr;
      chains_.Judge(request.client, pushed.id, pushed.after, i == 0, &answer);
      if (answer) continue;
      if (!pushed.update || RefusalOf(request, pushed) != nullptr) {
        if (!pushed.after.empty()) RealmOfRejection(request, pushed);
      } else if (step == Ahead::kRights) {
        PrefetchRights(SceneOf(request), *pushed.update);
      } else {
        Prefetch(SceneOf(request), *pushed.update);
      }
    }
  }
}

// Judges an update that comes after one that cannot be decided yet, only to find out which rows it needs
// itself, and what the rules of the application have to be asked about it. So one round asks for both.
void Admission::LookAhead(const Request& request, size_t index, Pushed* pushed,
                          const Waiting& waiting) {
  if (!pushed->update || RefusalOf(request, *pushed) != nullptr) return;
  Scene scene = SceneOf(request);
  const bool asks = MayAskAhead(request, index, *pushed, waiting);
  if (asks) scene.app_rules = &*pushed->app_rules;
  rows_.Begin();
  JudgeUpdate(scene, *pushed->update, kMaxAdmissionWork);
  if (asks && !ChangesOnlyItsRealms(*pushed)) pushed->app_rules->DropQuestions();
  rows_.Rollback();
}

}  // namespace skerry
