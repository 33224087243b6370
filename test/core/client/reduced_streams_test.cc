// Goal: a window gives a reducer each action of a stream once, in order, and begins with a state that
// was stored. Method: as in streams_test.cc.
#include <string>
#include <utility>

#include "test/core/client/stream_window.h"

namespace skerry::client_test {
namespace {

TEST_CASE("a stream: missed records are read from storage") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  storage.Log({ActionAt(2)});
  one.window.Hear(storage.Log({ActionAt(3)}));
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2), ActionId(3)});
  // The records are gone: the image, and the stream, are loaded again.
  storage.Log({ActionAt(4)});
  Publish(&storage, "g1", storage.n());
  storage.Log({ActionAt(5)});
  Publish(&storage, "g2", storage.n());
  one.window.Hear(storage.Log({ActionAt(6)}));
  CHECK(one.Settled() ==
        ShownIds{ActionId(1), ActionId(2), ActionId(3), ActionId(4), ActionId(5), ActionId(6)});
  CHECK(one.shown.loaded);
}

TEST_CASE("a stream: a reduced one gets no action before all that come before it") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)}, {}, 2);
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2)});
  CHECK(!one.shown.whole);
  CHECK(one.window.posted.back() ==
        Json(R"({"type":"streams","add":[{"stream":"chat","reducer":1}]})"));
  // An own action, confirmed far beyond.
  const std::string mine = one.Append();
  one.window.Settle();
  one.window.Hear(storage.Log({ActionAt(9, mine)}, {storage.mutations.begin()->first}, 2));
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(2)});
  one.window.Hear(storage.Log({ActionAt(3), ActionAt(4)}, {}, 4));
  CHECK(one.Look().size() == 4);
  CHECK(one.shown.upto == 4);
  one.window.Hear(storage.Log({ActionAt(6), ActionAt(9, mine)}));
  CHECK(one.Look().back() == mine);
  CHECK(one.shown.order.size() == 6);
  CHECK(one.shown.whole);
}

// The worker has dropped the realm: another history begins. Gives the step of its record.
Step DropRealm(StreamStorage* storage) {
  storage->actions.clear();
  storage->revision = 0;
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "A";
  return drop;
}

TEST_CASE("a stream: a realm that is dropped begins again") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  const Step drop = DropRealm(&storage);
  const Data record = storage.Log({ActionAt(1, ActionId(77))}, {}, {}, {drop});
  one.window.Hear(record);
  CHECK(one.Look() == ShownIds{ActionId(77)});
  // Also while it is being read: also what the history before had beyond that of now.
  one.window.Hear(storage.Log({ActionAt(5, ActionId(79))}));
  StreamWindow late(&storage, "b");
  late.OpenReduced();
  late.window.Run();
  storage.actions.clear();
  late.window.Hear(storage.Log({ActionAt(1, ActionId(78))}, {}, {}, {drop}));
  late.window.Notify();
  CHECK(late.Settled() == ShownIds{ActionId(78)});
}

// The records of before are gone, so the window reads all again. Meanwhile the first actions of the new
// history come, at places that it has handed over of the old one.
TEST_CASE("a stream: another history begins while the stream is read again") {
  for (int steps = 0; steps < 12; ++steps) {
    CAPTURE(steps);
    StreamStorage storage;
    storage.Log({ActionAt(1), ActionAt(2)});
    StreamWindow one(&storage);
    one.OpenReduced();
    CHECK(one.Settled().size() == 2);
    const Step drop = DropRealm(&storage);
    storage.Log({}, {}, {}, {drop});
    Publish(&storage, "g1", storage.n());
    storage.Log({});
    Publish(&storage, "g2", storage.n());
    one.window.Hear(storage.Log({}));
    for (int i = 0; i < steps; ++i) one.window.Step();
    one.window.Hear(storage.Log({ActionAt(1, ActionId(77)), ActionAt(3)}));
    CHECK(one.Settled() == ShownIds{ActionId(77), ActionId(3)});
  }
}

TEST_CASE("a stream: many stored actions are handed over page by page") {
  StreamStorage storage;
  Vector<StreamAction> actions;
  for (uint64_t i = 1; i <= 250; ++i) {
    // Each in a row of its own.
    storage.Log({ActionAt(i)});
  }
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled().size() == 250);
  CHECK(one.shown.loaded);
}

TEST_CASE("a stream: a state is stored, and the stream goes on from it") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  one.Store(2, R"({"sum":2})");
  storage.Log({ActionAt(3)});
  CHECK(storage.actions.size() == 1);  // a server has the others
  StreamWindow next(&storage, "b");
  next.OpenReduced();
  CHECK(next.Settled() == ShownIds{ActionId(3)});
  CHECK(next.shown.state == R"({"sum":2})");
  // Not from a window that has not seen all: what it has not seen may be another history.
  const Data fourth = storage.Log({ActionAt(4)});
  next.Store(3, R"({"sum":9})");
  StreamWindow third(&storage, "c");
  third.OpenReduced();
  CHECK(third.Settled() == ShownIds{ActionId(3), ActionId(4)});
  CHECK(third.shown.state == R"({"sum":2})");
  // Not over a later one.
  next.window.Hear(fourth);
  next.Settled();
  next.Store(4, R"({"sum":4})");
  next.Store(3, R"({"sum":0})");
  StreamWindow last(&storage, "d");
  last.OpenReduced();
  CHECK(last.Settled().empty());
  CHECK(last.shown.state == R"({"sum":4})");
}

