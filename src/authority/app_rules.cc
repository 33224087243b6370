#include "authority/app_rules.h"

#include <utility>

#include "authority/row_data.h"
#include "authority/rule_reader.h"
#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

// A row that the rules name, among those that the action has changed.
std::optional<PlacedKey> ChangedRow(const Schema& schema, const WorkingSet::Befores& journal,
                                    const wire::RuleProblem& problem) {
  if (!problem.table || !problem.id) return std::nullopt;
  const ObjectKey object{schema.FindTable(*problem.table), *problem.id};
  for (const auto& [key, before] : journal) {
    if (key.object == object && (!problem.realm || *problem.realm == key.realm)) return key;
  }
  return std::nullopt;
}

}  // namespace

Vector<AppRules::Problem> AppRules::Judge(const Scene& scene, const Update& update, uint32_t action,
                                          const Set<PlacedKey>& touched) {
  const WorkingSet::Befores& journal = scene.rows->journal();
  const auto known = asked_.find(action);
  if (known != asked_.end() && known->second.is_answered) {
    Vector<Problem> out;
    for (const wire::RuleProblem& problem : known->second.problems)
      out.push_back({ChangedRow(*schema_, journal, problem), problem.code, problem.message});
    return out;
  }
  // It is judged again anyway, with what is missing.
  const bool is_incomplete = scene.rows->has_needs() || !scene.locks->empty();
  const bool is_full =
      questions_.size() >= kMaxRuleQuestions || question_bytes_ >= kMaxRuleQuestionBytes;
  if (is_incomplete || is_full) return {};
  Vector<wire::RuledRow> changed;
  Set<std::string> realms;
  for (const auto& [key, before] : journal) {
    if (touched.contains(key) || key.object.table == schema_->members()) continue;
    const Row* found = scene.rows->Find(key);
    const std::optional<Row> now = found ? std::optional<Row>(*found) : std::nullopt;
    if (before == now) continue;
    realms.insert(key.realm);
    changed.push_back({schema_->table(key.object.table).name, key.object.id, key.realm,
                       RowToData(*schema_, key.object, before),
                       RowToData(*schema_, key.object, now)});
  }
  if (!changed.empty())
    Ask(scene, update.actions[action], action, std::move(changed), std::move(realms));
  return {};
}

void AppRules::Ask(const Scene& scene, const Action& action, uint32_t place,
                   Vector<wire::RuledRow> changed, Set<std::string> realms) {
  wire::RuleQuestion question;
  question.place = place;
  question.client = scene.client;
  question.user = scene.user;
  question.action = {action.id, action.name, Data::Json(action.arg), action.at};
  question.changed = std::move(changed);
  question.reads = asked_[place].reads;
  RuleReader reader(schema_, scene.rows, std::move(realms));
  for (const wire::RuleRead& read : question.reads) {
    const Result<Data> value = reader.Read(read);
    if (scene.rows->has_needs()) return;
    // The rule is at fault, and gets to know it.
    question.values.push_back(value.ok() ? value.value() : ErrorToData(value.status()));
  }
  std::string text = WriteJson(WriteMembers(question));
  question_bytes_ += text.size();
  questions_.push_back(Data::Json(std::move(text)));
  taken_.push_back(place);
}

Vector<Data> AppRules::TakeQuestions() {
  question_bytes_ = 0;
  return std::exchange(questions_, {});
}

void AppRules::DropQuestions() {
  TakeQuestions();
  taken_.clear();
}

Status AppRules::Take(const Vector<wire::RuleAnswer>& answers) {
  const Vector<uint32_t> places = std::exchange(taken_, {});
  if (answers.size() != places.size())
    return {Code::kInvalidArgument, "`rules` answers all questions"};
  bool is_void = false;
  for (size_t i = 0; i < answers.size(); ++i) {
    const wire::RuleAnswer& answer = answers[i];
    if (answer.place != places[i]) return {Code::kInvalidArgument, "`rules` answers in order"};
    Asked& asked = asked_[places[i]];
    asked.reads.insert(asked.reads.end(), answer.reads.begin(), answer.reads.end());
    if (is_void || !answer.reads.empty()) continue;
    if (answer.failed) {
      failure_ = answer.failed;
      return Status::Ok();
    }
    asked.is_answered = true;
    asked.problems = answer.problems;
    if (answer.problems.empty()) continue;
    is_void = true;
    for (auto later = asked_.upper_bound(places[i]); later != asked_.end(); ++later)
      later->second.is_answered = false;
  }
  return Status::Ok();
}

void AppRules::Forget() {
  DropQuestions();
  asked_.clear();
  failure_.reset();
}

}  // namespace skerry
