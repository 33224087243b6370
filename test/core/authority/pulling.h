// Helpers of tests that pull: short requests, and answers as short texts.
#ifndef SKERRY_TEST_CORE_AUTHORITY_PULLING_H_
#define SKERRY_TEST_CORE_AUTHORITY_PULLING_H_

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "test/core/authority/pushing.h"

namespace skerry::authority_test {

inline constexpr char kAllTables[] =
    R"([{"table":"groups","filled":true},{"table":"members","filled":true},{"table":"people","filled":true},
  {"table":"countries","filled":true},{"table":"cities","filled":true},{"table":"items","filled":true},{"table":"logs","filled":true},
  {"table":"boxes","filled":true}])";

inline Data Request(const std::string& client, std::string_view cursors,
                    const Data::Array& have = {}, std::string_view scopes = kAllTables) {
  Data request = Data::MakeObject();
  request.Set("client", client).Set("cursors", Json(cursors)).Set("have", Data(have));
  return request.Set("scopes", Json(scopes));
}

// {"A":"<cursor at this revision>", …}
inline std::string At(const AuthorityWorld& world, uint64_t a, uint64_t b = 0) {
  return R"({"A":")" + world.cursor("A", a) + R"(","B":")" + world.cursor("B", b) + R"("})";
}

// "change table/id" of every change, in order.
inline std::string Short(const Data& answer) {
  std::string text;
  for (const Data& change : answer["changes"].items()) {
    if (!text.empty()) text += ", ";
    text += change["change"].as_string() + " " + change["table"].as_string() + "/" +
            change["id"].as_string();
  }
  return text;
}

// Item x, group g and its member m in A, item b in B; both realms at revision 1.
struct PulledScenery {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  Author bob{&world, "c2"};
  PulledScenery() {
    REQUIRE(Status(anna.Push(
                R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":1,"note":"old"}},
      {"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
      {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])")) == "applied");
    REQUIRE(Status(anna.Push(R"([{"op":"create","table":"items","id":"b","realm":"B","set":{}}])",
                             {"B"})) == "applied");
  }
};

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_PULLING_H_
