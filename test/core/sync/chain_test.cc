// Goal: grouping makes the right updates of the pending mutations, in the order of the chain, and
// undoes together what belongs together. Method: the chain and grouping as pure functions.
#include "sync/chain.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/grouping.h"
#include "sync/push.h"
#include "sync/records.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

Data RowRecord(const Data& key, Data value) {
  Data row = Data::MakeObject();
  return row.Set("key", key).Set("value", std::move(value));
}

Chain ChainOf(std::string_view json) { return ReadRecord<Chain>(Json(json)); }

// Groups these mutation records, keyed 1, 2, 3 …, under a fresh chain.
struct Grouped {
  Vector<OutboxRecord> updates;
  Data::Array writes;
  Chain chain = ChainOf(R"({"client":"c1","links":{}})");
  Vector<std::string> Members(size_t i) const {
    Vector<std::string> ids;
    for (const NamedMutation& member : updates[i].mutations) ids.push_back(member.id);
    return ids;
  }
};

Grouped Group(const Vector<Data>& records, size_t outbox = 0) {
  Random random(std::string(32, 'x'));
  UuidGenerator ids(&random);
  Grouping grouping(&SyncSchema(), outbox);
  Data page = Data::MakeArray();
  for (size_t i = 0; i < records.size(); ++i)
    page.Push(RowRecord(static_cast<uint64_t>(i + 1), records[i]));
  grouping.Add(page);
  Grouped grouped;
  grouped.updates = grouping.Finish(5000, 5000, &ids, &grouped.chain, &grouped.writes);
  return grouped;
}

using Ids = Vector<std::string>;
std::string Id(uint64_t i) { return SyncUuid(i); }

