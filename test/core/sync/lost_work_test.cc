// Goal: what an applied update has not brought about is in the inbox, once for each action and object.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/mutation_record.h"
#include "log/update_record.h"
#include "sync/quarantine.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

// A device with mutations in the order of their keys, of which an update has the first ones.
struct Device {
  OutboxRecord update;
  Vector<skerry::MutationRecord> mutations;

  void Mutate(const Vector<Op>& ops, const Schema& schema = SyncSchema()) {
    Mutation mutation;
    mutation.action = {SyncUuid(100 + mutations.size()), "act", "null", 1000};
    mutation.ops = ops;
    for (Op& op : mutation.ops) op.by = {0};
    mutations.push_back(MakeMutationRecord(schema, mutation));
  }
  void Push(size_t actions, uint64_t number, const Schema& schema = SyncSchema()) {
    Update pushed;
    pushed.id = update.id = SyncUuid(number);
    pushed.after.emplace_back("A", Link{});
    pushed.base.emplace_back("A", 0);
    for (uint32_t i = 0; i < actions; ++i) {
      mutations[i].update = update.id;
      Mutation mutation = DecodeMutation(schema, mutations[i].body).value();
      pushed.actions.push_back(mutation.action);
      for (Op& op : mutation.ops) {
        op.by = {i};
        pushed.ops.push_back(std::move(op));
      }
    }
    update.body = WriteJson(UpdateToData(schema, pushed));
  }
  // What comes into the inbox: "number of the action, id, code, mine;".
  std::string Hear(const LostOps& lost, bool is_done = false) {
    Quarantine quarantine(&SyncSchema(), "", 1);
    quarantine.Lose(update, lost, is_done);
    Data rows = Data::MakeArray();
    for (size_t i = 0; i < mutations.size(); ++i)
      rows.Push(Data::MakeObject().Set("key", i).Set("value", mutations[i].Write()));
    Data::Array writes;
    if (!quarantine.empty()) quarantine.Add(rows, &writes);
    quarantine.Finish(&writes);
    std::string heard;
    for (const Data& write : writes) {
      if (write["store"].Is("mutations")) {
        const size_t place = Place(write["put"]["id"]);
        mutations[place] = skerry::MutationRecord::Read(write["put"]);
        continue;
      }
      const Data& entry = write["add"];
      CHECK(entry["part"].as_bool() == entry["table"].is_string());
      heard += std::to_string(Place(entry["mutation"]["id"])) + ' ' + entry["id"].as_string() +
               ' ' + entry["code"].as_string() + ' ' + WriteJson(entry["mine"]) + ';';
    }
    return heard;
  }

  static size_t Place(const Data& id) {
    size_t place = 0;
    while (!id.Is(SyncUuid(100 + place).c_str())) ++place;
    return place;
  }
};

LostOps Missing(Vector<uint64_t> ops) {
  return {.gone = {}, .missing = std::move(ops), .dropped = {}};
}
LostOps Gone(Vector<uint64_t> ops) {
  return {.gone = std::move(ops), .missing = {}, .dropped = {}};
}

TEST_CASE("an entry shows all that one action did to one object") {
  Device device;
  device.Mutate({UpdateItem("a", "A", "x"), IncItem("a", "A", 1), IncItem("a", "A", 2),
                 IncItem("b", "A", 4), IncItem("there", "A", 1)});
  device.Mutate({IncItem("a", "A", 8)});
  device.Push(2, 9);
  CHECK(device.Hear({}).empty());
  CHECK(device.Hear(Missing({0, 1, 2, 3, 5})) ==
        "0 a row_deleted {\"name\":\"x\",\"n\":3};0 b row_deleted {\"n\":4};"
        "1 a row_deleted {\"n\":8};");
}

TEST_CASE("an entry's body makes the lost ops of its object again, and no others") {
  Device device;
  device.Mutate({IncItem("a", "A", 1), IncItem("there", "A", 1), IncItem("a", "A", 2)});
  device.Push(1, 9);
  LostWork lost(&SyncSchema(), 1);
  lost.Add(device.update, Missing({0}), false);
  lost.See(&device.mutations[0]);
  Data::Array writes;
  lost.Finish(&writes);
  REQUIRE(writes.size() == 1);
  const auto body = DecodeMutation(SyncSchema(), writes[0]["add"]["mutation"]["body"].as_bytes());
  REQUIRE(body.ok());
  REQUIRE(body.value().ops.size() == 2);
  CHECK(body.value().ops[0].id == "a");
  CHECK(body.value().ops[1].id == "a");
}

TEST_CASE("an entry is made once, whoever reports it how often, of whatever update") {
  Device device;
  device.Mutate({IncItem("a", "A", 1), IncItem("b", "A", 1)});
  device.Mutate({IncItem("c", "A", 1)});
  device.Push(1, 9);
  CHECK(device.Hear(Missing({0})) == "0 a row_deleted {\"n\":1};");
  CHECK(device.Hear(Missing({0})).empty());
  CHECK(device.Hear(Gone({0})).empty());
  // The server was restored, and the mutation is in another update now. More of it may be lost.
  device.Push(2, 10);
  CHECK(device.Hear(Missing({0, 1, 2})) == "0 b row_deleted {\"n\":1};1 c row_deleted {\"n\":1};");
  CHECK(device.Hear(Missing({0, 1, 2}), true).empty());
}

TEST_CASE("nothing is lost of an object that the user has deleted since") {
  for (const size_t pushed : {1, 2}) {
    CAPTURE(pushed);
    Device device;
    device.Mutate({IncItem("a", "A", 1), IncItem("b", "A", 1)});
    device.Mutate({DeleteItem("a", "A")});
    device.Push(pushed, 9);
    CHECK(device.Hear(Missing({0, 1})) == "0 b row_deleted {\"n\":1};");
  }
  // In the same action; and a row with the same id of its own in another realm.
  Device device;
  device.Mutate({IncItem("a", "A", 1), DeleteItem("a", "A"), IncItem("b", "A", 1)});
  device.Mutate({DeleteItem("b", "B")});
  device.Push(1, 9);
  CHECK(device.Hear(Missing({0, 2})) == "0 b row_deleted {\"n\":1};");
}

TEST_CASE("a row that was deleted with its parent, and what a release has no place for") {
  Device device;
  device.Mutate({CreateChild("a", "A", "parent")});
  device.Mutate({IncItem("a", "A", 1)});
  device.Mutate({CreateItem("b", "A", 1, "x")});
  device.Push(3, 9);
  LostOps lost{.gone = {0}, .missing = {1}, .dropped = {}};
  lost.dropped.push_back({.op = 2, .props = Vector<std::string>{"name"}});
  CHECK(device.Hear(lost) ==
        "0 a parent_deleted {\"parent\":\"parent\"};1 a row_deleted {\"n\":1};"
        "2 b no_place {\"name\":\"x\"};");
  CHECK(device.Hear(lost).empty());
}

TEST_CASE("what is lost is told even if nobody can read its update here, or it names no op") {
  Device device;
  device.Mutate({IncItem("a", "A", 1)});
  device.Push(1, 9);
  CHECK(device.Hear(Missing({7})).empty());
  device.mutations[0].body = "nobody can read this";
  CHECK(device.Hear(Missing({0})).starts_with("0  row_deleted"));
  CHECK(device.Hear(Missing({0})).empty());
}

}  // namespace
}  // namespace skerry::sync_test
