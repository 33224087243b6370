// Goal: a View shows base plus pending at all times, and what it updates step by step equals the
// definition computed from scratch (invariant 5). Method: NaiveView beside it, compared after
// every step of random histories: own transactions, rollbacks, mutations of other windows, keys
// that come late, records, and moves between realms.
#include <algorithm>

#include "base/id.h"
#include "base/json.h"
#include "base/vector.h"
#include "client/live_query.h"
#include "client/transaction.h"
#include "doctest/doctest.h"
#include "log/fold.h"
#include "test/core/client/client_fixture.h"
#include "test/core/rounds.h"

namespace skerry::client_test {
namespace {

// A view and a NaiveView with the same base and pending mutations.
struct ViewWorld {
  explicit ViewWorld(uint64_t seed)
      : random(Seed(seed)),
        ids(&random),
        view(&TestSchema()),
        transaction(&view, &ids, {"A", std::nullopt, true}) {}

  std::string Check() {
    naive.pending.clear();
    for (const Pending* p : pending.InOrder()) naive.pending.push_back(p);
    return Difference(naive.Visible(), Shown(view));
  }
  std::string Realm() { return random.Below(5) == 0 ? "B" : "A"; }
  std::string AnyId(TableIndex table) {
    const std::string number = std::to_string(random.Below(4));
    if (TestSchema().table(table).custom_ids) return std::string(1, "gmbpl"[table]) + number;
    return "01890000-0000-7000-8000-00000000000" + number;
  }
  TableIndex AnyTable() {
    static constexpr TableIndex kTables[] = {kGroupTable, kMemberTable, kBadgeTable, kPersonTable,
                                             kLockTable,  kBoardTable,  kCardTable};
    return kTables[random.Below(7)];
  }

  Sets AnyProps(TableIndex table) {
    const auto ref = [&](TableIndex to) { return random.Below(5) == 0 ? Data() : Data(AnyId(to)); };
    const std::string text(1, static_cast<char>('a' + random.Below(3)));
    switch (table) {
      case kGroupTable:
        return {{"name", text}, {"owner", ref(kPersonTable)}};
      case kMemberTable:
        return {{"group", ref(kGroupTable)}, {"person", ref(kPersonTable)}, {"role", text}};
      case kBadgeTable:
        return {{"member", ref(kMemberTable)}, {"label", text}};
      case kPersonTable:
        return {{"name", text}, {"boss", ref(kPersonTable)}};
      case kBoardTable:
        return {{"name", text}};
      case kCardTable:
        return {{"board", ref(kBoardTable)}, {"text", text}};
      default:
        return {{"person", ref(kPersonTable)}};
    }
  }

  Op AnyOp() {
    const TableIndex table = AnyTable();
    const std::string id = AnyId(table);
    switch (random.Below(6)) {
      case 0:
        return MakeOp(OpKind::kCreate, table, id, AnyProps(table), Realm());
      case 1:
        return MakeOp(OpKind::kDelete, table, id, {}, Realm());
      case 2:
        return MakeOp(OpKind::kMove, table, id, {}, "A", "B");
      case 3:
        return MakeOp(OpKind::kInc, kGroupTable, AnyId(kGroupTable), {{"count", 1}}, Realm());
      default:
        return MakeOp(OpKind::kUpdate, table, id, AnyProps(table), Realm());
    }
  }

  void TransactionOp() {
    const TableIndex table = AnyTable();
    Data props = Data::MakeObject();
    for (auto& [name, plain] : AnyProps(table)) props.Set(name, plain);
    static constexpr TxCall kCalls[] = {TxCall::kUpsert, TxCall::kUpsert, TxCall::kCreate,
                                        TxCall::kUpdate, TxCall::kUpdate, TxCall::kDelete,
                                        TxCall::kDelete, TxCall::kMove};
    const TxCall call = kCalls[random.Below(8)];
    Data operation = Data::MakeArray();
    operation.Push(AnyId(table));
    const bool is_move = call == TxCall::kMove;
    operation.Push(is_move || random.Below(3) == 0 ? Data(Realm()) : Data());
    operation.Push(is_move || call == TxCall::kDelete ? Data::MakeObject() : std::move(props));
    static_cast<void>(transaction.Apply(call, table, operation)
                          .ok());  // rejected calls change nothing, see Check
  }

