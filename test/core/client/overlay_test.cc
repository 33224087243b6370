// Goal: the overlay applies each rule of local cascades (docs/design.md, "Cascade rules"),
// setNull, restrict, touch and rollback, and a transaction rejects bad input. Method: a view, a
// transaction and a few rows for each rule.
#include "test/core/client/overlay.h"

#include "base/limits.h"

namespace skerry::client_test {

TEST_CASE("deletes a group's memberships and their badges at once when offline") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"name", "climbers"}, {"count", 0}});
  o.Base(kPersonTable, "p", {{"name", "Ada"}});
  o.Base(kMemberTable, "m", {{"group", "g"}, {"person", "p"}});
  o.Base(kMemberTable, "n", {{"person", "p"}});
  o.Base(kBadgeTable, "b", {{"member", "m"}});
  o.Begin();
  CHECK(o.Do(kDelete, kGroupTable, "g").value().changed);
  CHECK_FALSE(o.Has(kMemberTable, "m"));
  CHECK_FALSE(o.Has(kBadgeTable, "b"));
  CHECK(o.Has(kMemberTable, "n"));
  const Pending* deleted = o.Commit();
  // The cascade is shown, not logged: the authority works it out over children that this client
  // never saw.
  CHECK_EQ(deleted->mutation.ops.size(), 1);
  // A membership that arrives from the server later is hidden, too.
  o.Base(kMemberTable, "late", {{"group", "g"}});
  CHECK_FALSE(o.Has(kMemberTable, "late"));
  CHECK(o.view.GetBase("A", {kMemberTable, "late"}).has_value());
  // The delete is rejected: everything comes back.
  o.view.Detach(o.pending.Find(deleted->mutation.action.id));
  o.pending.Remove(deleted->mutation.action.id);
  o.view.Derive();
  CHECK(o.Has(kGroupTable, "g"));
  CHECK(o.Has(kMemberTable, "m"));
  CHECK(o.Has(kMemberTable, "late"));
  CHECK(o.Has(kBadgeTable, "b"));
  CHECK_EQ(o.view.shadow_count(), 0);
}

TEST_CASE("deletes a child with its parent, made before or after the delete") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 0}});
  o.Begin();
  CHECK(o.Do(kCreate, kMemberTable, "early", {{"group", "g"}}).ok());
  CHECK(o.Do(kDelete, kGroupTable, "g").ok());
  CHECK(o.Do(kCreate, kMemberTable, "after", {{"group", "g"}}).ok());
  CHECK_FALSE(o.Has(kMemberTable, "early"));
  CHECK_FALSE(o.Has(kMemberTable, "after"));
  // The same group made again in the same update: its members never lost their parent.
  CHECK(o.Do(kCreate, kGroupTable, "g").ok());
  CHECK(o.Has(kMemberTable, "early"));
  CHECK(o.Has(kMemberTable, "after"));
  o.transaction.Rollback();
  CHECK(o.Has(kGroupTable, "g"));
  CHECK_FALSE(o.Has(kMemberTable, "early"));
}

TEST_CASE("cascades within one realm only") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 0}}, 1, "A");
  o.Base(kMemberTable, "m", {{"group", "g"}}, 1, "B");
  o.Begin();
  CHECK(o.Do(kDelete, kGroupTable, "g").value().changed);
  CHECK(o.Has(kMemberTable, "m"));
}

TEST_CASE("creates a child that names no realm in its parent's realm") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 0}}, 1, "B");
  o.Begin();
  const auto realm_of_new = [&](TableIndex table, const char* id, const Sets& sets,
                                Data realm = {}) {
    REQUIRE(o.Do(kUpsert, table, id, sets, std::move(realm)).ok());
    return o.view.Visible({table, id})->realm;
  };
  CHECK(realm_of_new(kMemberTable, "m", {{"group", "g"}}) == "B");
  CHECK(realm_of_new(kBadgeTable, "b", {{"member", "m"}}) == "B");
  // A realm that is named counts; a parent that is not visible does not.
  CHECK(realm_of_new(kMemberTable, "named", {{"group", "g"}}, "A") == "A");
  CHECK(realm_of_new(kMemberTable, "n", {{"group", "elsewhere"}}) == "A");
}

