// Goal: a log is forgotten only as far as nobody needs it, and what can no longer be known is said (docs/design.md, "Compaction").
// Method: the rule of what stays on tables of entries; clients that push into and pull from a small world whose log is forgotten.
#include <doctest/doctest.h>

#include <string>

#include "authority/log_forgetting.h"
#include "base/json.h"
#include "base/limits.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

using Numbers = Vector<uint64_t>;

// An entry of every revision from 1 on, made at ten times its revision, of one client.
Vector<OldEntry> Entries(uint64_t count, uint64_t seen) {
  Vector<OldEntry> entries;
  for (uint64_t i = 1; i <= count; ++i)
    entries.push_back({i, static_cast<double>(10 * i), i, count, seen});
  return entries;
}

TEST_CASE("forgets what is old, but for the first, the last and what is not seen") {
  const ForgottenLog all = ForgetLog(Entries(6, 6), 51, {});
  CHECK(all.floor == 5);
  CHECK(all.floor_at == 50);
  CHECK(all.kept == Numbers{1, 5});
  CHECK(all.gone == Numbers{2, 3, 4});

  const ForgottenLog unseen = ForgetLog(Entries(6, 2), 51, {});
  CHECK(unseen.kept == Numbers{1, 3, 4, 5});
  CHECK(unseen.gone == Numbers{2});

  // What was made just then is young.
  CHECK(ForgetLog(Entries(6, 6), 50, {}).floor == 4);
  CHECK(ForgetLog(Entries(6, 6), 10, {}).floor == 0);
  CHECK(ForgetLog(Entries(6, 6), 10, {}).kept.empty());
}

TEST_CASE("forgets what was kept below an earlier floor, once it is seen") {
  const ForgottenLog later = ForgetLog(Entries(4, 4), 31, {3, 30});
  CHECK(later.floor == 3);
  CHECK(later.gone == Numbers{2});
  CHECK(later.kept == Numbers{1, 3});
  // A part of the log that ends before the floor.
  const ForgottenLog part = ForgetLog(Entries(2, 2), 100, {3, 30});
  CHECK(part.floor == 3);
  CHECK(part.floor_at == 30);
  CHECK(part.gone == Numbers{2});
}

TEST_CASE("keeps no outcome that nobody asks for, nor too many") {
  Vector<OldEntry> entries = Entries(4, 0);
  entries[1].seq.reset();
  CHECK(ForgetLog(entries, 100, {}).gone == Numbers{2});
  const uint64_t many = kMaxUnconfirmedUpdates + 5;
  const ForgottenLog forgotten = ForgetLog(Entries(many, 0), 1e9, {});
  CHECK(forgotten.gone == Numbers{2, 3, 4, 5});
}

constexpr char kCreateX[] =
    R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":0}}])";
constexpr char kAddToX[] = R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":1}}])";
constexpr char kSetX[] = R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":7}}])";
constexpr char kDeleteX[] = R"([{"op":"delete","table":"items","id":"x","realm":"A"}])";

struct ForgettingWorld : AuthorityWorld {
  Author one{this, "c1"}, two{this, "c2"};

  ForgettingWorld() { REQUIRE(Status(one.Push(kCreateX)) == "applied"); }
  void ForgetAll(const std::string& realm = "A") { Forget(realm, now + 1); }
  double n() const { return Row("items", "x")["props"]["n"].as_number(); }

  // Pushes an update that is based on a revision of A.
  Data Late(Author* author, std::string_view ops, uint64_t base, Data follows = {}) {
    Data update = author->Make(ops);
    update.Set("base", Json(R"({"A":)" + std::to_string(base) + "}"));
    Data result = Commit({{author->client(), author->user(), {update}, "", {}, std::move(follows)}})
                      .items()[0]
                      .items()[0];
    if (Status(result) != "applied") author->TakeBack(update);
    return result;
  }
};

Data PullAt(std::string_view cursors, std::string_view have = "[]") {
  Data request = Json(R"({"client":"c1","scopes":[{"table":"items","where":["true"],"filled":true}],
    "refill":true,"floors":true})");
  return request.Set("cursors", Json(cursors)).Set("have", Json(have));
}

