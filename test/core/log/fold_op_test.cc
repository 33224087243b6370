// Goal: FoldOp changes one row as docs/design.md, "Objects and ops", defines for one op. Method:
// one case for each rule.
#include <limits>

#include "doctest/doctest.h"
#include "log/fold.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

constexpr FoldStamp kStamp{5000, 9};

struct Folding {
  std::optional<Row> row;
  bool Apply(const Op& op, FoldTarget target = FoldTarget::kView) {
    return FoldOp(LogSchema(), op, kStamp, target, &row);
  }
};

Op OpOn(OpKind kind, const std::string& realm) {
  Op op;
  op.kind = kind;
  op.table = kCities;
  op.id = TestUuid(1);
  op.realm = realm;
  op.by = {0};
  return op;
}

Folding WithRow(const std::string& realm) {
  Random random(SeedText(1));
  OpMaker maker(&random);
  return {maker.AnyRow(kCities, realm)};
}

TEST_CASE("makes a row with the entry's time and revision for a create") {
  Folding folding;
  Op create = OpOn(OpKind::kCreate, "A");
  create.set = {{kName, Value::String("Åre")}};
  CHECK(folding.Apply(create));
  REQUIRE(folding.row.has_value());
  CHECK(folding.row->realm == "A");
  CHECK(folding.row->created_at == 5000);
  CHECK(folding.row->modified_at == 5000);
  CHECK(folding.row->revision == 9);
  CHECK(folding.row->props.size() == LogSchema().table(kCities).props.size());
  CHECK(folding.row->props[kName] == Value::String("Åre"));
  CHECK(folding.row->props[kPopulation].is_null());
}

// In base the log has the last word: what comes back comes as a create.
TEST_CASE("makes a row for a restore in a view, and none in base") {
  Folding folding;
  Op restore = OpOn(OpKind::kRestore, "A");
  restore.set = {{kName, Value::String("Åre")}};
  CHECK_FALSE(folding.Apply(restore));  // nothing is remembered
  restore.created_at = 4000;
  CHECK_FALSE(folding.Apply(restore, FoldTarget::kBase));
  CHECK_FALSE(folding.row.has_value());
  CHECK(folding.Apply(restore));
  REQUIRE(folding.row.has_value());
  CHECK(folding.row->props[kName] == Value::String("Åre"));
}

TEST_CASE("makes a row for an offer, and leaves one that is there as it is") {
  Folding folding;
  Op offer = OpOn(OpKind::kOffer, "A");
  offer.set = {{kName, Value::String("Åre")}};
  for (const FoldTarget target : {FoldTarget::kView, FoldTarget::kBase}) {
    folding.row.reset();
    CHECK(folding.Apply(offer, target));
    REQUIRE(folding.row.has_value());
    CHECK(folding.row->props[kName] == Value::String("Åre"));
    folding = WithRow("A");
    const Row before = *folding.row;
    CHECK(!folding.Apply(offer, target));
    CHECK(*folding.row == before);
  }
}

TEST_CASE("merges two creates of one id as create and update") {
  Folding folding = WithRow("A");
  const Row before = *folding.row;
  Op create = OpOn(OpKind::kCreate, "A");
  create.set = {{kName, Value::String("new")}};
  CHECK(folding.Apply(create));
  CHECK(folding.row->created_at == before.created_at);
  CHECK(folding.row->modified_at == 5000);
  CHECK(folding.row->props[kName] == Value::String("new"));
  CHECK(folding.row->props[kPopulation] == before.props[kPopulation]);
}

TEST_CASE("changes nothing for an op on a row of another realm, or on none") {
  for (const OpKind kind :
       {OpKind::kCreate, OpKind::kUpdate, OpKind::kInc, OpKind::kDelete, OpKind::kMove}) {
    Folding folding = WithRow("B");
    const Row before = *folding.row;
    CHECK_FALSE(folding.Apply(OpOn(kind, "A")));
    CHECK(folding.row == before);
    if (kind == OpKind::kCreate) continue;
    Folding empty;
    CHECK_FALSE(empty.Apply(OpOn(kind, "A")));
    CHECK_FALSE(empty.row.has_value());
  }
}

TEST_CASE("counts an inc from zero when there is no number yet") {
  Folding folding = WithRow("A");
  folding.row->props[kPopulation] = Value::Null();
  Op inc = OpOn(OpKind::kInc, "A");
  inc.add = {{kPopulation, 5}};
  CHECK(folding.Apply(inc));
  CHECK(folding.Apply(inc));
  CHECK(folding.row->props[kPopulation] == Value::Number(10));
}

TEST_CASE("stops an inc at the greatest number") {
  Folding folding = WithRow("A");
  const double most = std::numeric_limits<double>::max();
  folding.row->props[kPopulation] = Value::Number(most);
  Op inc = OpOn(OpKind::kInc, "A");
  inc.add = {{kPopulation, most}};
  CHECK(folding.Apply(inc));
  CHECK(folding.row->props[kPopulation] == Value::Number(most));
}

TEST_CASE("replaces a json prop as a whole") {
  Folding folding = WithRow("A");
  const PropIndex info = PropOf(kCities, "info");
  folding.row->props[info] = Value::Json(R"({"a":1,"b":2})");
  Op update = OpOn(OpKind::kUpdate, "A");
  update.set = {{info, Value::Json(R"({"c":3})")}};
  CHECK(folding.Apply(update));
  CHECK(folding.row->props[info] == Value::Json(R"({"c":3})"));
}

TEST_CASE("changes the realm in a view for a move, and only removes the row from base") {
  Op move = OpOn(OpKind::kMove, "A");
  move.to = "B";
  Folding view = WithRow("A");
  CHECK(view.Apply(move));
  CHECK(view.row->realm == "B");
  CHECK(view.row->modified_at == 5000);
  Folding base = WithRow("A");
  CHECK(base.Apply(move, FoldTarget::kBase));
  CHECK_FALSE(base.row.has_value());
}

TEST_CASE("lets a delete win over updates on either side of it") {
  Op update = OpOn(OpKind::kUpdate, "A");
  update.set = {{kName, Value::String("late")}};
  Folding before = WithRow("A");
  CHECK(before.Apply(update));
  CHECK(before.Apply(OpOn(OpKind::kDelete, "A")));
  Folding after = WithRow("A");
  CHECK(after.Apply(OpOn(OpKind::kDelete, "A")));
  CHECK_FALSE(after.Apply(update));
  CHECK(before.row == after.row);
  CHECK_FALSE(after.Apply(OpOn(OpKind::kDelete, "A")));
}

}  // namespace
}  // namespace skerry::test