TEST_CASE("unsets a setNull ref in the overlay, and keeps it in base") {
  Overlay o;
  o.Base(kPersonTable, "p", {{"name", "Ada"}});
  o.Base(kGroupTable, "g", {{"owner", "p"}, {"count", 0}});
  o.Begin();
  CHECK(o.Do(kDelete, kPersonTable, "p").value().changed);
  const PropIndex owner = Prop(kGroupTable, "owner");
  CHECK(o.view.Visible({kGroupTable, "g"})->props[owner].is_null());
  CHECK_EQ(o.view.Visible({kGroupTable, "g"})->modified_at, 100);
  CHECK_EQ(o.view.GetBase("A", {kGroupTable, "g"})->props[owner].text(), "p");
  CHECK_EQ(o.Commit()->mutation.ops.size(), 1);
}

TEST_CASE("rejects deleting a parent under restrict, unless its child is deleted, too") {
  Overlay o;
  o.Base(kPersonTable, "p", {});
  o.Base(kLockTable, "l", {{"person", "p"}});
  o.Begin();
  CHECK(o.Do(kDelete, kPersonTable, "p").ok());
  const Result<std::unique_ptr<Pending>> refused = o.transaction.Commit("edit", "null");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == Code::kConflict);
  o.transaction.Rollback();
  CHECK(o.Has(kPersonTable, "p"));
  // Deleting parent and child in one transaction is accepted, in either order.
  o.Begin();
  CHECK(o.Do(kDelete, kPersonTable, "p").ok());
  CHECK(o.Do(kDelete, kLockTable, "l").ok());
  o.Commit();
  CHECK_FALSE(o.Has(kPersonTable, "p"));
}

TEST_CASE("updates modifiedAt of a changed row's master, transitively") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 0}});
  o.Base(kMemberTable, "m", {{"group", "g"}});
  o.Base(kBadgeTable, "b", {{"member", "m"}, {"label", "old"}});
  o.Begin();
  CHECK(o.Do(kUpdate, kBadgeTable, "b", {{"label", "new"}}).value().changed);
  CHECK_EQ(o.view.Visible({kMemberTable, "m"})->modified_at, 100);
  CHECK_EQ(o.view.Visible({kGroupTable, "g"})->modified_at, 100);
  CHECK_EQ(o.view.GetBase("A", {kGroupTable, "g"})->modified_at, 1);
  CHECK(o.view.IsPending({kGroupTable, "g", "A"}));
  o.transaction.Rollback();
  CHECK_EQ(o.view.Visible({kGroupTable, "g"})->modified_at, 1);
  CHECK_FALSE(o.view.IsPending({kGroupTable, "g", "A"}));
}

TEST_CASE("hides the server's value under a newer local change, and marks no slot dirty") {
  Overlay o;
  o.Base(kPersonTable, "p", {{"name", "server"}});
  o.Begin();
  CHECK(o.Do(kUpdate, kPersonTable, "p", {{"name", "mine"}}).value().changed);
  o.Commit();
  o.view.TakeDirty(kPersonTable);
  Row row = MakeRow(kPersonTable, {{"name", "theirs"}}, 50);
  o.view.PutBase({kPersonTable, "p"}, row);
  o.view.Touched("A", {kPersonTable, "p"});
  o.view.Derive();
  CHECK_EQ(o.view.Visible({kPersonTable, "p"})->props[0].text(), "mine");
  CHECK(o.view.TakeDirty(kPersonTable).empty());
  CHECK_EQ(o.view.GetBase("A", {kPersonTable, "p"})->props[0].text(), "theirs");
}

TEST_CASE("shows the later modified of two base rows in the middle of a move") {
  Overlay o;
  const std::string id = "01890000-0000-7000-8000-000000000001";
  o.Base(kNoteTable, id, {{"text", "here"}}, 5, "A");
  o.Base(kNoteTable, id, {{"text", "there"}}, 9, "B");
  CHECK_EQ(o.view.Visible({kNoteTable, id})->realm, "B");
  o.view.EraseBase("B", {kNoteTable, id});
  o.view.Derive();
  CHECK_EQ(o.view.Visible({kNoteTable, id})->realm, "A");
  CHECK_EQ(o.view.shadow_count(), 0);
}

