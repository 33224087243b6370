// What an admission does with the rules of the application (app_rules.h).
#include <utility>

#include "authority/admission.h"

namespace skerry {

Status Admission::AnswerRules(const Vector<wire::RuleAnswer>& answers) {
  if (answers.empty() && !was_asking_) return Status::Ok();
  SKERRY_RETURN_IF_ERROR(app_rules_.Take(answers));
  // What the rules take part in is not a round of reading.
  --rounds_;
  return Status::Ok();
}

// Whether the client's updates wait for another commit, because a rule failed over one of them.
bool Admission::IsPostponed(const Request& request, const Pushed& pushed) {
  if (app_rules_.failure()) {
    failed_.push_back({request.client, pushed.id, *app_rules_.failure()});
    postponed_.insert(request.client);
    app_rules_.Forget();
  }
  return postponed_.contains(request.client);
}

}  // namespace skerry
