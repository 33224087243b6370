// Which scopes are kept, and which are left out or go.
#include "sync/scopes.h"

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("what one window drops stays while another wants it") {
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
  // The last that wants it drops it for good.
  world.host(1).Post(Json(R"({"type":"scopes","drop":[{"table":"items","where":["=","n",1]}]})"));
  world.Run(60'000);
  REQUIRE(world.sync()["scopes"].items().size() == 1);
  CHECK(world.sync()["scopes"].items()[0]["where"] == Json(R"(["true"])"));
}

TEST_CASE(
    "what nobody has asked for in a month goes when something is asked for; open windows ask each "
    "day") {
  constexpr double kDay = 86'400'000;
  SyncWorld world;
  world.Open();
  world.host(0).Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})"));
  world.Run(1000);
  world.host(0).Crash();
  world.Open();
  world.host(1).Post(Json(R"({"type":"online","online":false})"));  // it would poll all the time
  world.Run(30 * kDay);
  CHECK(world.sync()["scopes"].items().size() == 2);
  world.Run(2 * kDay);
  CHECK(world.sync()["scopes"].items().size() == 1);
  CHECK(world.sync()["scopes"].items()[0]["where"] == Json(R"(["true"])"));
  CHECK(world.Converged());
}

TEST_CASE(
    "of very many scopes those go that were asked for longest ago, not what open windows want") {
  constexpr double kDay = 86'400'000;
  Data sync = Json(R"({"n":1,"scopes":[],"scopeVersion":0,"cursors":{},"recordBytes":0})");
  Data record;
  Data left_out = Data::MakeArray();
  const auto scope = [](int n) {
    return Json(R"([{"table":"items","where":["=","n",)" + ToText(n) + "]}]");
  };
  const auto most = static_cast<int>(kMaxKeptScopes);
  for (int n = 0; n < most + 10; ++n)
    ChangeScopes(SyncSchema(), scope(n), Data::MakeArray(), n < 5 ? 0 : kDay, &sync, &record,
                 &left_out);
  CHECK(sync["scopes"].items().size() == kMaxKeptScopes + 10);
  ChangeScopes(SyncSchema(), scope(1), Data::MakeArray(), 2 * kDay, &sync, &record, &left_out);
  ChangeScopes(SyncSchema(), scope(-1), Data::MakeArray(), 2 * kDay, &sync, &record, &left_out);
  // All but number 1 of the first day; the others were asked for a day ago.
  CHECK(sync["scopes"].items().size() == kMaxKeptScopes + 7);
  CHECK(record["kind"].as_string() == "scopes");
  CHECK(HoldsScope(sync["scopes"], scope(1).items()[0]));
  CHECK_FALSE(HoldsScope(sync["scopes"], scope(2).items()[0]));
}

TEST_CASE(
    "scopes that cost more together than a server takes: old ones go, else the added is left out") {
  constexpr double kDay = 86'400'000;
  Data sync = Json(R"({"n":1,"scopes":[],"scopeVersion":0,"cursors":{},"recordBytes":0})");
  Data record;
  Data left_out = Data::MakeArray();
  // Each of about 400 comparisons: ten fit.
  const auto scope = [](int n) {
    String where = R"(["or")";
    for (int i = 0; i < 398; ++i) where += R"(,["=","n",)" + ToText(n * 1000 + i) + "]";
    return Json(R"([{"table":"items","where":)" + where + "]}]");
  };
  for (int n = 0; n < 10; ++n)
    ChangeScopes(SyncSchema(), scope(n), Data::MakeArray(), n == 3 ? 0 : 5 * kDay, &sync, &record,
                 &left_out);
  CHECK(sync["scopes"].items().size() == 10);
  CHECK(left_out.items().empty());
  ChangeScopes(SyncSchema(), scope(10), Data::MakeArray(), 5 * kDay, &sync, &record, &left_out);
  CHECK(left_out.items().empty());
  CHECK(HoldsScope(sync["scopes"], scope(10).items()[0]));
  CHECK_FALSE(HoldsScope(sync["scopes"], scope(3).items()[0]));
  const double version = sync["scopeVersion"].as_number();
  CHECK_FALSE(ChangeScopes(SyncSchema(), scope(11), Data::MakeArray(), 5 * kDay, &sync, &record,
                           &left_out));
  CHECK(HoldsScope(left_out, scope(11).items()[0]));
  CHECK(sync["scopes"].items().size() == 10);
  CHECK(sync["scopeVersion"].as_number() == version);
  // One that is too much keeps no other out.
  Data both = scope(11);
  both.Push(Json(R"({"table":"items","where":["=","n",-1]})"));
  left_out = Data::MakeArray();
  CHECK(ChangeScopes(SyncSchema(), both, Data::MakeArray(), 5 * kDay, &sync, &record, &left_out));
  CHECK(left_out.items().size() == 1);
  CHECK(HoldsScope(sync["scopes"], both.items()[1]));
  // However they came into storage, no more are kept than a server takes.
  Data many = Data::MakeArray();
  for (int n = 0; n < 12; ++n) many.Push(scope(n).items()[0]);
  sync.Set("scopes", std::move(many));
  const Data none = Data::MakeArray();
  CHECK(ChangeScopes(SyncSchema(), none, none, 5 * kDay, &sync, &record, &left_out));
  CHECK(sync["scopes"].items().size() == 10);
}

TEST_CASE("a scope that no server takes is not kept, however it came into storage") {
  Data sync = Json(R"({"n":1,"scopes":[],"scopeVersion":0,"cursors":{},"recordBytes":0})");
  String where = R"(["or")";
  for (int i = 0; i < 1100; ++i) where += R"(,["=","n",)" + ToText(i) + "]";
  sync.Set("scopes", Json(R"([{"table":"items","where":)" + where + R"(],"filled":false}])"));
  Data record;
  Data left_out = Data::MakeArray();
  CHECK(ChangeScopes(SyncSchema(), Data::MakeArray(), Data::MakeArray(), 0, &sync, &record,
                     &left_out));
  CHECK(sync["scopes"].items().empty());
}

}  // namespace
}  // namespace skerry::sync_test
