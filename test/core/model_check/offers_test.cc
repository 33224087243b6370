// Goal: what devices give back to a restored server is merged as the naive server does it: in any order, whatever was
// written since, and a second time without an effect. Method: random histories of which a part is lost, over the
// database in memory and the naive server.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "authority/cursor.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/random.h"
#include "log/codec.h"
#include "test/core/database/memory_database.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test {
namespace {

// What a device has of a realm.
struct Held {
  std::string realm;
  std::string cursor;
  double at = 0;  // of the cursor
  Vector<StoredRow> rows;
  Vector<StoredRow> deleted;  // tombstones
};

class World {
 public:
  explicit World(uint64_t seed)
      : random_("offers " + std::to_string(seed)),
        database_(&CheckSchema()),
        naive_(CheckTables(), CheckRealms()) {
    for (const std::string& realm : CheckRealms()) database_.AddRealm(realm);
  }

  void Run() {
    for (uint64_t n = random_.Below(12); n > 0; --n) Write();
    const MemoryDatabase backup = database_;
    const naive::Server naive_backup = naive_;
    for (uint64_t n = 1 + random_.Below(15); n > 0; --n) {
      Write();
      if (random_.Below(3) == 0) Hold();
    }
    Hold();
    database_ = backup;
    naive_ = naive_backup;
    for (uint64_t n = random_.Below(6); n > 0; --n) Write();
    while (!held_.empty()) {
      const size_t which = random_.Below(held_.size());
      GiveBack(held_[which]);
      if (random_.Below(3) > 0) held_.erase(held_.begin() + which);
      if (random_.Below(4) == 0) Write();
    }
  }

  uint64_t taken() const { return taken_; }
  uint64_t kept() const { return kept_; }
  uint64_t doubted() const { return doubted_; }

 private:
  Data Rights() const { return Fields{{"A", "write"}, {"B", "write"}}; }

  void Compare() {
    size_t live = 0;
    for (const auto& [key, stored] : database_.rows()) {
      if (stored.deleted_at) continue;
      ++live;
      const naive::Key name = KeyOf(key.object, key.realm);
      const std::optional<naive::Row> row = naive::FindRow(naive_.rows(key.realm), name);
      CAPTURE(name);
      CHECK(row.has_value());
      if (!row.has_value()) return;
      const naive::Row found = NaiveRowOf(key.object, stored.row);
      const std::string difference = DifferenceOf(*row, found);
      CAPTURE(difference);
      REQUIRE(*row == found);
    }
    size_t expected = 0;
    for (const std::string& realm : CheckRealms()) expected += naive_.rows(realm).size();
    REQUIRE(live == expected);
  }

  // One op of a client of its own.
  void Write() {
    naive::Rows visible;
    for (const std::string& realm : CheckRealms())
      visible.insert(naive_.rows(realm).begin(), naive_.rows(realm).end());
    const naive::Op op = AnyOp(visible, CheckRealms(), 0.1, &random_, &serial_);
    if (op.op == "append") return;
    Data after = Data::MakeObject(), action = Data::MakeObject();
    after.Set(op.realm, Data());
    if (!op.to.empty()) after.Set(op.to, Data());
    const std::string client = FreshUuid(&serial_);
    action.Set("id", FreshUuid(&serial_)).Set("name", "edit").Set("arg", Data());
    action.Set("at", now_ - 10 * static_cast<double>(random_.Below(6)));
    if (random_.Below(6) == 0) action.Set(random_.Below(2) == 0 ? "again" : "replayed", true);
    Data wire = Fields{{"id", FreshUuid(&serial_)}, {"after", after}, {"at", 1}};
    wire.Set("actions", Data(Data::Array{std::move(action)}));
    skerry::Op pushed = OpOf(op);
    pushed.by = {0};
    wire.Set("ops", Data(Data::Array{OpToData(CheckSchema(), pushed, 1)}));
    MemoryDatabase::Push push;
    push.now = now_ += 10;
    push.requests.push_back({client, "ada", {wire}, Rights()});
    naive::Update update = naive::UpdateOf(client, wire);
    if (random_.Below(3) > 0) {
      update.sent = std::max(0.0, now_ - 10 * static_cast<double>(random_.Below(6)));
      push.requests.back().sent = Data::MakeObject().Set(update.id, *update.sent);
    }
    const MemoryDatabase::Admitted admitted = database_.Admit(CheckSchema(), push);
    REQUIRE(admitted.done().is_object());
    database_.Commit(CheckSchema(), admitted);
    const naive::Result expected = naive_.Push(update, true, admitted.done()["at"].as_number());
    const Data result = admitted.done()["results"].items()[0].items()[0];
    const std::string what = WriteJson(wire) + " -> " + WriteJson(result);
    CAPTURE(what);
    REQUIRE(result["status"].as_string() == expected.status);
    const Data& reason =
        result["rejected"].items().empty() ? Data() : result["rejected"].items()[0];
    if (reason["code"].Is("outcome_unknown")) ++doubted_;
    Compare();
  }