TEST_CASE("a stream: another reducer asks for everything, or takes the state over") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced(1);
  one.Settled();
  one.Store(2, "7");
  StreamWindow two(&storage, "b");
  two.OpenReduced(2);
  CHECK(two.Settled().empty());
  CHECK(two.window.posted.back() ==
        Json(R"({"type":"streams","add":[{"stream":"chat","again":true,"reducer":2}]})"));
  storage.streams.erase(StreamKey("A", "chat").data().as_string());  // the worker begins again
  two.window.Hear(storage.Log({}, {}, 0));
  two.window.Hear(storage.Log({ActionAt(1), ActionAt(2)}));
  CHECK(two.Settled() == ShownIds{ActionId(1), ActionId(2)});
  StreamWindow three(&storage, "c");
  three.OpenReduced(3, true);
  CHECK(three.Settled().empty());
  CHECK(three.shown.state == "7");
  // The last two versions are kept, and the actions that the older of them needs.
  two.Store(2, "8");
  three.window.Hear(storage.Log({ActionAt(3)}));
  CHECK(three.Settled() == ShownIds{ActionId(3)});
  three.Store(3, "9");
  CHECK(storage.streams.size() == 3);
  CHECK(storage.streams.contains(StateKey("A", "chat", 2).data().as_string()));
  CHECK(!storage.streams.contains(StateKey("A", "chat", 1).data().as_string()));
  CHECK(storage.actions.size() == 1);
}

// The actions up to a floor stand in rows that were stored at different times, and overlap.
TEST_CASE("a stream: rows with actions after the floor stay, in whatever order they are") {
  for (const uint64_t floor : {1, 2, 3, 4, 5, 6}) {
    CAPTURE(floor);
    StreamStorage storage;
    storage.Log({ActionAt(1), ActionAt(2)});
    storage.Log({ActionAt(3), ActionAt(4), ActionAt(5)});
    storage.Log({ActionAt(4)});
    storage.Log({ActionAt(6), ActionAt(7)});
    StreamWindow one(&storage);
    one.OpenReduced(1);
    CHECK(one.Settled().size() == 7);
    // As a window that stored a state when it had come so far.
    StateRecord state;
    state.reducer = 1;
    state.revision = floor;
    state.state = "1";
    storage.Write(
        Data(Data::Array{PutWrite(Store::kStreams, StateKey("A", "chat", 1), ToData(state))}));
    StreamWindow two(&storage, "b");
    two.OpenReduced(2);
    CHECK(two.Settled().size() == 7);
    two.Store(7, "2");
    CHECK((storage.actions.size() < 4) == (floor > 1));
    StreamWindow next(&storage, "c");
    next.OpenReduced(1);
    CHECK(next.Settled().size() == 7 - floor);
    CHECK(next.shown.state == "1");
  }
}

TEST_CASE("a stream: many rows are removed in several steps") {
  StreamStorage storage;
  for (uint64_t i = 1; i <= 700; ++i) storage.Log({ActionAt(i)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  uint64_t revision = 700;
  for (const size_t left : {400, 101, 0}) {
    one.Store(revision, "1");
    CHECK(storage.actions.size() == left);
    one.window.Hear(storage.Log({ActionAt(++revision)}));
    one.Settled();
  }
  StreamWindow next(&storage, "b");
  next.OpenReduced();
  CHECK(next.Settled() == ShownIds{ActionId(703)});
}

TEST_CASE("a stream: without a remote nothing is lost, and the stream is there again") {
  StreamStorage storage;
  {
    StreamWindow one(&storage, "a", false);
    one.OpenReduced();
    one.Settled();
    const std::string first = one.Append(), second = one.Append();
    CHECK(one.Look() == ShownIds{first, second});
    CHECK(one.Settled() == ShownIds{first, second});
    CHECK(one.shown.pending.empty());
    const std::string third = one.Append();
    CHECK(one.Settled() == ShownIds{first, second, third});
    one.Store(one.shown.upto, "3");
    CHECK(storage.actions.size() == 2);
    CHECK(storage.mutations.empty());
    CHECK(one.window.posted.empty());
  }
  StreamWindow again(&storage, "b", false);
  again.OpenReduced(2);
  CHECK(again.Settled().size() == 3);
  StreamWindow same(&storage, "c", false);
  same.OpenReduced(1);
  CHECK(same.Settled().empty());
  CHECK(same.shown.state == "3");
  // Another window's record.
  const std::string fourth = again.Append();
  again.window.Settle();
  for (const Data& message : again.window.sent) same.window.Hear(message);
  CHECK(same.Settled() == ShownIds{fourth});
}

TEST_CASE("a stream: a state of before, that is stored late, takes no later actions along") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled().size() == 1);
  // The realm is read again from the start: its actions are in one row now.
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "A";
  storage.actions.clear();
  one.window.Hear(storage.Log({ActionAt(1), ActionAt(2)}, {}, {}, {drop}));
  CHECK(one.Settled().size() == 2);
  one.Store(1, "7");
  CHECK(storage.streams.empty());
  StreamWindow two(&storage, "b");
  two.OpenReduced();
  CHECK(two.Settled().size() == 2);
}

}  // namespace
}  // namespace skerry::client_test
