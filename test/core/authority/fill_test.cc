// Goal: an answer fills scopes by pages and images, also for realms that are new to a client and
// for cursors of another history (docs/design.md, "Filling a scope"; docs/internals.md, section
// 6). Method: pulls from a small world (world.h).
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "log/cursor.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("fills scopes in pages by id, and sends no changes beyond the filled part") {
  PulledScenery s;
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"items","id":"y","realm":"A","set":{}},{"op":"create","table":"items","id":"z","realm":"A","set":{}}])")) ==
      "applied");
  Data answer =
      s.world.Pull("anna", Request("c1", "{}", {}, R"([{"table":"items","filled":false}])"));
  CHECK(Short(answer) == "create items/x, create items/b");
  const Data& page = answer["fills"].items()[0];
  CHECK(page["above"].as_string() == "");
  CHECK(page["upto"].as_string() == "x");
  CHECK(page["ids"] == Json(R"(["b","x"])"));
  CHECK(answer["more"].as_bool());
  const std::string cursors = WriteJson(answer["cursors"]);
  CHECK(answer["cursors"] == Json(At(s.world, 2, 1)));
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":9}},{"op":"update","table":"items","id":"y","realm":"A","set":{"n":9}}])")) ==
      "applied");
  answer = s.world.Pull("anna", Request("c1", cursors, {}, R"([{"table":"items","filled":"x"}])"));
  CHECK(Short(answer) == "update items/x, create items/y, create items/z");
  CHECK(answer["fills"].items()[0]["above"].as_string() == "x");
  CHECK(answer["fills"].items()[0]["upto"].is_null());
  CHECK_FALSE(answer["more"].as_bool());
}

TEST_CASE("a page ends where the looking for it has ended, also without a row") {
  PulledScenery s;
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":7}}])")) ==
          "applied");
  s.world.reads.page_looks = 2;
  const auto pull = [&](const std::string& filled) {
    const std::string scope = R"([{"table":"items","where":["=","n",7],"filled":)" + filled + "}]";
    return s.world.Pull("anna", Request("c1", "{}", {}, scope));
  };
  Data answer = pull("false");
  CHECK(answer["fills"].items()[0]["ids"].items().empty());
  CHECK(answer["fills"].items()[0]["upto"].as_string() == "x");
  CHECK(answer["more"].as_bool());
  answer = pull(R"("x")");
  CHECK(answer["fills"].items()[0]["ids"] == Json(R"(["y"])"));
  CHECK(answer["fills"].items()[0]["upto"].is_null());
  CHECK_FALSE(answer["more"].as_bool());
}

TEST_CASE("limits the pages of an answer by number and by cost, and reports more") {
  PulledScenery s;
  const auto scopes = [](size_t count, int comparisons, size_t filled) {
    std::string list = "[";
    for (size_t i = 0; i < count; ++i) {
      std::string where = R"(["or")";
      for (int n = 1; n < comparisons; ++n) where += R"(,["=","n",)" + std::to_string(i) + "]";
      list += i ? "," : "";
      list += R"({"table":"items","where":)" + where + R"(],"filled":)";
      list += i < filled ? "true}" : "false}";
    }
    return list + "]";
  };
  const auto pull = [&](const std::string& list) {
    return s.world.Pull("anna", Request("c1", "{}", {}, list));
  };
  Data answer = pull(scopes(kPagesPerAnswer + 2, 2, 0));
  CHECK(answer["fills"].items().size() == kPagesPerAnswer);
  CHECK(answer["more"].as_bool());
  answer = pull(scopes(kPagesPerAnswer + 2, 2, kPagesPerAnswer));
  CHECK(answer["fills"].items().size() == 2);
  CHECK_FALSE(answer["more"].as_bool());
  answer = pull(scopes(4, 400, 0));
  CHECK(answer["fills"].items().size() == 2);
  CHECK(answer["more"].as_bool());
  // A single page may cost that much.
  CHECK(pull(scopes(2, 1000, 1))["fills"].items().size() == 1);
  CHECK(pull(scopes(5, 1000, 5))["error"]["code"].as_string() == "limit");
}

