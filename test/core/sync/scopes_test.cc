// Goal: scopes are kept, omitted and dropped by their use and their cost.
#include "sync/scopes.h"

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

constexpr double kScopesDay = 86'400'000;

TEST_CASE("keeps a scope that one window drops while another wants it") {
  SyncWorld world;
  world.Open();
  world.Open();
  world.Settle();
  REQUIRE(world.sync()["scopes"].items().size() == 1);
  const char* other = R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})";
  world.host(1).Post(Json(other));
  world.Run(60'000);
  CHECK(world.sync()["scopes"].items().size() == 2);
  world.host(0).Post(Json(R"({"type":"scopes","add":[],"drop":[{"table":"items","where":["true"]},
    {"table":"items","where":["=","n",1]}]})"));
  world.Run(60'000);
  CHECK(world.sync()["scopes"].items().size() == 2);
  CHECK(world.Converged());
  // The last window that wants the scope drops it.
  world.host(1).Post(Json(R"({"type":"scopes","drop":[{"table":"items","where":["=","n",1]}]})"));
  world.Run(60'000);
  REQUIRE(world.sync()["scopes"].items().size() == 1);
  CHECK(world.sync()["scopes"].items()[0]["where"] == Json(R"(["true"])"));
}

TEST_CASE("drops scopes unused for a month; open windows request theirs each day") {
  SyncWorld world;
  world.Open();
  world.host(0).Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})"));
  world.Run(1000);
  world.host(0).Crash();
  world.Open();
  world.host(1).Post(Json(R"({"type":"online","online":false})"));  // it would poll all the time
  world.Run(30 * kScopesDay);
  CHECK(world.sync()["scopes"].items().size() == 2);
  world.Run(2 * kScopesDay);
  CHECK(world.sync()["scopes"].items().size() == 1);
  CHECK(world.sync()["scopes"].items()[0]["where"] == Json(R"(["true"])"));
  CHECK(world.Converged());
}

using Scopes = Vector<WantedScope>;

// The scopes of one database.
struct Kept {
  bool Change(const Scopes& add, double day) {
    return ChangeScopes(SyncSchema(), add, {}, day * kScopesDay, &sync, &record, &left_out);
  }
  bool Drop(const Scopes& drop) {
    return ChangeScopes(SyncSchema(), {}, drop, 0, &sync, &record, &left_out);
  }
  size_t size() const { return sync.scopes.size(); }
  bool Holds(const Scopes& scopes) const { return HoldsScope(sync.scopes, scopes[0]); }

  SyncRecord sync;
  std::optional<UpdateRecord> record;
  Vector<SyncScope> left_out;
};

Scopes ScopeOf(const std::string& where) { return {{"items", Json(where), {}}}; }

// A filter of so many comparisons, of numbers from the first on.
std::string AnyOf(int first, int count) {
  std::string where = R"(["or")";
  for (int i = 0; i < count; ++i) where += R"(,["=","n",)" + std::to_string(first + i) + "]";
  return where + "]";
}

TEST_CASE("drops scopes requested longest ago when too many, but no open window's") {
  Kept kept;
  const auto scope = [](int n) { return ScopeOf(R"(["=","n",)" + std::to_string(n) + "]"); };
  const auto most = static_cast<int>(kMaxKeptScopes);
  for (int n = 0; n < most + 10; ++n) kept.Change(scope(n), n < 5 ? 0 : 1);
  CHECK(kept.size() == kMaxKeptScopes + 10);
  kept.Change(scope(1), 2);
  kept.Change(scope(-1), 2);
  // All of the first day but number 1 are dropped; the rest were requested a day ago.
  CHECK(kept.size() == kMaxKeptScopes + 7);
  CHECK(kept.record->kind == UpdateKind::kScopes);
  CHECK(kept.Holds(scope(1)));
  CHECK_FALSE(kept.Holds(scope(2)));
}

TEST_CASE("drops old scopes when all together cost too much, else omits the added one") {
  Kept kept;
  // Each of about 400 comparisons: ten fit.
  const auto scope = [](int n) { return ScopeOf(AnyOf(n * 1000, 398)); };
  for (int n = 0; n < 10; ++n) kept.Change(scope(n), n == 3 ? 0 : 5);
  CHECK(kept.size() == 10);
  CHECK(kept.left_out.empty());
  kept.Change(scope(10), 5);
  CHECK(kept.left_out.empty());
  CHECK(kept.Holds(scope(10)));
  CHECK_FALSE(kept.Holds(scope(3)));
  const uint64_t version = kept.sync.scope_version;
  CHECK_FALSE(kept.Change(scope(11), 5));
  CHECK(HoldsScope(kept.left_out, scope(11)[0]));
  CHECK(kept.size() == 10);
  CHECK(kept.sync.scope_version == version);
  // A scope that costs too much does not keep out others.
  const Scopes small = ScopeOf(R"(["=","n",-1])");
  Scopes both = scope(11);
  both.push_back(small[0]);
  kept.left_out.clear();
  CHECK(kept.Change(both, 5));
  CHECK(kept.left_out.size() == 1);
  CHECK(kept.Holds(small));
  // No more scopes of storage are kept than a server accepts.
  kept.sync.scopes.clear();
  for (int n = 0; n < 12; ++n)
    kept.sync.scopes.push_back({"items", scope(n)[0].where, {}, {}, {}, {}});
  CHECK(kept.Change({}, 5));
  CHECK(kept.size() == 10);
}

