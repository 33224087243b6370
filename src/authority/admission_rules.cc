// What an admission does with the rules of the application (app_rules.h). They are asked about several
// updates at once: about the first that is not decided, and about later ones of other clients in other
// realms, whose judgement does not depend on it.
#include <algorithm>
#include <utility>

#include "authority/admission.h"
#include "base/limits.h"

namespace skerry {

template <typename Visit>
void Admission::EachAppRules(Visit visit) {
  if (offer_rules_) visit(&*offer_rules_);
  for (auto& request : pushed_) {
    for (Pushed& pushed : request) {
      if (pushed.app_rules) visit(&*pushed.app_rules);
    }
  }
}

Vector<Data> Admission::TakeQuestions() {
  Vector<Data> all;
  EachAppRules([&](AppRules* rules) {
    if (!rules->has_questions()) return;
    Vector<Data> questions = rules->TakeQuestions();
    asked_.emplace_back(rules, questions.size());
    for (Data& question : questions) all.push_back(std::move(question));
  });
  return all;
}

Status Admission::AnswerRules(const Vector<wire::RuleAnswer>& answers) {
  const auto asked = std::exchange(asked_, {});
  size_t from = 0;
  for (const auto& [rules, count] : asked) {
    Vector<wire::RuleAnswer> own;
    for (; own.size() < count && from < answers.size(); ++from) own.push_back(answers[from]);
    SKERRY_RETURN_IF_ERROR(rules->Take(own));
  }
  if (from != answers.size()) return {Code::kInvalidArgument, "`rules` answers no question"};
  // What the rules take part in is not a round of reading.
  if (!asked.empty()) --rounds_;
  return Status::Ok();
}

void Admission::DropQuestions() {
  EachAppRules([](AppRules* rules) { rules->DropQuestions(); });
}

// What the rules have said of later updates was about their realms as they were.
void Admission::ForgetAnswers() {
  EachAppRules([](AppRules* rules) { rules->Forget(); });
}

// Whether the client's updates wait for another commit, because a rule failed over one of them.
bool Admission::IsPostponed(const Request& request, Pushed* pushed) {
  if (postponed_.contains(request.client)) return true;
  if (!pushed->app_rules || !pushed->app_rules->failure()) return false;
  failed_.push_back({request.client, pushed->id, *pushed->app_rules->failure()});
  postponed_.insert(request.client);
  return true;
}

bool Admission::MayAskAhead(const Request& request, size_t index, const Pushed& pushed,
                            const Waiting& waiting) {
  if (!pushed.app_rules || waiting.questions >= kMaxRuleQuestions) return false;
  if (waiting.clients.contains(request.client)) return false;
  const bool is_apart = std::none_of(pushed.after.begin(), pushed.after.end(), [&](const auto& at) {
    return waiting.realms.contains(at.first);
  });
  // A copy of what was decided is answered without the rules.
  return is_apart && !ChainAnswer(request, index, pushed);
}

void Admission::NoteWaiting(const Request& request, const Pushed& pushed, Waiting* waiting) {
  waiting->clients.insert(request.client);
  for (const auto& [realm, link] : pushed.after) waiting->realms.insert(realm);
  if (pushed.app_rules) waiting->questions += pushed.app_rules->questions();
}

// A row that has moved may be changed in a realm that the update does not name.
bool Admission::ChangesOnlyItsRealms(const Pushed& pushed) const {
  return std::all_of(rows_.changes().begin(), rows_.changes().end(), [&](const auto& change) {
    return std::any_of(pushed.after.begin(), pushed.after.end(),
                       [&](const auto& at) { return at.first == change.first.realm; });
  });
}

}  // namespace skerry
