// Goal: the authority reads a row or record without a prop that was added later as if it had the
// prop's default. It cannot know what a client holds of that prop, so it sends the prop. Method:
// rows and records of `before` without the prop, in steps as the server gives them
// (docs/authority.md).
#include <doctest/doctest.h>

#include <string>

#include "authority/admission_json.h"
#include "authority/image_maker.h"
#include "authority/pull_json.h"
#include "log/image.h"
#include "test/core/authority/world.h"

namespace skerry::authority_test {
namespace {

const Schema& GrownSchema() {
  static const Schema schema = [] {
    Result<Schema> parsed = Schema::Parse(
        Json(R"({"version":2,"accepts":[1],"tables":[{"name":"todos","ids":"string","props":[
          {"name":"text","type":"string"},{"name":"prio","type":"number","default":3}]}]})"));
    REQUIRE(parsed.ok());
    return std::move(parsed.value());
  }();
  return schema;
}

// The row, by default as written by a release that did not know the prop.
std::string OldRow(const std::string& props = R"("text":"a")", const char* revision = "1") {
  return R"({"table":"todos","id":"x","realm":"A","createdAt":1,"modifiedAt":1,"revision":)" +
         std::string(revision) + R"(,"props":{)" + props + "}}";
}

// The props that an update with this op writes.
Data Written(const std::string& op) {
  AdmissionSession session(&GrownSchema());
  const std::string update = R"({"id":")" + Id(1) + R"(","after":{"A":null},"base":{"A":1},"at":5,
    "actions":[{"id":")" + Id(2) +
                             R"(","name":"n","at":5}],"ops":[)" + op + "]}";
  const std::string text = session.Step(
      R"({"now":10,"realms":{"A":{"head":1,"headAt":1}},"rights":[{"A":"write"}],"chains":[],
          "applied":[],"actions":[],"rows":[)" +
      OldRow() +
      R"(],"looked":[["A","todos","x"]],"requests":[{"client":"c","user":"anna","rights":0,"updates":[)" +
      update + "]}]}");
  const Data done = ReadStep(text)["done"];
  REQUIRE(done["rows"].items().size() == 1);
  return done["rows"].items()[0]["props"];
}

// A pull of client c from revision 1 to 3: `changes` and `rows` as the server reads them, `own` the
// ops of its own update at revision 2.
Data Pulled(const std::string& changes, const std::string& row, const std::string& own_op,
            int limit = 100, const char* where = R"(["true"])") {
  PullSession session(&GrownSchema());
  const std::string have = own_op.empty() ? "" : "\"" + Id(7) + "\"";
  session.Step(R"({"now":10,"request":{"client":"c","schema":2,"cursors":{"A":"1@1"},"have":[)" +
               have + R"(],"limit":)" + std::string(std::to_string(limit)) +
               R"(,"scopes":[{"table":"todos","where":)" + where +
               R"(,"filled":true}]},"realms":{"A":{"head":3,"headAt":3,"rows":1}}})");
  std::string entries = R"({"realm":"A","revision":1,"at":1,"client":"d","update":"u1"},
    {"realm":"A","revision":2,"at":2,"client":"c","update":")" +
                        Id(7) + R"(","declared":true})";
  if (limit > 1) {
    entries += R"(,{"realm":"A","revision":3,"at":3,"client":"d","update":"u3"})";
  }
  const std::string own = own_op.empty()
                              ? ""
                              : R"({"update":")" + Id(7) +
                                    R"(","realm":"A","revision":2,"at":2,"ops":[)" + own_op + "]}";
  std::string text = session.Step(R"({"entries":[)" + entries + R"(],"changes":[)" + changes +
                                  R"(],"own":[)" + own + "]}");
  if (Json(text)["needs"].is_object()) {
    text = session.Step(R"({"rows":[{"realm":"A","table":"todos","id":"x","row":)" + row + "}]}");
  }
  const Data answer = Json(text)["answer"];
  REQUIRE(answer.is_object());
  return answer["changes"];
}