TEST_CASE("does not keep a scope in storage that no server accepts") {
  Kept kept;
  kept.sync.scopes.push_back({"items", ScopeOf(AnyOf(0, 1100))[0].where, {}, {}, {}, {}});
  CHECK(kept.Change({}, 0));
  CHECK(kept.size() == 0);
}

// Items whose n is that of an item with n = 1.
const char* const kOuter = R"(["in","n",{"table":"items","select":"n","where":["=","n",1]}])";
const char* const kInner = R"(["=","n",1])";

TEST_CASE("a scope brings the scopes of its sub-selects along, for as long as it lives") {
  Kept kept;
  CHECK(kept.Change(ScopeOf(kOuter), 0));
  CHECK(kept.size() == 2);
  CHECK(kept.Holds(ScopeOf(kInner)));
  // No window asks for it; it may not be dropped all the same.
  CHECK_FALSE(kept.Drop(ScopeOf(kInner)));
  CHECK(kept.size() == 2);
  CHECK(kept.Drop(ScopeOf(kOuter)));
  CHECK(kept.size() == 0);

  // A window that asks for it keeps it.
  kept.Change(ScopeOf(kOuter), 0);
  CHECK(kept.Change(ScopeOf(kInner), 0));
  CHECK(kept.size() == 2);
  CHECK(kept.Drop(ScopeOf(kOuter)));
  CHECK(kept.size() == 1);
  CHECK(kept.Holds(ScopeOf(kInner)));
  // And one that it asks for no more stays while it is needed.
  kept.Change(ScopeOf(kOuter), 0);
  kept.Drop(ScopeOf(kInner));
  CHECK(kept.size() == 2);
  kept.Drop(ScopeOf(kOuter));
  CHECK(kept.size() == 0);
}

TEST_CASE("drops no row of a scope whose sub-select cannot be evaluated yet") {
  Kept kept;
  kept.Change(ScopeOf(kOuter), 0);
  const auto filters = [&] {
    std::string text;
    for (const ScopeFilter& scope : KeepStep(SyncSchema(), kept.sync.scopes).scopes)
      text += WriteJson(DecodeData(scope.where).value()) + " ";
    return text;
  };
  CHECK(filters().find(R"(["true"])") == 0);
  for (SyncScope& scope : kept.sync.scopes) scope.filled.whole = scope.where == Json(kInner);
  CHECK(filters().find(kOuter) == 0);
}

TEST_CASE("fills a scope again whose sub-select's scope is filled again") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.host(0).Post(Json(std::string(R"({"type":"scopes","add":[{"table":"items","where":)") +
                          kOuter + R"(}],"drop":[{"table":"items","where":["true"]}]})"));
  world.Run(60'000);
  const auto filled = [&] {
    std::string text;
    const Data sync = world.sync();
    for (const Data& scope : sync["scopes"].items())
      text += scope["filled"] == Data(true) ? "whole " : "part ";
    return text;
  };
  REQUIRE(filled() == "whole whole ");
  const std::string cursor = world.sync()["cursors"]["A"].as_string();
  const auto answer = [&](const std::string& more) {
    world.network.scripted.push_back(Scripted(
        200,
        R"({"time":1,"cursors":{"A":")" + cursor + R"("},"changes":[],"more":true,)" + more + "}"));
  };
  const auto page = [](const char* where) {
    return std::string(R"("fills":[{"table":"items","where":)") + where +
           R"(,"above":"","upto":null,"ids":[]}])";
  };
  answer(R"("fills":[],"refill":[{"table":"items","where":["=","n",1]}])");
  answer(page(kInner));
  answer(page(kOuter));
  std::string seen;
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  for (int i = 0; i < 3000 && seen.find("part whole whole whole ") == std::string::npos; ++i) {
    world.host(0).StepOnce();
    const std::string now = filled();
    if (seen.size() < now.size() || seen.substr(seen.size() - now.size()) != now) seen += now;
  }
  CHECK(seen == "whole whole part part part whole whole whole ");
}

}  // namespace
}  // namespace skerry::sync_test
