// Goal: an id of the application's own names an object within its realm: which one an operation
// finds, and what refs, cascades and moves make of it. Method: a view, a transaction and a few rows.
#include "test/core/client/overlay.h"

namespace skerry::client_test {

TEST_CASE("moves no object with an application-defined id, and nothing with such a child") {
  Overlay o;
  const std::string board = "01890000-0000-7000-8000-000000000001";
  o.Base(kPersonTable, "p", {{"name", "Ada"}});
  o.Base(kBoardTable, board, {{"name", "b"}});
  o.Begin();
  CHECK(o.CodeOf(o.Do(kMove, kPersonTable, "p", {}, "B")) == Code::kInvalidArgument);
  CHECK(o.Do(kCreate, kPinTable, "pin", {{"board", board}}).ok());
  CHECK(o.CodeOf(o.Do(kMove, kBoardTable, board, {}, "B")) == Code::kInvalidArgument);
  CHECK_EQ(o.view.Visible({kBoardTable, board})->realm, "A");
}

TEST_CASE("finds the object of the named realm, of the default realm, or the only one") {
  Overlay o;
  o.Base(kPersonTable, "theme", {{"name", "of A"}}, 1, "A");
  o.Base(kPersonTable, "theme", {{"name", "of B"}}, 2, "B");
  o.Base(kPersonTable, "only", {{"name", "of B"}}, 1, "B");
  o.Base(kPersonTable, "far", {{"name", "of B"}}, 1, "B");
  o.Base(kPersonTable, "far", {{"name", "of C"}}, 1, "C");
  const auto name = [&](const char* id, const char* realm) {
    const auto row = o.view.Visible({kPersonTable, id, realm});
    return row ? row->props[0].text() : std::string();
  };
  const Sets mine = {{"name", "mine"}};
  o.Begin();
  CHECK(o.Do(kUpdate, kPersonTable, "theme", mine).value().changed);
  CHECK_EQ(name("theme", "A"), "mine");
  CHECK_EQ(name("theme", "B"), "of B");
  CHECK(o.Do(kUpdate, kPersonTable, "theme", mine, "B").value().changed);
  CHECK_EQ(name("theme", "B"), "mine");
  CHECK(o.Do(kUpdate, kPersonTable, "only", mine).value().changed);
  CHECK_EQ(name("only", "B"), "mine");
  CHECK_FALSE(o.Do(kUpdate, kPersonTable, "only", mine, "A").value().changed);
  CHECK(o.CodeOf(o.Do(kUpdate, kPersonTable, "far", mine)) == Code::kInvalidArgument);
  CHECK(o.Do(kDelete, kPersonTable, "far", {}, "C").value().changed);
  CHECK(o.Do(kUpdate, kPersonTable, "far", mine).value().changed);
  // A create is in the realm that it names, or in the default one.
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, "theme", mine, "B")) == Code::kConflict);
  CHECK(o.Do(kCreate, kPersonTable, "theme", mine, "C").ok());
  CHECK(o.Do(kUpsert, kPersonTable, "theme", {{"name", "new"}}, "D").ok());
  CHECK_EQ(name("theme", "D"), "new");
  // So is an upsert, though another realm has the only row.
  CHECK(o.Do(kUpsert, kPersonTable, "only", {{"name", "of A"}}).ok());
  CHECK_EQ(name("only", "A"), "of A");
  CHECK_EQ(name("only", "B"), "mine");
  CHECK_EQ(name("theme", "A"), "mine");
}

TEST_CASE("a ref names the row of its own realm, in cascades and touches, too") {
  Overlay o;
  for (const char* realm : {"A", "B"}) {
    o.Base(kGroupTable, "g", {{"count", 0}}, 1, realm);
    o.Base(kMemberTable, "m", {{"group", "g"}}, 1, realm);
  }
  o.Begin();
  CHECK(o.Do(kUpdate, kMemberTable, "m", {{"role", "guide"}}, "B").value().changed);
  CHECK_EQ(o.view.Visible({kGroupTable, "g", "A"})->modified_at, 1);
  CHECK_EQ(o.view.Visible({kGroupTable, "g", "B"})->modified_at, 100);
  CHECK(o.Do(kDelete, kGroupTable, "g", {}, "A").value().changed);
  CHECK_FALSE(o.view.Visible({kMemberTable, "m", "A"}).has_value());
  CHECK(o.view.Visible({kMemberTable, "m", "B"}).has_value());
  CHECK(o.view.Visible({kGroupTable, "g", "B"}).has_value());
}

}  // namespace skerry::client_test