  void OwnTransaction() {
    // Sometimes the clock steps back.
    at += random.Below(8) == 0 ? -5.0 : 1.0;
    REQUIRE(transaction.Begin(at, ++serial).ok());
    const std::map<ObjectKey, Row> before = Shown(view);
    const uint64_t ops = 1 + random.Below(4);
    for (uint64_t i = 0; i < ops; ++i) TransactionOp();
    if (random.Below(4) == 0) {
      transaction.Rollback();
      CHECK_EQ(Difference(before, Shown(view)), "");
      return;
    }
    Result<std::unique_ptr<Pending>> done = transaction.Commit("edit", "null");
    if (!done.ok()) {
      transaction.Rollback();
      CHECK_EQ(Difference(before, Shown(view)), "");
    } else if (done.value() != nullptr) {
      pending.Add(std::move(done.value()));
    }
  }

  void OtherMutation() {
    Vector<Op> ops;
    const uint64_t count = 1 + random.Below(3);
    for (uint64_t i = 0; i < count; ++i) ops.push_back(AnyOp());
    const uint64_t key = 10 * ++next_key + random.Below(200);
    for (const Pending* p : pending.Keyed()) {
      if (p->key == key) return;
    }
    at += 1;
    Pending* p =
        pending.Add(MakePending("other" + std::to_string(next_key), key, at, std::move(ops)));
    view.Attach(p);
    view.Derive();
  }

  void KeyArrives() {
    const Vector<Pending*> unkeyed = pending.Unkeyed();
    if (unkeyed.empty()) return;
    const uint64_t key = 10 * ++next_key + 5;
    for (const Pending* p : pending.Keyed()) {
      if (p->key == key) return;
    }
    pending.SetKey(unkeyed[0], key);
    view.Reordered(*unkeyed[0]);
    view.Derive();
  }

  void BaseChange() {
    const TableIndex table = AnyTable();
    const std::string id = AnyId(table);
    const std::string realm = Realm();
    const ObjectKey key = KeyIn(TestSchema(), table, id, realm);
    if (random.Below(3) == 0) {
      view.EraseBase(realm, key);
      naive.base[key].erase(realm);
    } else {
      const Row row = MakeRow(table, AnyProps(table), static_cast<double>(random.Below(40)), realm);
      view.PutBase(key, row);
      naive.base[key][realm] = row;
    }
    view.Touched(realm, key);
  }

  // One step: some base changes, and some mutations confirmed, partly confirmed or rejected.
  void Record() {
    const uint64_t changes = random.Below(4);
    for (uint64_t i = 0; i < changes; ++i) BaseChange();
    for (Pending* p : pending.Keyed()) {
      if (random.Below(6) == 0 && p->confirmed_realms.empty()) {
        p->confirmed_realms = {random.Below(2) == 0 ? "A" : "B"};
        view.Reordered(*p);
      } else if (random.Below(4) == 0) {
        view.Detach(p);
        pending.Remove(p->mutation.action.id);
      }
    }
    view.Derive();
  }

  void Step() {
    switch (random.Below(8)) {
      case 0:
      case 1:
      case 2:
        return OwnTransaction();
      case 3:
        return OtherMutation();
      case 4:
        return KeyArrives();
      default:
        return Record();
    }
  }