TEST_CASE("does not fold ops of a confirmed realm again") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 1}}, 1, "A");
  o.Base(kGroupTable, "h", {{"count", 1}}, 1, "B");
  auto pending = MakePending("m", 1, 50,
                             {MakeOp(OpKind::kInc, kGroupTable, "g", {{"count", 10}}, "A"),
                              MakeOp(OpKind::kInc, kGroupTable, "h", {{"count", 10}}, "B")});
  o.view.Attach(pending.get());
  o.view.Derive();
  o.Base(kGroupTable, "g", {{"count", 11}}, 2, "A");
  pending->confirmed_realms = {"A"};
  o.view.Reordered(*pending);
  o.view.Derive();
  const PropIndex count = Prop(kGroupTable, "count");
  CHECK_EQ(o.view.Visible({kGroupTable, "g"})->props[count].number(), 11);
  CHECK_EQ(o.view.Visible({kGroupTable, "h"})->props[count].number(), 11);
  o.view.Detach(pending.get());
}

TEST_CASE("rejects bad input with a typed error before anything changes") {
  Overlay o;
  o.Base(kPersonTable, "p", {{"name", "Ada"}});
  o.Begin();
  const std::map<ObjectKey, Row> before = Shown(o.view);
  CHECK(o.CodeOf(o.Do(kCreate, 77, "x")) == Code::kUnknownTable);
  CHECK(o.CodeOf(o.Do(kUpdate, kPersonTable, "p", {{"nothing", 1}})) == Code::kUnknownProp);
  CHECK(o.CodeOf(o.Do(kUpdate, kPersonTable, "p", {{"name", 1}})) == Code::kWrongType);
  CHECK(o.CodeOf(o.Do(kCreate, kNoteTable, {}, {})) == Code::kMissingProp);
  CHECK(o.CodeOf(o.Do(kCreate, kNoteTable, "no-uuid", {{"text", "x"}})) == Code::kInvalidId);
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, {}, {})) == Code::kInvalidId);
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, std::string(129, 'x'))) != Code::kOk);
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, "p")) == Code::kConflict);
  CHECK(o.CodeOf(o.Do(kInc, kPersonTable, "p", {{"name", 1}})) == Code::kWrongType);
  CHECK(o.CodeOf(o.Do(kMove, kPersonTable, "p")) == Code::kInvalidArgument);
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, "q", {{"name", std::string("a\0b", 3)}})) !=
        Code::kOk);
  CHECK(o.CodeOf(o.Do(kCreate, kPersonTable, "q", {{"name", std::string(1u << 20, 'x')}})) ==
        Code::kLimit);
  CHECK_EQ(Difference(before, Shown(o.view)), "");
  CHECK_FALSE(o.Do(kUpdate, kPersonTable, "nobody", {{"name", "x"}}).value().changed);
  CHECK_FALSE(o.Do(kUpdate, kPersonTable, "p", {{"name", "Ada"}}).value().changed);
  CHECK(o.transaction.Commit("", "null").status().code() == Code::kInvalidArgument);
  // Half of a surrogate pair, and U+0000, as JSON.stringify writes them. Other escapes are text.
  for (const char* arg : {R"({"a":"\ud83d"})", R"({"a":"\\\udc00"})", R"(["\u0000"])"}) {
    CAPTURE(arg);
    CHECK(o.transaction.Commit("edit", arg).status().code() == Code::kWrongType);
  }
  const Result<std::unique_ptr<Pending>> empty = o.transaction.Commit("nothing", "null");
  REQUIRE(empty.ok());
  CHECK(empty.value() == nullptr);
  CHECK_FALSE(o.transaction.open());
}