TEST_CASE("adds no later mutation, however small, to an update that was full") {
  const auto text = [](size_t size) { return std::string(size, 'x'); };
  const Grouped grouped = Group({MutationRecord(Id(1), {UpdateItem("a", "A", text(900'000))}),
                                 MutationRecord(Id(2), {UpdateItem("a", "A", text(300'000))}),
                                 MutationRecord(Id(3), {UpdateItem("a", "A", "the last word")})});
  REQUIRE(grouped.updates.size() == 2);
  CHECK(grouped.Members(0) == Ids{Id(1)});
  CHECK(grouped.Members(1) == Ids{Id(2), Id(3)});
}

TEST_CASE("ends an update at as many ops as a server accepts") {
  const auto many = [](const char* prefix) {
    Vector<Op> ops;
    for (size_t i = 0; i < kMaxOpsPerUpdate / 2 + 1; ++i)
      ops.push_back(CreateItem(prefix + std::to_string(i), "A", 1));
    return ops;
  };
  const Grouped grouped =
      Group({MutationRecord(Id(1), many("a")), MutationRecord(Id(2), many("b"))});
  REQUIRE(grouped.updates.size() == 2);
  CHECK(grouped.Members(0) == Ids{Id(1)});
}

TEST_CASE("ends a request at half of the allowed body, with at least one update in it") {
  const auto update = [](const char* id, size_t bytes) {
    OutboxRecord record;
    record.id = id;
    record.client = "c";
    record.body = std::string(bytes, 'x');
    return record;
  };
  const size_t most = kMaxBodyBytes / 2;
  CHECK(ChooseBatch({update("1", most - 10), update("2", 20)}, 4).ids == Ids{"1"});
  CHECK(ChooseBatch({update("1", most / 2 - 1), update("2", most / 2 - 1)}, 4).ids ==
        Ids{"1", "2"});
  CHECK(ChooseBatch({update("1", most + 1)}, 4).ids == Ids{"1"});
}

TEST_CASE("groups mutations in key order and folds them to one op per object") {
  const Grouped grouped = Group({MutationRecord(Id(1), {CreateItem("a", "A", 1)}),
                                 MutationRecord(Id(2), {IncItem("a", "A", 2)}),
                                 MutationRecord(Id(3), {UpdateItem("b", "A", "x")})});
  REQUIRE(grouped.updates.size() == 1);
  CHECK(grouped.Members(0) == Ids{Id(1), Id(2), Id(3)});
  const Data body = Json(grouped.updates[0].body);
  REQUIRE(body["ops"].items().size() == 2);
  CHECK(body["ops"].items()[0]["op"].as_string() == "create");
  CHECK(body["ops"].items()[0]["set"]["n"].as_number() == 3);
  CHECK(body["ops"].items()[0]["by"] == Json("[0,1]"));
  CHECK(body["after"] == Json(R"({"A":null})"));
  CHECK(grouped.chain.links.at("A").seq == 1);
  CHECK(grouped.chain.links.at("A").id == grouped.updates[0].id);
  CHECK(grouped.writes.size() == 3);
}

Data Held(uint64_t number, const Vector<Op>& ops) {
  Data held = MutationRecord(Id(number), ops);
  return held.Set("held", true);
}

TEST_CASE("holds what refers to an object that a held mutation creates, transitively") {
  const Grouped grouped = Group({Held(1, {CreateItem("a", "A", 1)}),
                                 MutationRecord(Id(2), {CreateChild("b", "A", "a")}),
                                 MutationRecord(Id(3), {CreateChild("c", "A", "b")}),
                                 MutationRecord(Id(4), {CreateChild("d", "B", "a")}),
                                 MutationRecord(Id(5), {UpdateItem("c", "A", "x")})});
  REQUIRE(grouped.updates.size() == 1);
  CHECK(grouped.Members(0) == Ids{Id(4)});
}

TEST_CASE("does not hold what refers to an object that a held mutation only changes") {
  const Grouped grouped = Group(
      {Held(1, {UpdateItem("a", "A", "x")}), MutationRecord(Id(2), {CreateChild("b", "A", "a")})});
  REQUIRE(grouped.updates.size() == 1);
  CHECK(grouped.Members(0) == Ids{Id(2)});
}

TEST_CASE("keeps held mutations back, and later ones on the same objects") {
  Data held = Held(1, {UpdateItem("a", "A", "invalid")});
  const Grouped grouped =
      Group({held, MutationRecord(Id(2), {UpdateItem("b", "A", "x")}),
             MutationRecord(Id(3), {UpdateItem("a", "A", "y"), UpdateItem("c", "A", "y")}),
             MutationRecord(Id(4), {UpdateItem("c", "A", "z")}),
             MutationRecord(Id(5), {UpdateItem("d", "A", "z")})});
  REQUIRE(grouped.updates.size() == 1);
  CHECK(grouped.Members(0) == Ids{Id(2), Id(5)});
}

TEST_CASE("skips known mutations, keeps back no later ones on the same objects") {
  Data known = MutationRecord(Id(1), {UpdateItem("a", "A", "x")});
  known.Set("known", Json(R"({"A":7})"));
  const Grouped grouped = Group({known, MutationRecord(Id(2), {UpdateItem("a", "A", "y")})});
  REQUIRE(grouped.updates.size() == 1);
  CHECK(grouped.Members(0) == Ids{Id(2)});
}

TEST_CASE("makes updates of one realm; gives a mutation over realms an update of its own") {
  const Grouped grouped = Group({MutationRecord(Id(1), {UpdateItem("a", "A", "1")}),
                                 MutationRecord(Id(2), {UpdateItem("b", "B", "2")}),
                                 MutationRecord(Id(3), {UpdateItem("c", "A", "3")}),
                                 MutationRecord(Id(4), {MoveItem("a", "A", "B")}),
                                 MutationRecord(Id(5), {UpdateItem("c", "A", "5")})});
  REQUIRE(grouped.updates.size() == 4);
  CHECK(grouped.Members(0) == Ids{Id(1), Id(3)});
  CHECK(grouped.Members(1) == Ids{Id(2)});
  CHECK(grouped.Members(2) == Ids{Id(4)});
  CHECK(grouped.Members(3) == Ids{Id(5)});
  CHECK(grouped.updates[2].after.at("A").id == grouped.updates[0].id);
  CHECK(grouped.updates[2].after.at("B").id == grouped.updates[1].id);
  CHECK(grouped.updates[3].after.at("A").seq == 2);
}

TEST_CASE("puts a mutation that is marked `alone` into an update of its own") {
  Data alone = MutationRecord(Id(2), {UpdateItem("a", "A", "2")});
  alone.Set("alone", true);
  const Grouped grouped = Group({MutationRecord(Id(1), {UpdateItem("a", "A", "1")}), alone,
                                 MutationRecord(Id(3), {UpdateItem("a", "A", "3")})});
  REQUIRE(grouped.updates.size() == 3);
  CHECK(grouped.Members(1) == Ids{Id(2)});
}

TEST_CASE("lets no later mutation of a realm overtake one that the full outbox cannot take") {
  Vector<Data> records;
  for (uint64_t i = 0; i < kMaxMutationsPerUpdate + 1; ++i)
    records.push_back(MutationRecord(Id(i + 1), {IncItem("a", "A", 1)}));
  CHECK(Group(records).updates.size() == 2);
  const Grouped one_slot = Group(records, kMaxOutboxUpdates - 1);
  REQUIRE(one_slot.updates.size() == 1);
  CHECK(one_slot.Members(0).size() == kMaxMutationsPerUpdate);
  CHECK(Group(records, kMaxOutboxUpdates).updates.empty());
}

TEST_CASE("reports a mutation that cannot be read, and blocks no other") {
  Data damaged = MutationRecord(Id(1), {UpdateItem("a", "A", "1")});
  std::string body = damaged["body"].as_bytes();
  body.data()[body.size() / 2] ^= 1;
  damaged.Set("body", Data::Bytes(body));
  Grouping grouping(&SyncSchema(), 0);
  grouping.Add(Data(Data::Array{RowRecord(1, damaged),
                                RowRecord(2, MutationRecord(Id(2), {UpdateItem("b", "A", "2")}))}));
  REQUIRE(grouping.unreadable().size() == 1);
  CHECK(grouping.unreadable()[0].status.code() == Code::kCorrupt);
  Random random(std::string(32, 'x'));
  UuidGenerator ids(&random);
  Chain chain = ChainOf(R"({"client":"c1","links":{}})");
  Data::Array writes;
  CHECK(grouping.Finish(1, 1, &ids, &chain, &writes).size() == 1);
}

TEST_CASE("reports a mutation nested deeper than a request may be, and blocks no other") {
  Data deep = MutationRecord(Id(1), {UpdateItem("a", "A", "1")});
  Result<Mutation> mutation = DecodeMutation(SyncSchema(), deep["body"].as_bytes());
  REQUIRE(mutation.ok());
  mutation.value().action.arg =
      std::string(kMaxValueDepth + 1, '[') + std::string(kMaxValueDepth + 1, ']');
  deep.Set("body", Data::Bytes(EncodeMutation(SyncSchema(), mutation.value())));
  Grouping grouping(&SyncSchema(), 0);
  grouping.Add(Data(Data::Array{RowRecord(1, deep),
                                RowRecord(2, MutationRecord(Id(2), {UpdateItem("b", "A", "2")}))}));
  REQUIRE(grouping.unreadable().size() == 1);
  CHECK(grouping.unreadable()[0].status.code() == Code::kLimit);
}

// Of a window of a release that let it through.
TEST_CASE("reports a mutation with text that no database can hold, and blocks no other") {
  const Data good = RowRecord(2, MutationRecord(Id(2), {UpdateItem("b", "A", "2")}));
  const auto damaged = [&](const auto& damage) {
    Data record = MutationRecord(Id(1), {UpdateItem("a", "A", "1")});
    Result<Mutation> mutation = DecodeMutation(SyncSchema(), record["body"].as_bytes());
    REQUIRE(mutation.ok());
    damage(&mutation.value().action);
    record.Set("body", Data::Bytes(EncodeMutation(SyncSchema(), mutation.value())));
    Grouping grouping(&SyncSchema(), 0);
    grouping.Add(Data(Data::Array{RowRecord(1, record), good}));
    Random random(std::string(32, 'x'));
    UuidGenerator ids(&random);
    Chain chain = ChainOf(R"({"client":"c1","links":{}})");
    Data::Array writes;
    CHECK(grouping.Finish(1, 1, &ids, &chain, &writes).size() == 1);
    return grouping.unreadable().size();
  };
  for (const char* arg : {R"({"a":"\ud83d"})", R"(["\u0000"])", "[", "\xff"})
    CHECK(damaged([&](Action* action) { action->arg = arg; }) == 1);
  CHECK(damaged([](Action* action) { action->at = 1e300 * 1e300; }) == 1);
  // Of a window without a remote.
  CHECK(damaged([](Action* action) { action->arg.clear(); }) == 0);
}

TEST_CASE("reports a mutation over more realms than an update may have; blocks no other") {
  Vector<Op> ops;
  for (size_t i = 0; i <= kMaxRealmsPerUpdate; ++i) {
    const std::string number = std::to_string(1000 + i);
    ops.push_back(UpdateItem("i" + number, "r" + number, "1"));
  }
  const Data wide = MutationRecord(Id(1), ops);
  Grouping grouping(&SyncSchema(), 0);
  grouping.Add(Data(Data::Array{RowRecord(1, wide),
                                RowRecord(2, MutationRecord(Id(2), {UpdateItem("b", "A", "2")}))}));
  REQUIRE(grouping.unreadable().size() == 1);
  CHECK(grouping.unreadable()[0].status.code() == Code::kLimit);
}

OutboxRecord Outbox(std::string_view id, std::string_view client, std::string_view after) {
  OutboxRecord record;
  record.id = id;
  record.client = client;
  FromData(Json(after), &record.after);
  record.body = "{}";
  return record;
}

TEST_CASE("keeps the outbox in the chain's order when a clock stepped back between the ids") {
  Data range = Data::MakeArray();
  range.Push(RowRecord("1", Outbox("1", "c", R"({"A":{"seq":2,"id":"2"}})").Write()));
  range.Push(RowRecord("2", Outbox("2", "c", R"({"A":{"seq":1,"id":"3"}})").Write()));
  range.Push(RowRecord("3", Outbox("3", "c", R"({"A":null})").Write()));
  const Vector<OutboxRecord> ordered = InChainOrder(range);
  CHECK(ordered[0].id == "3");
  CHECK(ordered[1].id == "2");
  CHECK(ordered[2].id == "1");
}

TEST_CASE("leaves out an outbox row that cannot be sent, confirmed and removed") {
  const OutboxRecord sound = Outbox("1", "c", R"({"A":null})");
  const auto is_damaged = [&](const char* name, Data value) {
    Data range = Data::MakeArray();
    range.Push(RowRecord("1", sound.Write().Set(name, std::move(value))));
    CHECK(DamagedUpdates(range).size() + InChainOrder(range).size() == 1);
    return InChainOrder(range).empty();
  };
  CHECK_FALSE(is_damaged("mutations", Json(R"([{"id":"m","key":3}])")));
  CHECK(is_damaged("mutations", Json(R"([{"id":"m","key":0}])")));
  CHECK(is_damaged("mutations", Json(R"([{"id":"m"}])")));
  CHECK(is_damaged("mutations", Json(R"([{"key":3}])")));
  CHECK(is_damaged("id", "2"));
  CHECK(is_damaged("client", ""));
  CHECK(is_damaged("after", Data::MakeObject()));
  CHECK(is_damaged("after", Json(R"({"A":{"seq":-1,"id":"x"}})")));
  CHECK(is_damaged("confirmed", Json("[1]")));
  CHECK(is_damaged("state", Data()));
  CHECK(is_damaged("body", "text"));
  CHECK_FALSE(is_damaged("v", uint64_t{2}));
}

TEST_CASE("undoes all updates that follow an undone one, over realms; resets the chain") {
  Vector<OutboxRecord> outbox{Outbox("1", "c", R"({"A":null})"),
                              Outbox("2", "c", R"({"A":{"seq":1,"id":"1"},"B":null})"),
                              Outbox("3", "c", R"({"C":{"seq":7,"id":"x"}})"),
                              Outbox("4", "c", R"({"B":{"seq":1,"id":"2"}})")};
  Chain chain = ChainOf(
      R"({"client":"c","links":{"A":{"seq":2,"id":"2"},"B":{"seq":2,"id":"4"},"C":{"seq":8,"id":"3"}}})");
  const Vector<OutboxRecord> undone = UndoFrom(1, &outbox, &chain);
  REQUIRE(undone.size() == 2);
  CHECK(undone[0].id == "2");
  CHECK(undone[1].id == "4");
  CHECK(outbox.size() == 2);
  CHECK(ToData(chain.links) == Json(R"({"A":{"seq":1,"id":"1"},"C":{"seq":8,"id":"3"}})"));
}

TEST_CASE("leaves the new identity's chain alone when an old identity's update is undone") {
  Vector<OutboxRecord> outbox{Outbox("1", "old", R"({"A":{"seq":4,"id":"0"}})"),
                              Outbox("2", "new", R"({"A":null})")};
  Chain chain = ChainOf(R"({"client":"new","links":{"A":{"seq":1,"id":"2"}}})");
  const Chain before = chain;
  CHECK(UndoFrom(0, &outbox, &chain).size() == 1);
  CHECK(chain == before);
  REQUIRE(outbox.size() == 1);
  CHECK(outbox[0].id == "2");
}

}  // namespace
}  // namespace skerry::sync_test
