// Goal: records of storage round-trip through their structs with unknown fields preserved; a
// damaged field is read as absent. A strict reader refuses it, and says where it is.
#include "log/members.h"

#include "base/json.h"
#include "doctest/doctest.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "log/wire/admission_steps.h"
#include "log/wire/logged.h"
#include "log/wire/pull_answer.h"
#include "log/wire/pull_loaded.h"

namespace skerry {
namespace {

Data Stored(std::string_view json) { return ParseJson(json).value(); }

TEST_CASE("preserves unknown fields, in lists, too") {
  const Data stored = Stored(
      R"({"v":1,"n":4,"news":{"a":[1]},"scopes":[{"table":"t","where":["true"],"filled":"x","news":2}],
          "image":{"generation":"g","n":3,"cursors":{"A":"1@1"},"parts":[{"file":"f","bytes":1,"news":true}]}})");
  CHECK(SyncRecord::Read(stored).Write() == stored);
}

TEST_CASE("omits an absent field until it gets a value") {
  SyncRecord sync = SyncRecord::Read(Stored(R"({"v":1,"n":4})"));
  CHECK(sync.Write() == Stored(R"({"v":1,"n":4})"));
  sync.cursors["A"] = "1@1";
  CHECK(sync.Write() == Stored(R"({"v":1,"n":4,"cursors":{"A":"1@1"}})"));
}

TEST_CASE("writes every field of a new record but the optional ones") {
  const Data written = UpdateRecord().Write();
  CHECK(written.members().size() == 8);
  CHECK(written.Find("generation") == nullptr);
  CHECK(written.Find("body") != nullptr);
}

TEST_CASE("reads fields of a wrong type as absent, and omits them from lists and maps") {
  const SyncRecord sync = SyncRecord::Read(Stored(
      R"({"n":-1,"client":7,"clockOffset":"x","refill":["A",1,""],"cursors":{"A":"1@1","B":2},
          "seen":{"A":1,"B":1.5},"scopes":[3,{"table":"t","where":["true"]}],"image":{"generation":"g"}})"));
  CHECK(sync.n == 0);
  CHECK(sync.client.empty());
  CHECK_FALSE(sync.clock_offset.has_value());
  CHECK(sync.refill == Vector<std::string>{"A"});
  CHECK(sync.cursors == Cursors{{"A", "1@1"}});
  CHECK(sync.seen == Revisions{{"A", 1}});
  CHECK(sync.scopes.empty());
  CHECK_FALSE(sync.image.has_value());
  CHECK(SyncRecord::Read(Data("no object")).n == 0);
}

TEST_CASE("a strict reader takes what fits, with missing, null and unknown members") {
  wire::PullAnswer answer;
  const WrongAt wrong =
      ReadStrictly(Stored(R"({"time":1,"cursors":{"A":"1@1"},"news":[7],"more":null,"own":{"u":{"A":
          {"revision":1,"at":5,"gone":[0]}}},"fills":[{"table":"t","where":["true"],"upto":null},
          {"realm":"A","revision":3,"hash":"0123456789abcdef","bytes":1,"url":"/x"}]})"),
                   &answer);
  CHECK_FALSE(wrong.found());
  CHECK(answer.own["u"]["A"].lost.gone == Vector<uint64_t>{0});
  REQUIRE(answer.fills.size() == 2);
  CHECK(std::get<wire::Page>(answer.fills[0]).scope.table == "t");
  CHECK(std::get<wire::Image>(answer.fills[1]).revision == 3);
  CHECK_FALSE(answer.known.has_value());
}

TEST_CASE("a strict reader says where the first wrong value is") {
  const struct {
    const char* member;
    const char* value;
    const char* path;
  } kWrong[] = {
      {"time", "\"now\"", "time"},
      {"time", "null", "time"},
      {"cursors", "[]", "cursors"},
      {"more", "1", "more"},
      {"revoked", R"(["A",7])", "revoked[1]"},
      {"revoked", R"([null])", "revoked[0]"},
      {"own", R"({"u":[]})", "own.u"},
      {"own", R"({"u":{"A":{"revision":0,"at":1}}})", "own.u.A"},
      {"own", R"({"u":{"A":{"revision":1,"at":1,"gone":["x"]}}})", "own.u.A.gone[0]"},
      {"fills", R"([{"table":"t","where":["true"]},{"table":"t"}])", "fills[1]"},
      {"fills", R"([{"table":"t","where":["true"],"ids":[1]}])", "fills[0].ids[0]"},
      {"streams", R"([{"realm":"A","stream":"s","revision":1,"snapshot":{"version":1}}])",
       "streams[0].snapshot"},
      {"known", R"({"a":{"A":-1}})", "known.a.A"},
      {"floors", R"({"A":{"revision":1}})", "floors.A"},
  };
  for (const auto& [member, value, path] : kWrong) {
    Data json = Stored(R"({"time":1,"cursors":{}})");
    wire::PullAnswer answer;
    const WrongAt wrong = ReadStrictly(json.Set(member, Stored(value)), &answer);
    CHECK_MESSAGE(wrong.found(), value);
    CHECK(wrong.path() == path);
  }
  wire::PullAnswer answer;
  CHECK(ReadStrictly(Data("text"), &answer).found());
  wire::PullLoaded none_is_required;
  CHECK(ReadStrictly(Data("text"), &none_is_required).found());
}

TEST_CASE("a strict reader takes null for an item of a list only where one may be missing") {
  wire::PullLoaded loaded;
  const char* json = R"({"pages":[null,{"rows":[],"more":true}],"selected":[[1,2],[]]})";
  CHECK_FALSE(ReadStrictly(Stored(json), &loaded).found());
  REQUIRE(loaded.pages.size() == 2);
  CHECK_FALSE(loaded.pages[0].has_value());
  CHECK(loaded.pages[1]->more);
  CHECK(loaded.selected[0] == Vector<uint64_t>{1, 2});
  CHECK(ReadStrictly(Stored(R"({"pages":[{"rows":[],"more":1}]})"), &loaded).path() ==
        "pages[0].more");
  CHECK(ReadStrictly(Stored(R"({"selected":[null]})"), &loaded).path() == "selected[0]");
}

TEST_CASE("a list of a fixed length has just so many items, each of its type") {
  wire::AdmissionBegin begin;
  const auto read = [&](const char* looked) {
    Data json = Stored(R"({"now":1,"requests":[]})");
    return ReadStrictly(json.Set("looked", Stored(looked)), &begin);
  };
  CHECK_FALSE(read(R"([["A","t","x"]])").found());
  CHECK(begin.looked[0] == wire::RowKey("A", "t", "x"));
  CHECK(ToData(begin.looked) == Stored(R"([["A","t","x"]])"));
  for (const char* wrong : {R"([["A","t"]])", R"([["A","t","x","y"]])", R"([["A",1,"x"]])"})
    CHECK(read(wrong).path() == "looked[0]");
}

}  // namespace
}  // namespace skerry
