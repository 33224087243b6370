// Goal: an action that is run again has its own id, makes the same objects on every device, and is
// not run while it is pending. Method: windows of two devices (tab_fixture.h).
#include <string>

#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

constexpr char kAction[] = "01890000-0000-7000-8000-000000000042";

Data Create() { return Data::Array{Data(), Data(), Data::Object{{"name", "made"}}}; }

// The ids of two objects that the action makes.
Vector<std::string> RunAgain(Window& window, const std::string& action) {
  Client& client = window.client();
  REQUIRE(client.TxBegin(100).ok());
  const Result<bool> may = client.TxAgain(action);
  REQUIRE(may.ok());
  REQUIRE(may.value());
  Vector<std::string> made;
  for (int i = 0; i < 2; ++i) {
    const Result<OpOutcome> outcome = client.TxOp(kCreate, kBoardTable, Create());
    REQUIRE(outcome.ok());
    made.push_back(outcome.value().id);
  }
  const Result<Data> done = client.TxCommit(Data::Object{{"name", "make"}, {"arg", "null"}});
  REQUIRE(done.ok());
  CHECK(done.value()["id"].as_string() == action);
  window.Obeyed(done.value()["effects"]);
  return made;
}

}  // namespace

TEST_CASE("an action that is run again makes the same objects on every device") {
  Pair one, other;
  const Vector<std::string> made = RunAgain(one.A(), kAction);
  CHECK(made[0] != made[1]);
  CHECK(RunAgain(other.B(), kAction) == made);
  CHECK(RunAgain(other.A(), std::string(kAction).replace(35, 1, "3")) != made);
}

TEST_CASE("an action is not run again while it is pending in the profile") {
  Pair world;
  RunAgain(world.A(), kAction);
  world.A().Settle();
  world.B().Hear(Message(world.A(), "added"));
  for (Window* window : Vector<Window*>{&world.A(), &world.B()}) {
    REQUIRE(window->client().TxBegin(100).ok());
    CHECK(!window->client().TxAgain(kAction).value());
    window->client().TxRollback();
  }
  // The next transaction has an id of its own.
  CHECK(world.B().Do(kInc, kGroupTable, "g", One("count", 1)) != kAction);
}

TEST_CASE("an action is not run again if the server has forgotten those of its time") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  record.Set("forgotten", Data::Object{{"A", 100}});
  world.A().Hear(Data::Object{{"type", "record"}, {"record", record}});
  world.A().Settle();
  const auto run = [&](double at) {
    Client& client = world.A().client();
    REQUIRE(client.TxBegin(at).ok());
    REQUIRE(client.TxAgain(kAction).value());
    REQUIRE(
        client.TxOp(kInc, kGroupTable, Data::Array{"g", Data(), Data::Object{{"count", 1}}}).ok());
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "make"}, {"arg", "null"}});
    if (!done.ok()) client.TxRollback();
    return done.status().code();
  };
  CHECK(run(100) == Code::kOutcomeUnknown);
  CHECK(run(101) == Code::kOk);
}

TEST_CASE("an action is run again under a UUID only, and within a transaction") {
  Pair world;
  CHECK(world.A().client().TxAgain(kAction).status().code() == Code::kInvalidArgument);
  REQUIRE(world.A().client().TxBegin(100).ok());
  CHECK(world.A().client().TxAgain("no id").status().code() == Code::kInvalidId);
}

}  // namespace skerry::client_test
