// AppRules: what the rules of the application say of the update that is being decided. They run at the
// host, so a judgement asks them by leaving questions, and is made again with their answers: one for each
// action, about the rows as they are after it.
//
// Later actions are judged and asked about meanwhile as if the rules had nothing against the earlier ones.
// If they have, the answers about the later ones are void.
#ifndef SKERRY_AUTHORITY_APP_RULES_H_
#define SKERRY_AUTHORITY_APP_RULES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "authority/scene.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/wire/rule_steps.h"
#include "model/schema.h"

namespace skerry {

class AppRules {
 public:
  struct Problem {
    std::optional<PlacedKey> key;  // a row that the action has changed
    std::string code;
    std::string message;
  };

  explicit AppRules(const Schema* schema) : schema_(schema) {}

  // What the rules find wrong with what the step that is judged has changed, but for `touched`. If they
  // have not answered yet, a question is left. REQUIRES: the step breaks no other rule.
  Vector<Problem> Judge(const Scene& scene, const Update& update, uint32_t action,
                        const Set<PlacedKey>& touched);
  size_t questions() const { return questions_.size(); }
  bool has_questions() const { return !questions_.empty(); }
  // Each a wire::RuleQuestion.
  Vector<Data> TakeQuestions();
  void DropQuestions();
  // To the questions that were taken last, in their order. kInvalidArgument: they are no answers to these.
  Status Take(const Vector<wire::RuleAnswer>& answers);
  // Why the rules could not answer, if so.
  const std::optional<std::string>& failure() const { return failure_; }
  // The next update is judged.
  void Forget();

 private:
  struct Asked {
    Vector<wire::RuleRead> reads;
    bool is_answered = false;
    Vector<wire::RuleProblem> problems;
  };

  void Ask(const Scene& scene, const Action& action, uint32_t place, Vector<wire::RuledRow> changed,
           Set<std::string> realms);

  const Schema* schema_;
  Map<uint32_t, Asked> asked_;  // by the action's place in the update
  Vector<Data> questions_;
  size_t question_bytes_ = 0;
  Vector<uint32_t> taken_;  // the places of the questions that were taken last
  std::optional<std::string> failure_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_APP_RULES_H_