  // A device has what the server has of a realm now.
  void Hold() {
    for (const std::string& realm : CheckRealms()) {
      const MemoryDatabase::Head& head = database_.heads().at(realm);
      Held held{realm, CursorText({head.head, head.at}), head.at, {}, {}};
      for (const auto& [key, stored] : database_.rows()) {
        if (key.realm != realm) continue;
        if (!stored.deleted_at) held.rows.push_back(stored);
        // What a device has deleted itself is all that it gives back of deletes.
        if (stored.deleted_at && stored.moved_to.empty() && random_.Below(2) == 0)
          held.deleted.push_back(stored);
      }
      held_.push_back(std::move(held));
    }
  }

  void GiveBack(const Held& held) {
    const uint64_t common = database_.CommonOf(held.realm, held.cursor);
    Data ops = Data::MakeArray(), times = Data::MakeArray();
    Vector<naive::Server::Offer> offers;
    for (const StoredRow& stored : held.rows) {
      // Also some that have not changed since.
      if (stored.row.revision <= common && random_.Below(4) > 0) continue;
      skerry::Op offer = NewOp(OpKind::kOffer, stored.key, held.realm);
      offer.by = {0};
      for (PropIndex i = 0; i < stored.row.props.size(); ++i)
        offer.set.push_back({i, stored.row.props[i]});
      ops.Push(OpToData(CheckSchema(), offer, 1));
      times.Push(stored.row.modified_at);
      naive::Server::Offer expected;
      expected.key = KeyOf(stored.key, held.realm);
      expected.at = stored.row.modified_at;
      for (const auto& [prop, value] : ops.items().back()["set"].members())
        expected.set[prop] = value;
      offers.push_back(std::move(expected));
    }
    for (const StoredRow& stored : held.deleted) {
      if (stored.row.revision <= common) continue;
      skerry::Op offer = NewOp(OpKind::kDelete, stored.key, held.realm);
      offer.by = {0};
      ops.Push(OpToData(CheckSchema(), offer, 1));
      times.Push(held.at);
      offers.push_back({KeyOf(stored.key, held.realm), {}, held.at, true});
    }
    MemoryDatabase::Offers request;
    request.body = Fields{{"realm", held.realm}, {"cursor", held.cursor}, {"ops", ops}};
    request.body.Set("times", times);
    request.client = request.update = FreshUuid(&serial_);
    request.user = "ada";
    request.rights = Rights();
    request.now = now_ += 10;
    const MemoryDatabase::Rows before = database_.rows();
    const MemoryDatabase::OffersTaken taken = database_.TakeBack(CheckSchema(), request);
    REQUIRE(taken.common == common);
    // An emptied database stays empty.
    REQUIRE(taken.done.is_null() == (common == 0));
    if (common == 0) return;
    const Data& told = taken.done["offers"];
    REQUIRE(told["done"].as_u64() == offers.size());
    const uint64_t expected =
        naive_.TakeBack(held.realm, common, offers, taken.done["at"].as_number(), {}, "ada");
    const std::string what = WriteJson(request.body) + " -> " + WriteJson(told);
    CAPTURE(what);
    REQUIRE(told["taken"].as_u64() == expected);
    Compare();
    taken_ += expected;
    CheckNoRowIsLeftOut(held.realm, request.body, told, before);
    for (const Data& refused : told["refused"].items()) {
      ++kept_;
      const Data& op = request.body["ops"].items()[refused["op"].as_u64()];
      const bool is_in_part = refused["code"].Is("overwritten") && !op["op"].Is("delete");
      REQUIRE(is_in_part == !refused["props"].items().empty());
    }
  }

  // A row that was offered is there, or refused, unless a later state of it was given back.
  void CheckNoRowIsLeftOut(const std::string& realm, const Data& body, const Data& told,
                           const MemoryDatabase::Rows& before) {
    for (size_t i = 0; i < body["ops"].items().size(); ++i) {
      const Data& op = body["ops"].items()[i];
      if (!op["op"].Is("offer")) continue;
      const TableIndex table = CheckSchema().FindTable(op["table"].as_string());
      const PlacedKey key{realm, {table, op["id"].as_string()}};
      const auto row = database_.rows().find(key);
      const auto was = before.find(key);
      const bool was_elsewhere = was != before.end() && !was->second.moved_to.empty();
      // It may have followed its parent into another realm at once.
      const bool is_there =
          row != database_.rows().end() &&
          (!row->second.deleted_at || (!row->second.moved_to.empty() && !was_elsewhere));
      const bool is_refused = std::ranges::any_of(
          told["refused"].items(), [&](const Data& refusal) { return refusal["op"] == Data(i); });
      const bool is_old = std::ranges::any_of(database_.changes(realm), [&](const Data& change) {
        return change["id"] == op["id"] && change["offered"].is_number() &&
               change["offered"].as_number() >= body["times"].items()[i].as_number();
      });
      CAPTURE(WriteJson(op));
      REQUIRE((is_there || is_refused || is_old));
    }
  }

  Random random_;
  MemoryDatabase database_;
  naive::Server naive_;
  Vector<Held> held_;
  uint64_t serial_ = 0;
  double now_ = 0;
  uint64_t taken_ = 0, kept_ = 0, doubted_ = 0;
};

TEST_CASE("what devices give back of a lost history is merged as the naive server does it") {
  uint64_t taken = 0, kept = 0, doubted = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.Run();
    taken += world.taken();
    kept += world.kept();
    doubted += world.doubted();
  }
  CHECK(taken > 300);
  CHECK(kept > 50);
  CHECK(doubted > 20);
}

}  // namespace
}  // namespace skerry::test