std::string ChangeLine(int revision, const std::string& before) {
  return R"({"realm":"A","table":"todos","id":"x","revision":)" +
         std::string(std::to_string(revision)) + R"(,"before":)" + before + "}";
}

TEST_CASE("starts with the default when an object is deleted and made again in one update") {
  CHECK(Written(R"({"op":"delete","table":"todos","id":"x","realm":"A","by":[0]},
          {"op":"create","table":"todos","id":"x","realm":"A","set":{"text":"b"},"by":[0]})") ==
        Json(R"({"text":"b","prio":3})"));
}

TEST_CASE("counts an inc of a missing prop from its default; an update fills it in") {
  CHECK(Written(R"({"op":"inc","table":"todos","id":"x","realm":"A","add":{"prio":1},"by":[0]})") ==
        Json(R"({"text":"a","prio":4})"));
  CHECK(
      Written(
          R"({"op":"update","table":"todos","id":"x","realm":"A","set":{"text":"b"},"by":[0]})") ==
      Json(R"({"text":"b","prio":3})"));
}

TEST_CASE("sends the row's value although the client has an inc of a missing prop") {
  // The client counted from some default that the server does not know. So its 1 and the server's 1
  // may differ.
  const Data changes =
      Pulled(ChangeLine(2, OldRow()) + "," + ChangeLine(3, OldRow(R"("text":"a","prio":4)")),
             OldRow(R"("text":"a","prio":1)", "3"),
             R"({"op":"inc","table":"todos","id":"x","realm":"A","add":{"prio":1}})");
  REQUIRE(changes.items().size() == 1);
  CHECK(changes.items()[0]["set"] == Json(R"({"prio":1})"));
}

TEST_CASE("sends a missing prop with a row that was changed before it had the prop") {
  const Data changes = Pulled(ChangeLine(2, OldRow()), OldRow(R"("text":"b","prio":3)", "2"), "");
  REQUIRE(changes.items().size() == 1);
  CHECK(changes.items()[0]["set"] == Json(R"({"text":"b","prio":3})"));
}

TEST_CASE("sends a correction in the middle of a range, for any value at its start") {
  // The client may have read the row under a schema with another default: its 3 may differ.
  const Data changes =
      Pulled(ChangeLine(2, OldRow(R"("text":"a","prio":3)")) + "," + ChangeLine(3, OldRow()),
             OldRow(R"("text":"a","prio":3)", "3"), "");
  REQUIRE(changes.items().size() == 1);
  CHECK(changes.items()[0]["set"] == Json(R"({"prio":3})"));
}

TEST_CASE("sends the default when an answer ends before the row had the prop") {
  const Data changes = Pulled(ChangeLine(2, OldRow(R"("text":"z","prio":9)")) + "," +
                                  ChangeLine(3, OldRow(R"("text":"b")", "2")),
                              "null", "", 1);
  REQUIRE(changes.items().size() == 1);
  CHECK(changes.items()[0]["set"] == Json(R"({"text":"b","prio":3})"));
}

TEST_CASE("treats a row without the prop as one with the default in a scope over it") {
  // The row was in the scope by its default, and leaves the scope.
  const Data changes = Pulled(ChangeLine(2, OldRow()), OldRow(R"("text":"a","prio":5)", "2"), "",
                              100, R"(["=","prio",3])");
  REQUIRE(changes.items().size() == 1);
  CHECK(changes.items()[0]["change"].Is("leave"));
}

TEST_CASE("writes the default of a missing prop into an image") {
  ImageMaker maker(&GrownSchema(), "A", {1, 1});
  CHECK(maker.Rows(R"({"rows":[)" + OldRow() + "]}") == "{}");
  Base base(&GrownSchema());
  REQUIRE(LoadImage(maker.Finish(), &base).ok());
  CHECK(base.GetBase("A", {0, "x"})->props[1] == Value::Number(3));
}

}  // namespace
}  // namespace skerry::authority_test