  Random random;
  UuidGenerator ids;
  View view;
  Transaction transaction;
  PendingList pending;
  NaiveView naive;
  double at = 1000;
  uint64_t serial = 0;
  uint64_t next_key = 0;
};

}  // namespace

TEST_CASE("shows base plus pending, incrementally as from scratch, on random histories") {
  for (uint64_t seed = 0; seed < test::Rounds(400, 100); ++seed) {
    CAPTURE(seed);
    ViewWorld world(seed);
    for (int step = 0; step < 60; ++step) {
      CAPTURE(step);
      world.Step();
      const std::string difference = world.Check();
      REQUIRE_EQ(difference, "");
    }
    // No shadows are left when everything is confirmed and in one realm.
    for (Pending* p : world.pending.InOrder()) {
      world.view.Detach(p);
      world.pending.Remove(p->mutation.action.id);
    }
    world.view.Derive();
    REQUIRE_EQ(world.Check(), "");
    size_t doubled = 0;
    for (const auto& [key, rows] : world.naive.base) doubled += rows.size() > 1 ? 1 : 0;
    CHECK_EQ(world.view.shadow_count(), doubled);
    for (const auto& [key, rows] : world.naive.base) {
      for (const char* realm : {"A", "B"}) {
        if (!key.realm.empty() && key.realm != realm) continue;
        const auto it = rows.find(realm);
        const std::optional<Row> row = world.view.GetBase(realm, key);
        CHECK_EQ(row.has_value(), it != rows.end());
        if (row && it != rows.end()) CHECK(*row == it->second);
      }
    }
  }
}

TEST_CASE("shows a replaced base with the pending mutations on top") {
  for (uint64_t seed = 1000; seed < 1040; ++seed) {
    CAPTURE(seed);
    ViewWorld world(seed);
    ViewWorld other(seed + 5000);
    // An empty view adopts the rows as they are.
    for (int step = seed % 2 == 0 ? 40 : 0; step > 0; --step) world.Step();
    Base base(&TestSchema());
    for (int step = 0; step < 30; ++step) other.BaseChange();
    for (const auto& [key, rows] : other.naive.base) {
      for (const auto& [realm, row] : rows) base.PutBase(key, row);
    }
    for (auto& [key, rows] : other.naive.base) {
      if (seed % 3 != 0 || key.id.back() % 2 != 0) continue;
      for (const auto& [realm, row] : rows) base.EraseBase(realm, key);
      rows.clear();
    }
    world.view.ReplaceBase(&base);
    world.view.Derive();
    world.naive.base = other.naive.base;
    REQUIRE_EQ(world.Check(), "");
    for (int step = 0; step < 20; ++step) world.Step();
    REQUIRE_EQ(world.Check(), "");
  }
}

TEST_CASE("adopts rows as they are only with nothing pending and no live query open") {
  Base base(&TestSchema());
  base.PutBase({kGroupTable, "g"}, MakeRow(kGroupTable, {{"name", "x"}}));
  View hidden(&TestSchema());
  const auto pending = MakePending("m", 1, 50, {MakeOp(OpKind::kDelete, kGroupTable, "g")});
  hidden.Attach(pending.get());
  hidden.Derive();
  hidden.ReplaceBase(&base);
  hidden.Derive();
  CHECK_FALSE(hidden.Visible({kGroupTable, "g"}).has_value());
  CHECK(hidden.GetBase("A", {kGroupTable, "g"}).has_value());
  hidden.Detach(pending.get());
  hidden.Derive();
  CHECK(hidden.Visible({kGroupTable, "g"}).has_value());

  View view(&TestSchema());
  LiveQueries live(&TestSchema(), &view);
  view.set_live(&live);
  view.PutBase({kGroupTable, "g"}, MakeRow(kGroupTable, {{"name", "x"}}));
  const Result<Query> query = ParseQuery(TestSchema(), ParseJson(R"({"table":"groups","include":[
        {"name":"members","kind":"back","table":"members","prop":"group","query":{}}]})")
                                                           .value());
  REQUIRE(query.ok());
  Vector<uint32_t> rows;
  live.Open(query.value(), &rows);
  Vector<LiveDelta> deltas;
  live.Flush(&deltas);
  // Removed and added again before any live query was notified: no difference.
  view.EraseBase("A", {kGroupTable, "g"});
  view.ReplaceBase(&base);
  view.Derive();
  live.Flush(&deltas);
  CHECK(deltas.empty());
}

}  // namespace skerry::client_test
