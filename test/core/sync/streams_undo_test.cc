// Goal: a client stores of its own undos in streams what the server has appended, and nothing else, and
// has nothing pending afterwards. Method: workers of one client and the real authority.
#include <doctest/doctest.h>

#include "test/core/sync/stream_world.h"

namespace skerry::sync_test {
namespace {

Op UndoOf(const std::string& action) {
  Op op = AppendTo("chat", "A");
  op.of = action;
  return op;
}

const std::string kNever = "01890000-0000-7000-8000-00000000dead";

TEST_CASE("streams: an undo of what the server does not have is stored nowhere") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  // Grouped into one update: the places of the others are those that the server has given them.
  world.Log({AppendTo("chat", "A")});
  world.Log({UndoOf(kNever)});
  world.Mutate({AppendTo("chat", "A")});
  world.Settle();
  world.Sync();
  CHECK(world.OnServer("chat").size() == 2);
  CHECK(world.IsWhole("chat"));
  CHECK(world.Recorded("chat").size() == 2);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
  CHECK(world.Converged());
}

TEST_CASE("streams: an undo of what the server has is stored like any action") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  const std::string said = world.Mutate({AppendTo("chat", "A")});
  world.Settle();
  world.Say("chat");
  world.Mutate({UndoOf(said)});
  world.Settle();
  world.Sync();
  CHECK(world.OnServer("chat").size() == 3);
  CHECK(world.IsWhole("chat"));
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("conflicts") == 0);
}

TEST_CASE("streams: an action and its undo that are pushed together are left out, both") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  const std::string said = world.Log({AppendTo("chat", "A")});
  world.Mutate({UndoOf(said)});
  world.Settle();
  world.Sync();
  CHECK(world.OnServer("chat").empty());
  CHECK(world.Stored("chat").empty());
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

}  // namespace
}  // namespace skerry::sync_test
