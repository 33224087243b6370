// RuledWorld: an AuthorityWorld whose application has a rule, for which the test answers.
#ifndef SKERRY_TEST_CORE_AUTHORITY_RULED_WORLD_H_
#define SKERRY_TEST_CORE_AUTHORITY_RULED_WORLD_H_

#include <functional>
#include <string>
#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {

inline const Data kNegative = "It is not negative.";

inline Data Problem(const Data& row, Data message = kNegative) {
  return Fields{{"table", row["table"]},
                {"id", row["id"]},
                {"code", "rule"},
                {"message", std::move(message)}};
}

inline Data Answer(const Data& question, Data problems = Data::MakeArray()) {
  return Fields{{"place", question["place"]}, {"problems", std::move(problems)}};
}

// Items whose n is below 0 are wrong.
inline Data NoNegative(const Data& question) {
  Data problems = Data::MakeArray();
  for (const Data& row : question["changed"].items()) {
    if (row["after"]["props"]["n"].as_number() < 0) problems.Push(Problem(row));
  }
  return Answer(question, std::move(problems));
}

inline Data QueryOf(const char* text, bool before = false, const char* what = "rows",
                    const char* column = "") {
  return Fields{{"query", Json(text)}, {"before", before}, {"what", what}, {"column", column}};
}

struct RuledWorld : AuthorityWorld {
  RuledWorld() {
    rules = [this](const Data& question) {
      asked.push_back(question);
      return rule(question);
    };
  }
  // An update of several actions, each with one op.
  Data Many(Author& author, const Vector<std::string>& ops) {
    std::string list;
    for (size_t i = 0; i < ops.size(); ++i) list += (i ? "," : "") + ops[i];
    Data update = author.Make("[" + list + "]");
    Data actions = Data::MakeArray();
    for (size_t i = 0; i < ops.size(); ++i) {
      actions.Push(
          Fields{{"id", Id(0x7000 + ++action)}, {"name", "do"}, {"arg", Data()}, {"at", 5}});
    }
    Data placed = Data::MakeArray();
    for (size_t i = 0; i < ops.size(); ++i) {
      Data op = update["ops"].items()[i];
      placed.Push(op.Set("by", Data::Array{Data(static_cast<double>(i))}));
    }
    return update.Set("actions", std::move(actions)).Set("ops", std::move(placed));
  }
  Vector<std::string> Culprits(const Data& result) {
    Vector<std::string> out;
    for (const Data& rejected : result["rejected"].items()) {
      for (const Data& id : rejected["actions"].items()) out.push_back(id.as_string());
    }
    return out;
  }
  std::function<Data(const Data&)> rule = NoNegative;
  Vector<Data> asked;
  Author anna{this, "c1"}, bea{this, "c2"};
  uint64_t action = 0;
};

inline std::string CreateN(const char* id, int n) {
  return R"({"op":"create","table":"items","realm":"A","id":")" + std::string(id) +
         R"(","set":{"n":)" + std::to_string(n) + "}}";
}
inline std::string AddN(const char* id, int n) {
  return R"({"op":"inc","table":"items","realm":"A","id":")" + std::string(id) +
         R"(","add":{"n":)" + std::to_string(n) + "}}";
}

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_RULED_WORLD_H_
