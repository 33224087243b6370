// Goal: a window refuses at once what it sees to be taken of a unique prop, and nothing else. Method: a
// view, a transaction and a few rows.
#include "client/unique_rule.h"

#include <string>

#include "test/core/client/overlay.h"

namespace skerry::client_test {
namespace {

struct Handles : Overlay {
  Handles() {
    Base(kHandleTable, "a", {{"tag", "x"}, {"rank", 1}});
    Base(kHandleTable, "b", {{"tag", "y"}, {"rank", 2}});
    Base(kHandleTable, "far", {{"tag", "z"}}, 1, "B");
  }
  // The code of the commit, which is undone if it is refused.
  Code Finish() {
    Result<std::unique_ptr<Pending>> done = transaction.Commit("edit", "null");
    if (done.ok()) {
      pending.Add(std::move(done.value()));
      return Code::kOk;
    }
    CHECK(done.status().detail().starts_with("handles."));
    CHECK(done.status().detail().find("\"") == std::string::npos);
    transaction.Rollback();
    return done.status().code();
  }
  Code One(int kind, const char* id, const Sets& sets, Data realm = {}) {
    Begin();
    REQUIRE(Do(kind, kHandleTable, id, sets, std::move(realm)).ok());
    return Finish();
  }
  std::string Tag(const char* id) {
    const auto row = view.Visible({kHandleTable, id, "A"});
    return row && !row->props[0].is_null() ? std::string(row->props[0].text()) : "";
  }
};

}  // namespace

TEST_CASE("refuses a unique value that another visible row of the realm has") {
  Handles o;
  CHECK(o.One(kCreate, "c", {{"tag", "x"}}) == Code::kUnique);
  CHECK_FALSE(o.view.Visible({kHandleTable, "c", "A"}).has_value());
  CHECK(o.One(kUpdate, "b", {{"tag", "x"}}) == Code::kUnique);
  CHECK_EQ(o.Tag("b"), "y");
  CHECK(o.One(kUpsert, "b", {{"tag", "x"}}) == Code::kUnique);
  CHECK(o.One(kUpsert, "c", {{"tag", "x"}}) == Code::kUnique);
  CHECK(o.One(kInc, "a", {{"rank", 1}}) == Code::kUnique);
  CHECK(o.One(kInc, "b", {{"rank", 1}}) == Code::kOk);
  CHECK(o.One(kInc, "a", {{"rank", 1}}) == Code::kOk);
}

TEST_CASE("takes a unique value that is free: null, elsewhere, given back, or its own") {
  Handles o;
  CHECK(o.One(kCreate, "c", {}) == Code::kOk);
  CHECK(o.One(kCreate, "d", {}) == Code::kOk);
  CHECK(o.One(kCreate, "e", {{"tag", "z"}}) == Code::kOk);
  CHECK(o.One(kCreate, "far2", {{"tag", "z"}}, "B") == Code::kUnique);
  CHECK(o.One(kUpdate, "a", {{"note", "n"}, {"tag", "x"}}) == Code::kOk);
  CHECK(o.One(kUpdate, "a", {{"tag", nullptr}}) == Code::kOk);
  CHECK(o.One(kCreate, "f", {{"tag", "x"}}) == Code::kOk);
  CHECK(o.One(kDelete, "f", {}) == Code::kOk);
  CHECK(o.One(kCreate, "g", {{"tag", "x"}}) == Code::kOk);
}

TEST_CASE("judges unique props after the whole transaction") {
  Handles o;
  o.Begin();
  REQUIRE(o.Do(kUpdate, kHandleTable, "a", {{"tag", "y"}}).ok());
  REQUIRE(o.Do(kUpdate, kHandleTable, "b", {{"tag", "x"}}).ok());
  CHECK(o.Finish() == Code::kOk);
  CHECK_EQ(o.Tag("a"), "y");
  o.Begin();
  REQUIRE(o.Do(kCreate, kHandleTable, "c", {{"tag", "new"}}).ok());
  REQUIRE(o.Do(kCreate, kHandleTable, "d", {{"tag", "new"}}).ok());
  CHECK(o.Finish() == Code::kUnique);
  CHECK_FALSE(o.view.Visible({kHandleTable, "c", "A"}).has_value());
}

TEST_CASE("a row that shares its value already may be changed otherwise") {
  Handles o;
  o.Base(kHandleTable, "twin", {{"tag", "x"}});
  CHECK(o.One(kUpdate, "twin", {{"note", "n"}}) == Code::kOk);
  CHECK(o.One(kUpdate, "twin", {{"tag", "y"}}) == Code::kUnique);
  CHECK(o.One(kUpdate, "twin", {{"tag", "w"}}) == Code::kOk);
}

TEST_CASE("a move takes its unique values, and those of its children, to the new realm") {
  Overlay o;
  const std::string board = "01890000-0000-7000-8000-000000000001";
  const std::string flag = "01890000-0000-7000-8000-000000000002";
  o.Base(kBoardTable, board, {{"name", "b"}});
  o.Base(kFlagTable, flag, {{"tag", "x"}, {"board", board}});
  o.Base(kFlagTable, "01890000-0000-7000-8000-000000000003", {{"tag", "x"}}, 1, "B");
  const auto move = [&](TableIndex table, const std::string& id) {
    o.Begin();
    REQUIRE(o.Do(kMove, table, id, {}, "B").ok());
    const Code code = o.transaction.Commit("edit", "null").status().code();
    o.transaction.Rollback();
    CHECK_EQ(o.view.Visible({kFlagTable, flag})->realm, "A");
    return code;
  };
  CHECK(move(kBoardTable, board) == Code::kUnique);
  o.Begin();
  REQUIRE(o.Do(kUpdate, kFlagTable, flag, {{"board", nullptr}}).ok());
  o.Commit();
  CHECK(move(kFlagTable, flag) == Code::kUnique);
}

TEST_CASE("judges what is retried before it shows, but for rows that it changes itself") {
  Handles o;
  const auto update = [&](const char* id, const char* tag) {
    Op op = NewOp(OpKind::kUpdate, {kHandleTable, id}, "A");
    op.set = {{0, Value::String(tag)}};
    return op;
  };
  CHECK(CheckUniqueBefore(&o.view, {update("a", "y")}).code() == Code::kUnique);
  CHECK(CheckUniqueBefore(&o.view, {update("a", "z")}).ok());
  CHECK(CheckUniqueBefore(&o.view, {update("a", "y"), update("b", "x")}).ok());
}

TEST_CASE("looks unique values up: thousands of creates in a transaction") {
  Handles o;
  o.Begin();
  for (int i = 0; i < 5000; ++i) {
    const std::string text = std::to_string(i);
    REQUIRE(o.Do(kCreate, kHandleTable, "n" + text, {{"tag", "t" + text}, {"rank", i + 10}}).ok());
  }
  CHECK(o.Finish() == Code::kOk);
}

}  // namespace skerry::client_test