TEST_CASE("sends objects of own updates beyond the filled part whole, or deleted") {
  PulledScenery s;
  s.world.reads.page_rows = 1;
  const Data update =
      s.anna.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1}},
      {"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}},{"op":"delete","table":"items","id":"w","realm":"A"}])");
  s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]},
                                                   R"([{"table":"items","filled":"a"}])"));
  CHECK(Short(answer) == "delete items/w, create items/x, create items/y, create items/b");
  CHECK(answer["changes"].items()[1]["set"] == Json(R"({"n":2,"note":"old"})"));
}

TEST_CASE("leaves a row to its unfilled scope's page, though another scope is filled") {
  PulledScenery s;
  s.world.reads.page_rows = 0;
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1}},{"op":"create","table":"items","id":"z","realm":"A","set":{"n":2}}])")) ==
      "applied");
  const Data answer = s.world.Pull(
      "anna",
      Request(
          "c1", At(s.world, 1, 1), {},
          R"([{"table":"items","where":["=","n",1],"filled":false},{"table":"items","where":["=","n",2],"filled":true}])"));
  CHECK(Short(answer) == "create items/z");
}

TEST_CASE("does not join a move beyond the filled part to one change") {
  PulledScenery s;
  s.world.reads.page_rows = 0;
  const Data update = s.anna.Make(
      R"([{"op":"move","table":"items","id":"b","realm":"B","to":"A"},{"op":"update","table":"items","id":"b","realm":"A","set":{"note":"t"}}])",
      {"A", "B"});
  s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]},
                                                   R"([{"table":"items","filled":false}])"));
  CHECK(Short(answer) == "create items/b, delete items/b");
}

TEST_CASE("sends a page only with an answer that reaches every head") {
  PulledScenery s;
  for (int i = 0; i < 3; ++i)
    REQUIRE(Status(s.bob.Push(
                R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":1}}])")) ==
            "applied");
  s.world.reads.most_entries["A"] = 1;
  const Data answer = s.world.Pull(
      "anna", Request("c1", At(s.world, 1, 1), {}, R"([{"table":"items","filled":false}])"));
  CHECK(answer["fills"].items().empty());
  CHECK(answer["more"].as_bool());
}

TEST_CASE("sends a realm that is new to a client with filled scopes as creates") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1}}])");
  s.anna.Send(update);
  const Data answer = s.world.Pull(
      "anna", Request("c1", R"({"B":")" + s.world.cursor("B", 1) + "\"}", {update["id"]}));
  // The client folds its own create; the rest is sent.
  CHECK(Short(answer) == "create groups/g, create members/m, create items/x");
  CHECK(answer["cursors"] == Json(At(s.world, 2, 1)));
  CHECK(answer["own"].members().size() == 2);  // all of this client's in the range
}

TEST_CASE("sends a large realm by image only when the client wants all of it") {
  PulledScenery s;
  s.world.rows_for_image = kMaxRowsWithoutImage + 1;
  std::string scopes = kAllTables;
  for (size_t at; (at = scopes.find("true")) != std::string::npos;) scopes.replace(at, 4, "false");
  const Data answer =
      s.world.Pull("anna", Request("c1", R"({"B":")" + s.world.cursor("B", 1) + "\"}", {}, scopes));
  CHECK(answer["fills"].items()[0]["url"].as_string() == "/v1/snapshot");
  CHECK(answer["cursors"]["A"].as_string() == "0@0");
  CHECK(Short(answer) == "create items/b");
  // Pages of the same answer do not cover the realm: folded after the image, they would empty it.
  REQUIRE(answer["fills"].items().size() > 1);
  for (size_t i = 1; i < answer["fills"].items().size(); ++i) {
    CHECK(answer["fills"].items()[i]["realms"] == Json(R"(["B"])"));
  }
  // Not if the client wants only a part of the realm.
  const Data part =
      s.world.Pull("anna", Request("c1", "{}", {}, R"([{"table":"items","filled":false}])"));
  CHECK(part["fills"].items().size() == 1);
  CHECK(part["fills"].items()[0].Find("url") == nullptr);
}

TEST_CASE("resets a realm when its cursor is of another history") {
  PulledScenery s;
  for (const char* cursor : {"1@999", "7@1000010"}) {
    const Data answer =
        s.world.Pull("anna", Request("c1", std::string(R"({"A":")") + cursor + R"(","B":")" +
                                               s.world.cursor("B", 1) + "\"}"));
    CHECK(answer["reset"] == Json(R"(["A"])"));
    CHECK(Short(answer) == "create groups/g, create members/m, create items/x");
    CHECK(answer["cursors"] == Json(At(s.world, 1, 1)));
  }
}

