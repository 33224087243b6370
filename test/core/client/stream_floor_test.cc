// Goal: where actions of a stream are gone, a window begins with a state that holds them, or says that it
// cannot. Method: as in streams_test.cc.
#include <algorithm>
#include <string>
#include <utility>

#include "test/core/client/stream_window.h"

namespace skerry::client_test {
namespace {

// Stores that the actions up to `floor` are gone, and a state at `revision`.
void StoreState(StreamStorage* storage, uint64_t floor, uint64_t version, uint64_t revision) {
  StreamRecord record;
  record.floor = floor;
  StateRecord state;
  state.reducer = version;
  state.revision = revision;
  state.state = "\"snapshot\"";
  storage->Write(
      Data(Data::Array{PutWrite(Store::kStreams, StreamKey("A", "chat"), ToData(record)),
                       PutWrite(Store::kStreams, StateKey("A", "chat", version), ToData(state))}));
}

TEST_CASE("a stream: a state is taken if all actions after it are there") {
  for (const uint64_t revision : {4, 5, 6}) {
    CAPTURE(revision);
    StreamStorage storage;
    for (uint64_t i = 6; i <= 8; ++i) storage.Log({ActionAt(i)});
    StoreState(&storage, 5, 1, revision);
    StreamWindow one(&storage);
    one.OpenReduced();
    const size_t shown = one.Settled().size();
    if (revision < 5) {
      CHECK(one.shown.state != "\"snapshot\"");
    } else {
      CHECK(one.shown.state == "\"snapshot\"");
      CHECK(shown == 8 - revision);
    }
  }
}

// The worker has stored a snapshot, in place of all actions up to its revision.
Data LogSnapshot(StreamStorage* storage, uint64_t version, uint64_t revision,
                 const Vector<StreamAction>& tail) {
  storage->streams.clear();
  storage->actions.clear();
  StoreState(storage, revision, version, revision);
  storage->revision = std::max(storage->revision, revision);
  Step step;
  step.kind = StepKind::kSnapshot;
  step.realm = "A";
  step.stream = "chat";
  step.revision = revision;
  return storage->Log(tail, {}, {}, {step});
}

TEST_CASE("a stream: a snapshot that a pull brings takes the place of what was folded") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced();
  StreamWindow plain(&storage, "b");
  plain.Open(Data::Object{{"keep", 10}});
  const std::string mine = one.Append();
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2), mine});
  CHECK(plain.Settled().size() == 2);
  const Data message = LogSnapshot(&storage, 1, 7, {ActionAt(8)});
  one.window.Hear(message);
  plain.window.Hear(message);
  CHECK(one.Settled() == ShownIds{ActionId(8), mine});
  CHECK(one.shown.state == "\"snapshot\"");
  CHECK(one.shown.whole);
  // A plain stream has no gap: it begins behind what is gone.
  CHECK(plain.Settled() == ShownIds{ActionId(8)});
}

TEST_CASE("a stream: what a reducer has to fold stays, though a list needs the last ones") {
  StreamStorage storage;
  for (uint64_t i = 1; i <= 9; ++i) storage.Log({ActionAt(i)});
  storage.sync.Set("streams", Json(R"([{"stream":"ch*","behind":{},"reducer":1}])"));
  StreamWindow list(&storage, "b");
  list.Open(Data::Object{{"keep", 2}});
  CHECK(list.Settled().size() == 2);
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled().size() == 9);
  list.Store(8, Data());
  CHECK(storage.actions.size() == 9);
  one.Store(9, "9");
  CHECK(storage.actions.empty());
  for (uint64_t i = 10; i <= 12; ++i) list.window.Hear(storage.Log({ActionAt(i)}));
  storage.sync.Set("streams", Json(R"([{"stream":"ch*","behind":{},"reducer":1}])"));
  CHECK(list.Settled().size() == 5);
  list.Store(11, Data());
  CHECK(storage.actions.size() == 3);
  StreamWindow next(&storage, "c");
  next.OpenReduced();
  CHECK(next.Settled() == ShownIds{ActionId(10), ActionId(11), ActionId(12)});
  CHECK(next.shown.state == "9");
  CHECK(next.shown.whole);
}

TEST_CASE("a stream: whoever has folded all that a snapshot holds goes on") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2), ActionAt(3)});
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled().size() == 3);
  one.window.Hear(LogSnapshot(&storage, 1, 3, {ActionAt(4)}));
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2), ActionId(3), ActionId(4)});
  CHECK(one.shown.state.empty());
}

TEST_CASE("a stream: a reducer whose actions are gone for good says so, and asks once") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.OpenReduced(1);
  CHECK(one.Settled().size() == 1);
  const auto is_gone = [&] {
    bool gone = false;
    one.window.Settle();
    const Data drained = one.window.client().Drain();
    for (const Data& news : drained["streams"].items()) {
      gone = news["gone"].as_bool();
      CHECK(one.shown.Take(news) == "");
    }
    return gone;
  };
  const size_t before = one.window.posted.size();
  one.window.Hear(LogSnapshot(&storage, 2, 5, {ActionAt(6)}));
  // The worker is asked for everything: perhaps the server has it still.
  is_gone();
  REQUIRE(one.window.posted.size() == before + 1);
  CHECK(one.window.posted.back() ==
        Json(R"({"type":"streams","add":[{"stream":"chat","again":true,"reducer":1}]})"));
  one.window.Hear(storage.Log({}, {}, 0));
  CHECK(!is_gone());
  one.window.Hear(LogSnapshot(&storage, 2, 5, {ActionAt(6)}));
  CHECK(is_gone());
  CHECK(one.window.posted.size() == before + 1);
  CHECK(!one.shown.whole);
}

}  // namespace
}  // namespace skerry::client_test
