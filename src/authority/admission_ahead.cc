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

// Judges an update that comes after one with missing rows, only to find out which rows it needs
// itself. So one round asks for the rows of both.
void Admission::JudgeForNeeds(const Request& request, const Pushed& pushed) {
  if (!pushed.update || RefusalOf(request, pushed) != nullptr) return;
  rows_.Begin();
  JudgeUpdate(SceneOf(request), *pushed.update, kMaxAdmissionWork);
  rows_.Rollback();
}

}  // namespace skerry
