// Goal: a window gives back what it holds of a realm that the server has lost, once it has it again, notes that, and
// tells what did not come back. Method: windows over a fake IndexedDB.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "log/mutation_record.h"
#include "log/own_record.h"
#include "log/transaction_builder.h"
#include "test/core/client/offering.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

// A record of the worker that says that realm A is lost, and what is asked of windows.
Data Lose(Storage* storage, bool is_due) {
  Data message = Data::Object{{"type", "record"}, {"record", storage->Work({}, {}, {})}};
  Data lost = Data::MakeArray();
  lost.Push("A");
  Data record = message["record"];
  record.Set("lost", lost);
  storage->updates[storage->n()] = record;
  storage->sync.Set("lost", lost);
  Data place = One("cursor", "9@900");
  if (is_due) place.Set("offered", false);
  storage->sync.Set("lostAt", One("A", std::move(place)));
  return message.Set("record", record);
}

// What the window asks the server; null: nothing.
Data Asked(Window& window) {
  Data asked;
  for (const Data& note : window.notes) {
    if (note["type"].Is("offer")) asked = ParseJson(note["request"].as_string()).value();
  }
  window.notes.clear();
  return asked;
}

Data IsOffered(Pair& pair) { return pair.storage.sync["lostAt"]["A"]["offered"]; }

void AnswerOffer(Window& window, Data answer) {
  window.Event(Data::Object{{"type", "offered"}, {"answer", std::move(answer)}});
}

TEST_CASE("a window gives back the rows of a realm that the server has again") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  pair.A().Settle();
  CHECK(Asked(pair.A())["ops"].items().empty());
  AnswerOffer(pair.A(), Answer(0));
  const Data rows = Asked(pair.A());
  CHECK(Ids(rows) == Vector<std::string>{"g"});
  CHECK(IsOffered(pair) == Data(false));
  AnswerOffer(pair.A(), Answer(0, 1, 1));
  pair.A().Settle();
  CHECK(Asked(pair.A()).is_null());
  CHECK(IsOffered(pair) == Data(true));
  CHECK(!Message(pair.A(), "wake").is_null());
  CHECK(pair.storage.mutations.empty());
}

TEST_CASE("where the log has what was given back is noted with it") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  pair.A().Settle();
  CHECK(Asked(pair.A())["given"].is_null());
  AnswerOffer(pair.A(), Answer(0).Set("head", "3@30"));
  CHECK(Asked(pair.A())["given"] == Data(Data::Array{"3@30"}));
  AnswerOffer(pair.A(), Answer(0, 1, 1).Set("head", "4@40"));
  pair.A().Settle();
  CHECK(pair.storage.sync["lostAt"]["A"]["given"].Is("4@40"));
}

TEST_CASE("what is not given back is told once, though the server is restored once more") {
  Pair pair;
  // Nobody gives back a move.
  Op op = NewOp(OpKind::kMove, {kGroupTable, "moved"}, "A");
  op.to = "B";
  op.by = {0};
  Mutation mutation;
  mutation.action = {kNewId, "move", "null", 7};
  mutation.ops = {op};
  OwnRecord own;
  own.id = mutation.action.id;
  own.revisions = {{"A", 7}, {"B", 7}};
  own.times = {{"A", 70}, {"B", 70}};
  own.keys = ObjectTexts(TestSchema(), mutation.ops);
  own.body = EncodeMutation(TestSchema(), mutation);
  pair.storage.own[1] = own.Write();
  for (int times = 0; times < 2; ++times) {
    pair.A().Hear(Lose(&pair.storage, true));
    pair.A().Settle();
    REQUIRE(!Asked(pair.A()).is_null());
    AnswerOffer(pair.A(), Answer(0));
    (void)Asked(pair.A());
    AnswerOffer(pair.A(), Answer(0, 1, 0));
    pair.A().Settle();
    CHECK(IsOffered(pair) == Data(true));
    CHECK(pair.storage.conflicts.size() == 1);
  }
}

TEST_CASE("rows are not given back before the server has the realm") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, false));
  pair.A().Settle();
  CHECK(Asked(pair.A()).is_null());
  CHECK(IsOffered(pair).is_null());
}

TEST_CASE("a window that lacks a record reads it before it gives rows back") {
  Pair pair;
  const Data message = Lose(&pair.storage, true);
  pair.A().Hear(message);
  pair.storage.Work({}, {}, {});
  pair.A().Settle();
  CHECK(!Asked(pair.A()).is_null());
}

TEST_CASE("what could not be offered, or noted, is offered later") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  Next(pair.A(), Outcome::kFailed);
  Fire(pair.A(), "reread");
  pair.A().Settle();
  CHECK(!Asked(pair.A()).is_null());
  pair.A().Event(Data::Object{{"type", "offered"}, {"code", "network"}});
  CHECK(Asked(pair.A()).is_null());
  Fire(pair.A(), "reread");
  pair.A().Settle();
  CHECK(!Asked(pair.A()).is_null());
  AnswerOffer(pair.A(), Answer(9));
  Next(pair.A(), Outcome::kFailed);
  CHECK(IsOffered(pair) == Data(false));
  Fire(pair.A(), "reread");
  pair.A().Settle();
  AnswerOffer(pair.A(), Answer(9));
  pair.A().Settle();
  CHECK(IsOffered(pair) == Data(true));
}

TEST_CASE("a server of an earlier release takes nothing, and the realm is read again") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  pair.A().Settle();
  pair.A().Event(Data::Object{{"type", "offered"}, {"code", "not_found"}});
  pair.A().Settle();
  CHECK(IsOffered(pair) == Data(true));
}

TEST_CASE("a window offers nothing more of a realm that another has given back") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  pair.A().Settle();
  REQUIRE(!Asked(pair.A()).is_null());
  for (const char* member : {"lost", "lostAt"}) pair.storage.sync.Remove(member);
  Data record = pair.storage.Work({}, {}, {});
  record.Set("lost", Data::MakeArray());
  pair.storage.updates[pair.storage.n()] = record;
  pair.A().Hear(Data::Object{{"type", "record"}, {"record", record}});
  pair.A().Settle();
  AnswerOffer(pair.A(), Answer(0));
  pair.A().Settle();
  CHECK(Asked(pair.A()).is_null());
}

}  // namespace
}  // namespace skerry::client_test
