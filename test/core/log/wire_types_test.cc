// Goal: the types by which the server knows what the authority says and reads are those of the
// core's structs. Method: they are written from the structs' lists of members, and the file in the
// repository has to hold just that; SKERRY_WRITE=1 writes it.
#include <doctest/doctest.h>

#include <string>

#include "log/wire/admission_steps.h"
#include "log/wire/check_scopes.h"
#include "log/wire/diff.h"
#include "log/wire/forgetting.h"
#include "log/wire/logged.h"
#include "log/wire/poke.h"
#include "log/wire/pull_answer.h"
#include "log/wire/pull_loaded.h"
#include "log/wire/pull_needs.h"
#include "log/wire/pull_request.h"
#include "log/wire/push.h"
#include "log/wire/survey.h"
#include "test/core/log/declarations.h"

namespace skerry::test {
namespace {

Declarations ServerTypes() {
  Declarations types;
  types.Add<wire::PushRequest>();
  types.Add<wire::PushAnswer>();
  types.Add<wire::PullRequest>();
  types.Add<wire::PullAnswer>();
  types.Add<wire::CheckedScopes>();
  types.Add<wire::ScopeTables>();
  types.Add<wire::SurveyRequest>();
  types.Add<wire::Surveys>();
  types.Add<wire::AdmissionBegin>();
  types.Add<wire::AdmissionLoaded>();
  types.Add<wire::RowNeeds>();
  types.Add<wire::RuleQuestion>();
  types.Add<wire::AdmissionDone>();
  types.Add<wire::PullBegin>();
  types.Add<wire::PullNeeds>();
  types.Add<wire::PullLoaded>();
  types.Add<wire::DiffRequest>();
  types.Add<wire::DiffAnswer>();
  types.Add<wire::ReadDiff>();
  types.Add<OldLog>();
  types.Add<ForgottenLog>();
  types.Add<wire::Hello>();
  types.Add<wire::Ping>();
  types.Add<wire::Ready>();
  types.Add<wire::Pong>();
  types.Add<wire::Poke>();
  types.Add<wire::Invitations>();
  return types;
}

struct Inner {
  uint64_t n = 0;
  std::optional<std::string> id;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
    member("id", self.id);
  }
};
struct Outer {
  Vector<Inner> list;
  Map<std::string, Vector<std::optional<bool>>> map;
  std::optional<std::variant<Inner, std::tuple<std::string, Data>>> one;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("list", self.list);
    member.Optional("map", self.map);
    member.Optional("one", self.one);
  }
};

TEST_CASE("a struct's interface names its members, and comes after those of its parts") {
  Declarations types;
  types.Add<Outer>();
  CHECK(types.text() ==
        "\nexport interface Inner {\n"
        "  readonly n: number;\n"
        "  readonly id: string | null;\n"
        "}\n"
        "\nexport interface Outer {\n"
        "  readonly list: readonly Inner[];\n"
        "  readonly map?: Readonly<Record<string, readonly (boolean | null)[]>>;\n"
        "  readonly one?: Inner | readonly [string, unknown];\n"
        "}\n");
}

TEST_CASE("the server's types of the wire are those of the core") {
  CheckTypes(SKERRY_ROOT "/server/src/base/wire-types.ts", "src/log/wire",
             "test/core/log/wire_types_test.cc", ServerTypes());
}

}  // namespace
}  // namespace skerry::test