TEST_CASE("resets a realm if its log lacks the entry up to which the client has given back") {
  PulledScenery s;
  const std::string there = s.world.cursor("A", 1);
  uint64_t least = 0;
  s.world.reads.image = [&least, offer = s.world.reads.image](const Data& need) {
    least = need["least"].as_u64();
    return offer(need);
  };
  for (const bool is_large : {false, true}) {
    s.world.rows_for_image = is_large ? kMaxRowsWithoutImage + 1 : 0;
    for (const std::string& given : {there, std::string("1@999"), std::string("7@1000010")}) {
      CAPTURE(given);
      Data request = Request("c1", R"({"B":")" + s.world.cursor("B", 1) + "\"}");
      request.Set("given", Json(R"({"A":")" + given + R"(","C":"5@5","B":"1@999"})"));
      least = 0;
      const Data answer = s.world.Pull("anna", request);
      CHECK(answer["reset"] == (given == there ? Data() : Json(R"(["A"])")));
      // It is sent from its beginning in any case.
      CHECK(Short(answer) == (is_large ? "" : "create groups/g, create members/m, create items/x"));
      CHECK(least == (is_large ? CursorRevision(given) : 0));
    }
  }
}

TEST_CASE("sends a large realm of another history by image, with no row of it in a page") {
  PulledScenery s;
  s.world.rows_for_image = kMaxRowsWithoutImage + 1;
  const std::string cursors = R"({"A":"1@999","B":")" + s.world.cursor("B", 1) + "\"}";
  const std::string filled = kAllTables;
  std::string unfilled = filled;
  unfilled.replace(unfilled.find("true", unfilled.find("items")), 4, "false");
  for (const std::string& scopes : {filled, unfilled}) {
    const Data answer = s.world.Pull("anna", Request("c1", cursors, {}, scopes));
    CHECK(answer["reset"] == Json(R"(["A"])"));
    CHECK(answer["fills"].items()[0]["url"].as_string() == "/v1/snapshot");
    CHECK(answer["cursors"]["A"].as_string() == "0@0");
    CHECK(Short(answer) == (scopes == filled ? "" : "create items/b"));
  }
  // A realm that is requested at the same time has its image in the same answer.
  const Data both = s.world.Pull("anna", Request("c1", R"({"A":"1@999"})"));
  CHECK(both["reset"] == Json(R"(["A"])"));
  REQUIRE(both["fills"].items().size() == 2);
  CHECK(both["fills"].items()[0]["realm"].as_string() !=
        both["fills"].items()[1]["realm"].as_string());
  // The page ends at the last row that was read, though that row is of the other realm.
  s.world.reads.page_rows = 1;
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"create","table":"items","id":"a","realm":"A","set":{}}])")) == "applied");
  const Data answer = s.world.Pull("anna", Request("c1", cursors, {}, unfilled));
  const Data& page = answer["fills"].items()[1];
  CHECK(page["ids"] == Json("[]"));
  CHECK(page["upto"].as_string() == "a");
  CHECK(answer["more"].as_bool());
}

TEST_CASE("answers `gone` when a realm too large for one answer is wanted in part") {
  PulledScenery s;
  const auto pull = [&](const std::string& cursors, const char* filled) {
    return s.world.Pull(
        "anna",
        Request("c1", cursors, {}, std::string(R"([{"table":"items","filled":)") + filled + "}]"));
  };
  const std::string new_realm = R"({"B":")" + s.world.cursor("B", 1) + "\"}";
  const std::string other_history = R"({"A":"1@999","B":")" + s.world.cursor("B", 1) + "\"}";
  s.world.rows_for_image = kMaxWholeRealmRows + 1;
  for (const std::string& cursors : {new_realm, other_history}) {
    CHECK(pull(cursors, "true")["gone"].as_bool());
    CHECK(pull(cursors, R"("a")")["gone"].as_bool());
    // Nothing is filled yet: a page will bring the row.
    CHECK(Short(pull(cursors, "false")) == "create items/x, create items/b");
  }
  // For a cursor of this history the answer has the changes, however large the realm.
  CHECK(Short(pull(WriteJson(Json(At(s.world, 1, 1))), "true")) == "");
  s.world.rows_for_image = kMaxWholeRealmRows;
  CHECK(Short(pull(new_realm, "true")) == "create items/x");
}

}  // namespace
}  // namespace skerry::authority_test
