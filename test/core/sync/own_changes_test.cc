// Goal: confirmed changes are kept within their bounds, and only as long as their revisions say something.
// Method: the transaction's reads and writes, one call after the other. What is told of them is in
// test/spec/overwritten_test.cc.
#include "sync/own_changes.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/transaction_builder.h"
#include "sync/grouping.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

constexpr double kNow = 100 * 86'400'000.0;

skerry::MutationRecord RecordOf(uint64_t number, const Op& op) {
  Mutation mutation;
  mutation.action = {SyncUuid(number), "act", "null", 1000};
  mutation.ops = {op};
  for (Op& each : mutation.ops) each.by = {0};
  return MakeMutationRecord(SyncSchema(), mutation);
}

Data Row(uint64_t key, Data value) {
  return Data::MakeObject().Set("key", key).Set("value", std::move(value));
}

// A change that was confirmed at this time, at revision 5 of realm A.
OwnRecord Kept(uint64_t number, double confirmed = kNow) {
  const skerry::MutationRecord mutation = RecordOf(number, UpdateItem("a", "A", "x"));
  OwnRecord record;
  record.id = mutation.id;
  record.confirmed = confirmed;
  record.revisions = {{"A", 5}};
  record.keys = mutation.keys;
  record.body = mutation.body;
  return record;
}

struct Writes {
  size_t added = 0, put = 0, deleted = 0;
  uint64_t first_deleted = 0;  // its key
};
Writes CountOf(const Data::Array& writes) {
  Writes count;
  for (const Data& write : writes) {
    REQUIRE(write["store"].Is("own"));
    count.added += write.Find("add") != nullptr ? 1 : 0;
    count.put += write.Find("put") != nullptr ? 1 : 0;
    const Data* deleted = write.Find("delete");
    if (deleted != nullptr && count.deleted++ == 0) count.first_deleted = deleted->as_u64();
  }
  return count;
}

// A pull confirms so many mutations while so many changes are kept.
Writes Confirm(const Vector<skerry::MutationRecord>& mutations, const Vector<OwnRecord>& kept,
               const LostWork& told = LostWork(&SyncSchema(), kNow)) {
  OwnChanges own(&SyncSchema(), kNow);
  Data rows = Data::MakeArray();
  for (size_t i = 0; i < mutations.size(); ++i)
    own.Confirm({mutations[i].id, Key(i + 1), {}}, {{"A", 7}}, {{"A", 70}});
  for (size_t i = mutations.size(); i > 0; --i) rows.Push(Row(i, mutations[i - 1].Write()));
  const Data::Array reads = own.Reads();
  REQUIRE(reads.size() == 3);
  Data first = Data::MakeArray();
  for (size_t i = 0; i < kept.size() && i < kMaxOwnOfPull; ++i)
    first.Push(Row(i + 1, kept[i].Write()));
  Data results = Data::MakeArray();
  results.Push(std::move(rows));
  results.Push(kept.size());
  results.Push(std::move(first));
  Data::Array writes;
  own.Take(results, told, &writes);
  return CountOf(writes);
}

TEST_CASE("own changes: nothing is read where nothing is confirmed or compared") {
  OwnChanges own(&SyncSchema(), kNow);
  own.Compare({});
  CHECK(own.Reads().empty());
}

TEST_CASE("own changes: the last thousand are kept") {
  const Vector<OwnRecord> full(kMaxOwnChanges, Kept(1));
  const Vector<OwnRecord> almost(kMaxOwnChanges - 1, Kept(1));
  const Vector<skerry::MutationRecord> one{RecordOf(100, UpdateItem("b", "A", "y"))};
  CHECK(Confirm(one, almost).deleted == 0);
  CHECK(Confirm(one, almost).added == 1);
  CHECK(Confirm(one, full).deleted == 1);
  CHECK(Confirm(one, full).added == 1);
}

TEST_CASE("own changes: of the oldest, what was only appended to streams goes first") {
  OwnRecord appended = Kept(2);
  appended.keys.clear();
  appended.body = RecordOf(2, AppendTo("s", "A")).body;
  Vector<OwnRecord> full(kMaxOwnChanges, Kept(1));
  full[7] = appended;
  const Vector<skerry::MutationRecord> one{RecordOf(100, UpdateItem("b", "A", "y"))};
  CHECK(Confirm(one, full).first_deleted == 8);
  const Vector<skerry::MutationRecord> two{one[0], RecordOf(101, UpdateItem("c", "A", "y"))};
  CHECK(Confirm(two, full).deleted == 2);
  CHECK(Confirm(two, full).first_deleted == 1);
}

TEST_CASE("own changes: those of thirty days are kept") {
  constexpr double kMonth = kOwnDays * 86'400'000.0;
  const Vector<skerry::MutationRecord> one{RecordOf(100, UpdateItem("b", "A", "y"))};
  CHECK(Confirm(one, {Kept(1, kNow - kMonth)}).deleted == 0);
  CHECK(Confirm(one, {Kept(1, kNow - kMonth - 1)}).deleted == 1);
}