TEST_CASE("answers a cursor below the floor with 410, and any other as ever") {
  ForgettingWorld world;
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  const std::string old = world.cursor("A", 1), head = world.cursor("A", 2);
  world.ForgetAll();
  CHECK(world.Pull("anna", PullAt(R"({"A":")" + old + "\"}"))["gone"].as_bool());
  const Data answer = world.Pull("anna", PullAt(R"({"A":")" + head + "\"}"));
  CHECK(answer["changes"].items().empty());
  CHECK(answer["floors"]["A"]["revision"].as_u64() == 2);
  // A newcomer has no cursor.
  CHECK(world.Pull("anna", PullAt("{}"))["changes"].items().size() == 1);
}

TEST_CASE("says which realms are of another history before it refuses a cursor") {
  ForgettingWorld world;
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  const std::string old = world.cursor("A", 1);
  world.ForgetAll();
  const Data answer = world.Pull("anna", PullAt(R"({"A":")" + old + R"(","B":"9@9"})"));
  CHECK(answer["reset"] == Json(R"(["B"])"));
  CHECK(answer["cursors"]["A"] == Data(old));
  CHECK(answer["more"].as_bool());
}

TEST_CASE("fills everything again where the ops of an own update are forgotten") {
  ForgettingWorld world;
  const Data made =
      world.one.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1}}])");
  REQUIRE(Status(world.one.Send(made)) == "applied");
  REQUIRE(Status(world.two.Push(R"([{"op":"delete","table":"items","id":"y","realm":"A"}])")) ==
          "applied");
  world.ForgetAll();
  // Its author folds it, and nothing in the log says that the row is gone: a page does.
  const Data answer = world.Pull("anna", PullAt("{}", "[\"" + made["id"].as_string() + "\"]"));
  CHECK(answer["own"][made["id"].as_string()]["A"]["revision"].as_u64() == 2);
  REQUIRE(answer["refill"].items().size() == 1);
  CHECK(answer["more"].as_bool());
}

TEST_CASE("names an update in every realm, though the log of one has forgotten it") {
  ForgettingWorld world;
  const Data both = world.one.Make(
      R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":3}},
          {"op":"create","table":"items","id":"z","realm":"B","set":{"n":1}}])",
      {"A", "B"});
  REQUIRE(Status(world.one.Send(both)) == "applied");
  Data seen = world.one.Make(kAddToX);
  const Data applied =
      world.Commit({{"c1", "anna", {seen}, "", Json(R"({"A":2})"), {}}}).items()[0].items()[0];
  REQUIRE(Status(applied) == "applied");
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  world.ForgetAll("A");
  REQUIRE_FALSE(world.HasEntry("A", 2));
  const std::string id = both["id"].as_string();
  const Data answer = world.Pull(
      "anna", PullAt(R"({"A":")" + world.cursor("A", 4) + R"(","B":"0@0"})", "[\"" + id + "\"]"));
  CHECK(answer["own"][id]["A"]["revision"].as_u64() == 2);
  CHECK(answer["own"][id]["B"]["revision"].as_u64() == 1);
  CHECK(answer["own"][id]["A"]["at"] == answer["own"][id]["B"]["at"]);
}

TEST_CASE("a former identity's mutation is refused if the log of its time is forgotten") {
  ForgettingWorld world;
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  world.ForgetAll();
  const Data follows = Json(R"({"client":"c1","seen":{}})");
  CHECK(RejectCode(world.Late(&world.two, kAddToX, 2, follows)) == "outcome_unknown");
  // At the floor it came after what is forgotten.
  CHECK(Status(world.Late(&world.two, kAddToX, 3, follows)) == "applied");
  // The client has said so once: what was made before that is doubted, what was made since is not.
  Data before = world.two.Make(kAddToX);
  Data action = before["actions"].items()[0];
  action.Set("at", world.now - 1000);
  before.Set("base", Json(R"({"A":2})")).Set("actions", Data(Data::Array{action}));
  CHECK(RejectCode(world.two.Send(before)) == "outcome_unknown");
  world.two.TakeBack(before);
  before.Set("id", Id(900)).Set("actions", Data(Data::Array{action.Set("at", world.now + 1e6)}));
  CHECK(Status(world.two.Send(before)) == "applied");
  CHECK(world.n() == 4);
}

