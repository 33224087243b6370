#include "test/sim/app_rule.h"

#include "base/fields.h"
#include "base/json.h"
#include "base/status.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::sim {
namespace {

bool IsWrong(const Data& row) {
  return !row.is_null() && test::naive::IsAboveMost(row["id"].as_string(), row["props"]["n"]);
}

Data ReadOf(const Data& row, bool before) {
  const Data query = Fields{{"table", row["table"]},
                            {"where", Data::Array{"and", Data::Array{"=", "id", row["id"]},
                                                  Data::Array{"=", "realm", row["realm"]}}}};
  return Fields{{"query", query}, {"before", before}, {"what", "rows"}};
}

void CheckRead(const Data& value, const Data& row) {
  const Data::Array& rows = value.items();
  SKERRY_CHECK(rows.size() == (row.is_null() ? 0 : 1));
  if (!rows.empty()) SKERRY_CHECK(WriteJson(rows[0]["row"]["props"]) == WriteJson(row["props"]));
}

}  // namespace

Data AnswerByAppRule(const Data& question) {
  const Data::Array& changed = question["changed"].items();
  const Data& first = changed[0];
  Data answer = Fields{{"place", question["place"]}};
  if (question["reads"].items().empty())
    return answer.Set("reads", Data::Array{ReadOf(first, false), ReadOf(first, true)});
  CheckRead(question["values"].items()[0], first["after"]);
  CheckRead(question["values"].items()[1], first["before"]);
  Data problems = Data::MakeArray();
  for (const Data& row : changed) {
    if (!IsWrong(row["after"])) continue;
    bool was_wrong = false;
    for (const Data& other : changed) {
      const bool is_same = other["table"] == row["table"] && other["id"] == row["id"];
      // It has come from another realm, or was here.
      const bool is_from = other["realm"] == row["realm"] || other["after"].is_null();
      was_wrong = was_wrong || (is_same && is_from && IsWrong(other["before"]));
    }
    if (was_wrong) continue;
    problems.Push(Fields{{"table", row["table"]},
                         {"id", row["id"]},
                         {"realm", row["realm"]},
                         {"code", "rule"},
                         {"message", "It is too many."}});
  }
  return answer.Set("problems", std::move(problems));
}

}  // namespace skerry::sim