TEST_CASE("accepts ten thousand operations a transaction; one more changes nothing") {
  Overlay o;
  o.Base(kGroupTable, "g", {{"count", 0}});
  o.Begin();
  for (int i = 0; i < 10'000; ++i)
    REQUIRE(o.Do(kInc, kGroupTable, "g", {{"count", 1}}).ok() == true);
  CHECK(o.CodeOf(o.Do(kUpdate, kGroupTable, "g", {{"name", "x"}})) == Code::kLimit);
  // Folded to its final result, it is one op.
  CHECK_EQ(o.Commit()->mutation.ops.size(), 1);
  CHECK_EQ(o.view.Visible({kGroupTable, "g"})->props[Prop(kGroupTable, "count")].number(), 10'000);
}

TEST_CASE("rejects a transaction too large for any body until it is made smaller") {
  struct Case {
    char character;
    size_t length;  // of each object: less than 1 MiB as JSON
    int objects;    // the smallest number that is too large
    const char* detail;
  };
  for (const Case& c : {Case{'x', 1'000'000, 5, "4 MiB,"}, Case{'\n', 512'000, 8, "8 MiB as JSON"},
                        Case{'\x01', 170'000, 8, "8 MiB as JSON"}}) {
    for (const bool fits : {true, false}) {
      Overlay o;
      o.Begin();
      for (int i = 0; i < c.objects - fits; ++i) {
        const std::string text(c.length, c.character);
        REQUIRE(o.Do(kCreate, kPersonTable, "p" + std::to_string(i), {{"name", text}}).ok());
      }
      const Result<std::unique_ptr<Pending>> done = o.transaction.Commit("edit", "null");
      CHECK(done.ok() == fits);
      if (fits) continue;
      CHECK(done.status().code() == Code::kLimit);
      CHECK(done.status().detail().find(c.detail) != std::string::npos);
      CHECK(o.transaction.open());
      o.transaction.Rollback();
    }
  }
  // An argument that the core writes counts like the application's own.
  Overlay o;
  o.Begin();
  for (const char* id : {"p", "q", "r"})
    REQUIRE(o.Do(kCreate, kPersonTable, id, {{"name", std::string(1'000'000, 'x')}}).ok());
  CHECK(o.transaction.Commit("skerry/transact", Data()).status().code() == Code::kLimit);
  REQUIRE(o.Do(kDelete, kPersonTable, "r").ok());
  CHECK(o.transaction.Commit("skerry/transact", Data()).ok());
}

TEST_CASE("applies defaults, UUIDs and the given or default realm to creates") {
  Overlay o;
  o.Begin();
  const std::string id = o.Do(kCreate, kNoteTable, {}, {{"text", "hello"}}).value().id;
  const std::string far = o.Do(kUpsert, kPersonTable, "q", {{"name", "x"}}, "B").value().id;
  CHECK_EQ(id.size(), 36);
  CHECK_EQ(far, "q");
  const Row note = *o.view.Visible({kNoteTable, id});
  CHECK_EQ(note.props[Prop(kNoteTable, "size")].number(), 7);
  CHECK_EQ(note.realm, "A");
  CHECK_EQ(note.created_at, 100);
  CHECK_EQ(o.view.Visible({kPersonTable, "q"})->realm, "B");
  const Pending* made = o.Commit();
  CHECK_EQ(made->mutation.action.id[14], '7');
}

TEST_CASE("moves children along, and gives later changes to them the new realm") {
  Overlay o;
  const std::string board = "01890000-0000-7000-8000-000000000001";
  const std::string card = "01890000-0000-7000-8000-000000000002";
  o.Base(kBoardTable, board, {{"name", "b"}});
  o.Base(kCardTable, card, {{"board", board}});
  o.Begin();
  CHECK(o.Do(kMove, kBoardTable, board, {}, "B").value().changed);
  CHECK_EQ(o.view.Visible({kCardTable, card})->realm, "B");
  CHECK(o.Do(kUpdate, kCardTable, card, {{"text", "guide"}}).value().changed);
  CHECK_EQ(o.view.Visible({kCardTable, card})->props[Prop(kCardTable, "text")].text(), "guide");
}

TEST_CASE("limits a transaction's realms, and its argument's bytes over all of them") {
  const auto commit = [](size_t realms, size_t argument) {
    Overlay o;
    o.Begin();
    for (size_t i = 0; i < realms; ++i) {
      const std::string realm = "r" + std::to_string(i);
      REQUIRE(o.Do(kCreate, kPersonTable, "p" + std::to_string(i), {{"name", "Ada"}}, realm).ok());
    }
    const std::string text = "\"" + std::string(argument - 2, 'a') + "\"";
    Result<std::unique_ptr<Pending>> done = o.transaction.Commit("act", Data(text));
    if (done.ok()) o.view.Detach(done.value().get());
    return done.status().code();
  };
  CHECK(commit(kMaxRealmsPerUpdate, 2) == Code::kOk);
  CHECK(commit(kMaxRealmsPerUpdate + 1, 2) == Code::kLimit);
  CHECK(commit(8, kMaxActionBytesTimesRealms / 8) == Code::kOk);
  CHECK(commit(8, kMaxActionBytesTimesRealms / 8 + 1) == Code::kLimit);
}

TEST_CASE("uses the operations of an anonymous transaction as its argument") {
  Overlay o;
  o.Begin();
  CHECK(o.Do(kCreate, kPersonTable, "p", {{"name", "Ada"}}).ok());
  Result<std::unique_ptr<Pending>> done = o.transaction.Commit("skerry/transact", Data());
  REQUIRE(done.ok());
  CHECK_EQ(done.value()->mutation.action.arg,
           R"([{"op":"create","table":"people","id":"p","realm":"A","set":{"name":"Ada"}}])");
  o.view.Detach(done.value().get());
}

TEST_CASE("names props once in a batch of creates, and ends at the first rejected row") {
  Overlay o;
  const auto row = [](Data id, Data realm, Data name, Data count) {
    Data parts = Data::MakeArray();
    return parts.Push(std::move(id))
        .Push(std::move(realm))
        .Push(std::move(name))
        .Push(std::move(count));
  };
  const auto batch_of = [](const char* first, const char* second) {
    Data names = Data::MakeArray();
    names.Push(first).Push(second);
    return Data::MakeArray().Push(std::move(names));
  };
  std::string made;
  CHECK(o.transaction.CreateMany(kGroupTable, batch_of("count", "name"), &made).code() ==
        Code::kInvalidArgument);
  o.Begin();
  Data batch = batch_of("count", "name");  // another order than the schema's
  batch.Push(row("a", "B", 1, "first")).Push(row("b", {}, 2, "second"));
  REQUIRE(o.transaction.CreateMany(kGroupTable, batch, &made).ok());
  CHECK_EQ(made, "");
  CHECK_EQ(o.view.Visible({kGroupTable, "a"})->realm, "B");
  CHECK_EQ(o.view.Visible({kGroupTable, "b"})->realm, "A");
  CHECK_EQ(o.view.Visible({kGroupTable, "b"})->props[Prop(kGroupTable, "count")].number(), 2);
  Data refused = batch_of("count", "name");
  refused.Push(row("c", {}, 3, "third")).Push(row("a", "B", 4, "again")).Push(row("d", {}, 5, "x"));
  CHECK(o.transaction.CreateMany(kGroupTable, refused, &made).code() == Code::kConflict);
  CHECK(o.Has(kGroupTable, "c"));
  CHECK_FALSE(o.Has(kGroupTable, "d"));
  Data unknown = batch_of("count", "colour");
  unknown.Push(row("d", {}, 5, "red"));
  CHECK(o.transaction.CreateMany(kGroupTable, unknown, &made).code() == Code::kUnknownProp);
  Data short_row = batch_of("count", "name");
  Data parts = Data::MakeArray();
  short_row.Push(parts.Push("d").Push(Data()).Push(5));
  CHECK(o.transaction.CreateMany(kGroupTable, short_row, &made).code() == Code::kInvalidArgument);
  CHECK(o.transaction.CreateMany(kGroupTable, Data::MakeArray(), &made).code() ==
        Code::kInvalidArgument);
  CHECK_EQ(o.Commit()->mutation.ops.size(), 3);
}

}  // namespace skerry::client_test