TEST_CASE("own changes: those that are not too large are kept, and no undo of rows") {
  const auto keeps = [](const Op& op) { return Confirm({RecordOf(100, op)}, {}).added == 1; };
  CHECK(keeps(UpdateItem("b", "A", "y")));
  CHECK(keeps(IncItem("b", "A", 1)));
  CHECK(keeps(DeleteItem("b", "A")));
  CHECK(keeps(AppendTo("s", "A")));
  Op undo = UpdateItem("b", "A", "y");
  undo.of = SyncUuid(3);
  CHECK_FALSE(keeps(undo));
  const size_t rest =
      RecordOf(100, UpdateItem("b", "A", std::string(10'000, 'x'))).body.size() - 10'000;
  CHECK(keeps(UpdateItem("b", "A", std::string(kMaxOwnBytes - rest, 'x'))));
  CHECK_FALSE(keeps(UpdateItem("b", "A", std::string(kMaxOwnBytes - rest + 1, 'x'))));
}

TEST_CASE("own changes: one that the inbox reports already is not kept") {
  const skerry::MutationRecord edit = RecordOf(100, UpdateItem("b", "A", "y"));
  CHECK(Confirm({edit}, {}).added == 1);
  // It was told when the push was answered.
  for (const char* what : {"lost", "dropped"}) {
    skerry::MutationRecord told = edit;
    told.told = {std::string(what) + '\0' + "items" + '\0' + "b" + '\0' + "A"};
    CHECK(Confirm({told}, {}).added == (what == std::string("lost") ? 0 : 1));
  }
  // It is told by the pull that confirms it.
  for (const char* id : {"b", "c"}) {
    Mutation mutation;
    mutation.action = {edit.id, "act", "null", 1000};
    Update update;
    update.id = SyncUuid(9);
    update.actions = {mutation.action};
    update.ops = {UpdateItem(id, "A", "y")};
    update.ops[0].by = {0};
    OutboxRecord sent;
    sent.id = update.id;
    sent.body = WriteJson(UpdateToData(SyncSchema(), update));
    LostWork lost(&SyncSchema(), kNow);
    LostOps ops;
    ops.missing = {0};
    lost.Add(sent, ops, true);
    CHECK(Confirm({edit}, {}, lost).added == (id == std::string("b") ? 0 : 1));
  }
}

TEST_CASE("own changes: those of a realm with another history are forgotten, and no others") {
  OwnChanges own(&SyncSchema(), kNow);
  own.Drop("A");
  REQUIRE(own.Reads().size() == 2);
  OwnRecord both = Kept(2);
  both.revisions = {{"A", 5}, {"B", 5}};
  OwnRecord other = Kept(3);
  other.revisions = {{"B", 5}};
  Data all = Data::MakeArray();
  all.Push(Row(1, Kept(1).Write()));
  all.Push(Row(2, both.Write()));
  all.Push(Row(3, other.Write()));
  Data results = Data::MakeArray();
  results.Push(std::move(all));
  results.Push(Data::MakeArray());
  Data::Array writes;
  own.Take(results, LostWork(&SyncSchema(), kNow), &writes);
  CHECK(CountOf(writes).deleted == 1);
  CHECK(CountOf(writes).put == 1);
}

TEST_CASE("own changes: what is in the log again since a realm was lost is kept") {
  for (const bool is_later : {true, false}) {
    OwnChanges own(&SyncSchema(), kNow);
    own.Drop("A", 500);
    OwnRecord record = Kept(1);
    record.times = Times{{"A", is_later ? 501.0 : 500.0}};
    Data all = Data::MakeArray();
    all.Push(Row(1, record.Write()));
    all.Push(Row(2, Kept(2).Write()));  // of a release that notes no times
    Data results = Data::MakeArray();
    results.Push(std::move(all));
    results.Push(Data::MakeArray());
    Data::Array writes;
    own.Take(results, LostWork(&SyncSchema(), kNow), &writes);
    CHECK(CountOf(writes).deleted == (is_later ? 1 : 2));
  }
}

// What a pull with this change writes, of these own changes.
Data::Array Compare(const Change& change, const Vector<OwnRecord>& kept,
                    Data inbox = Data::MakeArray()) {
  OwnChanges own(&SyncSchema(), kNow);
  const Vector<Change> changes{change};
  own.Compare(changes);
  Data all = Data::MakeArray();
  for (size_t i = 0; i < kept.size(); ++i) all.Push(Row(i + 1, kept[i].Write()));
  Data results = Data::MakeArray();
  results.Push(std::move(all));
  results.Push(std::move(inbox));
  Data::Array writes;
  own.Take(results, LostWork(&SyncSchema(), kNow), &writes);
  return writes;
}

// Of item `a`, by somebody who has seen revision 4.
Change Unseen(ChangeKind kind) {
  Change change;
  change.key = {SyncSchema().FindTable("items"), "a"};
  change.realm = "A";
  change.kind = kind;
  change.revision = 9;
  change.over = 4;
  return change;
}

size_t CountEntries(const Data::Array& writes) {
  return static_cast<size_t>(std::count_if(writes.begin(), writes.end(), [](const Data& write) {
    return write["store"].Is("conflicts");
  }));
}

TEST_CASE("own changes: a row that comes whole has overwritten what is another value there") {
  const OwnRecord kept = Kept(1);
  const Op set = DecodeMutation(SyncSchema(), kept.body).value().ops[0];
  Change change = Unseen(ChangeKind::kCreate);
  change.set = set.set;
  CHECK(CountEntries(Compare(change, {kept})) == 0);
  change.set[0].value = Value::String("another");
  CHECK(CountEntries(Compare(change, {kept})) == 1);
  change.set.clear();  // null
  CHECK(CountEntries(Compare(change, {kept})) == 1);
}

TEST_CASE("own changes: what is in the inbox of a row does not come there again") {
  Mutation mutation;
  mutation.action = {SyncUuid(1), "act", "null", 1000};
  mutation.ops = {UpdateItem("a", "A", "x"), UpdateItem("b", "A", "x")};
  for (Op& op : mutation.ops) op.by = {0};
  const skerry::MutationRecord record = MakeMutationRecord(SyncSchema(), mutation);
  OwnRecord both = Kept(1);
  both.keys = record.keys;
  both.body = record.body;
  const Data::Array first = Compare(Unseen(ChangeKind::kDelete), {both});
  CHECK(CountEntries(first) == 1);
  const auto put = std::find_if(first.begin(), first.end(), [](const Data& write) {
    return write["store"].Is("own") && write["put"].is_object();
  });
  REQUIRE(put != first.end());
  const OwnRecord rest = OwnRecord::Read((*put)["put"]);
  CHECK(rest.keys.size() == 1);
  CHECK(CountEntries(Compare(Unseen(ChangeKind::kDelete), {rest})) == 0);
}

// Somebody overwrites a change of item `a` unseen while so many entries of other items are in the inbox.
Writes Overwrite(size_t entries) {
  Data inbox = Data::MakeArray();
  for (size_t i = 0; i < entries; ++i) {
    ConflictRecord entry;
    entry.reason = entry.code = kOverwritten;
    entry.table = "items";
    entry.id = "b" + std::to_string(i);
    inbox.Push(Row(i + 1, entry.Write()));
  }
  const Data::Array writes = Compare(Unseen(ChangeKind::kDelete), {Kept(1)}, std::move(inbox));
  Writes count;
  for (const Data& write : writes) {
    if (!write["store"].Is("conflicts")) continue;
    count.added += write.Find("add") != nullptr ? 1 : 0;
    const Data* deleted = write.Find("delete");
    if (deleted != nullptr && count.deleted++ == 0) count.first_deleted = deleted->as_u64();
  }
  return count;
}

TEST_CASE("own changes: a thousand entries of what was overwritten stay in the inbox") {
  CHECK(Overwrite(kMaxOwnChanges - 1).added == 1);
  CHECK(Overwrite(kMaxOwnChanges - 1).deleted == 0);
  CHECK(Overwrite(kMaxOwnChanges).added == 1);
  CHECK(Overwrite(kMaxOwnChanges).deleted == 1);
}

// "<base> <number of mutations>;" of each update that is grouped from mutations over these revisions.
std::string GroupedOver(const Vector<uint64_t>& bases) {
  Grouping grouping(&SyncSchema(), 0);
  Data rows = Data::MakeArray();
  for (size_t i = 0; i < bases.size(); ++i) {
    Mutation mutation;
    mutation.action = {SyncUuid(200 + i), "act", "null", 1000};
    mutation.ops = {UpdateItem("a", "A", "x")};
    mutation.ops[0].by = {0};
    if (bases[i] > 0) mutation.base = {{"A", bases[i]}};
    rows.Push(Row(i + 1, MakeMutationRecord(SyncSchema(), mutation).Write()));
  }
  grouping.Add(rows);
  Random random(std::string(32, 's'));
  UuidGenerator ids(&random);
  Chain chain;
  Data::Array writes;
  std::string text;
  for (const OutboxRecord& update : grouping.Finish(1, 1, &ids, &chain, &writes))
    text +=
        std::to_string(update.base.at("A")) + ' ' + std::to_string(update.mutations.size()) + ';';
  return text;
}

TEST_CASE("an update says what the author of each of its mutations had seen") {
  CHECK(GroupedOver({4, 4, 4}) == "4 3;");
  CHECK(GroupedOver({4, 5, 5}) == "4 1;5 2;");
  CHECK(GroupedOver({0, 0, 3}) == "0 2;3 1;");
  // Two windows, of which one is behind the other.
  CHECK(GroupedOver({5, 4, 5}) == "5 1;4 1;5 1;");
}

}  // namespace
}  // namespace skerry::sync_test