TEST_CASE("tells neither what a hidden realm has forgotten, nor which actions it has") {
  ForgettingWorld world;
  const Data known = world.one.Make(kAddToX);
  REQUIRE(Status(world.one.Send(known)) == "applied");
  world.ForgetAll();
  const Data follows = Json(R"({"client":"c1","seen":{}})");
  Author bea(&world, "c3", "bea");
  const auto ask = [&](const char* kind) {
    Data update = bea.Make(kAddToX);
    Data action = update["actions"].items()[0];
    if (kind == std::string("copied")) action.Set("id", known["actions"].items()[0]["id"]);
    if (kind == std::string("replayed")) action.Set("at", 0).Set("replayed", true);
    update.Set("actions", Data(Data::Array{action}));
    Data result =
        world.Commit({{"c3", "bea", {update}, "", {}, Data(follows)}}).items()[0].items()[0];
    bea.TakeBack(update);
    return RejectCode(result) + (result["known"].is_null() ? "" : " known");
  };
  const auto ask_all = [&] { return ask("copied") + ", " + ask("new") + ", " + ask("replayed"); };
  CHECK(ask_all() == "forbidden, forbidden, forbidden");
  world.Grant("bea", "A", "read");
  CHECK(ask_all() == "known_action known, outcome_unknown, outcome_unknown");
}

TEST_CASE("an identity that follows none may push whatever it made long ago") {
  ForgettingWorld world;
  REQUIRE(Status(world.one.Push(kAddToX)) == "applied");
  world.ForgetAll();
  CHECK(Status(world.Late(&world.two, kAddToX, 0)) == "applied");
  CHECK(world.n() == 2);
}

TEST_CASE("a replayed action is refused by its time, and each action by itself") {
  ForgettingWorld world;
  world.ForgetAll();
  const double floor_at = world.entries().back()["at"].as_number();
  for (const double at : {floor_at, floor_at + 1}) {
    Data update = world.two.Make(kAddToX);
    Data old = update["actions"].items()[0], plain = old;
    old.Set("at", at).Set("replayed", true);
    plain.Set("id", Id(800 + static_cast<uint64_t>(at))).Set("at", 0);
    update.Set("actions", Data(Data::Array{plain, old}));
    Data op = update["ops"].items()[0];
    update.Set("ops", Data(Data::Array{op.Set("by", Json("[0,1]"))}));
    const Data result = world.two.Send(update);
    if (at > floor_at) {
      CHECK(Status(result) == "applied");
      continue;
    }
    CHECK(RejectCode(result) == "outcome_unknown");
    REQUIRE(result["rejected"].items().size() == 1);
    CHECK(result["rejected"].items()[0]["actions"] == Data(Data::Array{old["id"]}));
    world.two.TakeBack(update);
  }
}

TEST_CASE("a change of an object of which nothing is known any more is refused") {
  ForgettingWorld world;
  REQUIRE(Status(world.one.Push(kDeleteX)) == "applied");
  // While there is a tombstone, the delete wins, as ever.
  CHECK(world.Late(&world.two, kSetX, 1)["noops"] == Json("[0]"));
  world.ForgetAll();
  CHECK(world.tombstone("items", "x").is_null());
  CHECK(RejectCode(world.Late(&world.two, kSetX, 1)) == "outcome_unknown");
  CHECK(RejectCode(world.Late(&world.two, kAddToX, 1)) == "outcome_unknown");
  CHECK(world.Late(&world.two, kDeleteX, 1)["noops"] == Json("[0]"));
  CHECK(Status(world.Late(&world.two, kCreateX, 1)) == "applied");
  CHECK(Status(world.Late(&world.two, kSetX, 1)) == "applied");
}

TEST_CASE("`if` does not hold where a change by another may be forgotten") {
  ForgettingWorld world;
  REQUIRE(Status(world.two.Push(kAddToX)) == "applied");
  world.ForgetAll();
  const auto over = [&](uint64_t revision) {
    return world.Late(
        &world.one,
        R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":9},"if":)" +
            std::to_string(revision) + "}]",
        1);
  };
  CHECK(RejectCode(over(1)) == "changed");
  CHECK(Status(over(2)) == "applied");
}

}  // namespace
}  // namespace skerry::authority_test
