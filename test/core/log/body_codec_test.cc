// Goal: mutations and steps round-trip through their bodies; any flipped byte or truncation of a
// body is detected; a body can be read after a change of the schema. Method: random contents,
// every flipped byte and every truncation of some bodies, hostile contents under a valid checksum,
// and a second schema.
#include <utility>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/row_map.h"

namespace skerry::test {
namespace {

Mutation AnyMutation(Random* random) {
  OpMaker maker(random);
  const skerry::Update update = maker.AnyUpdate();
  Mutation mutation;
  mutation.action = update.actions[0];
  mutation.base = {{"public", random->Below(1u << 20)}, {"team-1", 0}};
  mutation.ops = update.ops;
  for (Op& op : mutation.ops) op.by = {0};
  return mutation;
}

Step OwnOps(Random* random) {
  OpMaker maker(random);
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "public";
  step.at = 1.76e12;
  step.revision = 1 + random->Below(1u << 30);
  step.ops = maker.AnyUpdate().ops;
  return step;
}

std::string Where(const char* text) { return EncodeData(ParseJson(text).value()); }

Step PageStep() {
  Step step;
  step.kind = StepKind::kPage;
  step.page = {kCities,    Where(R"(["=","size","s"])"), "", TestUuid(9),
               {"public"}, {TestUuid(3), TestUuid(5)}};
  return step;
}

Vector<Step> AnySteps(Random* random) {
  OpMaker maker(random);
  Vector<Step> steps = {OwnOps(random), PageStep()};
  Step last_page = PageStep();
  last_page.page.above = "tag-1";
  last_page.page.upto.reset();
  steps.push_back(last_page);
  for (uint64_t i = random->Below(6); i > 0; --i) {
    Step step;
    step.change = maker.AnyChange();
    steps.push_back(step);
  }
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "team-1";
  Step keep;
  keep.kind = StepKind::kKeepScopes;
  keep.scopes = {{kCities, Where(R"(["true"])")}, {kTags, Where(R"(["=","label","x"])")}};
  steps.push_back(drop);
  steps.push_back(keep);
  return steps;
}

TEST_CASE("round-trips mutations through their bodies") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    const Mutation mutation = AnyMutation(&random);
    const Result<Mutation> decoded =
        DecodeMutation(LogSchema(), EncodeMutation(LogSchema(), mutation));
    REQUIRE_MESSAGE(decoded.ok(), decoded.status().detail());
    REQUIRE(decoded.value() == mutation);
  }
}

TEST_CASE("round-trips steps through their bodies") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    const Vector<Step> steps = AnySteps(&random);
    const Result<Vector<Step>> decoded = DecodeSteps(LogSchema(), EncodeSteps(LogSchema(), steps));
    REQUIRE_MESSAGE(decoded.ok(), decoded.status().detail());
    REQUIRE(decoded.value() == steps);
  }
}

template <typename Decode>
void CheckDamageIsNoticed(const std::string& body, Decode decode) {
  for (size_t i = 0; i < body.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = body;
      damaged.data()[i] = static_cast<char>(damaged[i] ^ mask);
      CAPTURE(i);
      CAPTURE(mask);
      const Status status = decode(damaged);
      CHECK((status.code() == Code::kCorrupt || (i == 0 && status.code() == Code::kVersion)));
    }
  }
  for (size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK(decode(body.substr(0, size)).code() == Code::kCorrupt);
  }
  CHECK(decode(body + '\0').code() == Code::kCorrupt);
}

TEST_CASE("detects every flipped byte and every truncation of a body") {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Random random(SeedText(seed));
    CheckDamageIsNoticed(EncodeMutation(LogSchema(), AnyMutation(&random)),
                         [](const std::string& bytes) {
                           const Result<Mutation> decoded = DecodeMutation(LogSchema(), bytes);
                           return decoded.ok() ? Status::Ok() : decoded.status();
                         });
    CheckDamageIsNoticed(EncodeSteps(LogSchema(), AnySteps(&random)), [](const std::string& bytes) {
      const Result<Vector<Step>> decoded = DecodeSteps(LogSchema(), bytes);
      return decoded.ok() ? Status::Ok() : decoded.status();
    });
  }
}

// Damage that a checksum cannot see: the decoders must stay within the bytes, whatever they hold.
TEST_CASE("reads damaged contents under a valid checksum without harm") {
  size_t refused = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(SeedText(seed));
    const std::string body = EncodeSteps(LogSchema(), AnySteps(&random));
    for (size_t i = 1; i + 8 < body.size(); ++i) {
      std::string damaged = body.substr(0, body.size() - 8);
      damaged.data()[i] = static_cast<char>(random.Below(256));
      PutU64(&damaged, Xxh64(damaged));
      const Result<Vector<Step>> decoded = DecodeSteps(LogSchema(), damaged);
      if (!decoded.ok()) {
        ++refused;
        continue;
      }
      // Decoded steps are valid: they can be written and read again.
      const Result<Vector<Step>> again =
          DecodeSteps(LogSchema(), EncodeSteps(LogSchema(), decoded.value()));
      REQUIRE(again.ok());
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("rejects a body of another kind or of a newer format") {
  Random random(SeedText(1));
  std::string body = EncodeMutation(LogSchema(), AnyMutation(&random));
  CHECK(DecodeSteps(LogSchema(), body).status().code() == Code::kCorrupt);
  body.data()[0] = 3;
  CHECK(DecodeMutation(LogSchema(), body).status().code() == Code::kVersion);
}

Schema OtherSchema(const char* text) {
  Result<Schema> schema = Schema::Parse(ParseJson(text).value());
  REQUIRE(schema.ok());
  return std::move(schema.value());
}

Op LabelOp(OpKind kind) {
  Op op;
  op.kind = kind;
  op.table = kTags;
  op.id = "se";
  op.realm = "public";
  op.by = {0};
  op.set = {{PropOf(kTags, "label"), Value::String("x")},
            {PropOf(kTags, "uses"), Value::Number(7)}};
  return op;
}

Mutation OneOp(Op op) {
  Mutation mutation;
  mutation.action = {TestUuid(1), "label", "null", 5};
  mutation.ops = {std::move(op)};
  return mutation;
}

TEST_CASE("reads a body under a schema with its tables and props in another order") {
  const Schema other = OtherSchema(R"({"version":4,"tables":[
    {"name":"new","ids":"uuid","props":[{"name":"x","type":"number"}]},
    {"name":"tags","ids":"string","props":[
      {"name":"color","type":"string","optional":true},
      {"name":"uses","type":"number","optional":true},
      {"name":"label","type":"string"}]}]})");
  const Mutation mutation = OneOp(LabelOp(OpKind::kUpdate));
  const Result<Mutation> decoded = DecodeMutation(other, EncodeMutation(LogSchema(), mutation));
  REQUIRE(decoded.ok());
  CHECK(decoded.value().ops[0].table == 1);
  CHECK(decoded.value().ops[0].set ==
        Vector<PropValue>{{1, Value::Number(7)}, {2, Value::String("x")}});
}

TEST_CASE("keeps the props of an inc under a schema with its props in another order") {
  const Schema other = OtherSchema(R"({"version":4,"tables":[
    {"name":"cities","ids":"uuid","props":[
      {"name":"visits","type":"number","optional":true},
      {"name":"population","type":"number","optional":true},
      {"name":"name","type":"string"}]}]})");
  Op inc;
  inc.kind = OpKind::kInc;
  inc.table = kCities;
  inc.id = TestUuid(1);
  inc.realm = "public";
  inc.by = {0};
  inc.add = {{PropOf(kCities, "population"), 1}, {PropOf(kCities, "visits"), 2}};
  const Result<Mutation> decoded = DecodeMutation(other, EncodeMutation(LogSchema(), OneOp(inc)));
  REQUIRE(decoded.ok());
  // Sorted by index, as every fold expects.
  CHECK(decoded.value().ops[0].add == Vector<PropAdd>{{0, 2}, {1, 1}});
}

TEST_CASE("omits from a mutation what the current schema does not know or cannot hold") {
  const Op create = LabelOp(OpKind::kCreate);
  const Op update = LabelOp(OpKind::kUpdate);
  const auto decode = [](const Op& op, const char* schema, Status* left_out) {
    const Result<Mutation> decoded =
        DecodeMutation(OtherSchema(schema), EncodeMutation(LogSchema(), OneOp(op)), left_out);
    REQUIRE(decoded.ok());
    return decoded.value().ops;
  };
  Status left_out;
  CHECK(decode(create, R"({"version":4,"tables":[]})", &left_out).empty());
  CHECK(left_out.detail() == "there is no table \"tags\"");
  // The known prop keeps its value. The new prop, which may not be null, gets its default.
  const char* renamed = R"({"version":4,"tables":[{"name":"tags","ids":"string","props":[
    {"name":"title","type":"string","default":"new"},{"name":"uses","type":"number"}]}]})";
  CHECK(decode(create, renamed, &left_out)[0].set ==
        Vector<PropValue>{{0, Value::String("new")}, {1, Value::Number(7)}});
  CHECK(left_out.detail() == "tags has no prop \"label\"");
  CHECK(decode(update, renamed, &left_out)[0].set == Vector<PropValue>{{1, Value::Number(7)}});
  // An update without any known prop is dropped.
  CHECK(decode(update, R"({"version":4,"tables":[{"name":"tags","ids":"string","props":[
    {"name":"label","type":"number"}]}]})",
               &left_out)
            .empty());
  // Ops with ids of another kind are dropped, too.
  CHECK(decode(update, R"({"version":4,"tables":[{"name":"tags","ids":"uuid","props":[
    {"name":"label","type":"string"}]}]})",
               &left_out)
            .empty());
  CHECK(decode(create, R"({"version":4,"tables":[{"name":"tags","ids":"string","props":[
    {"name":"uses","type":"number"},{"name":"label","type":"string"}]}]})",
               &left_out)
            .size() == 1);
  CHECK(left_out.ok());
}

TEST_CASE("a restore that states its row has the defaults of props that are newer") {
  const Schema newer = OtherSchema(R"({"version":4,"tables":[{"name":"tags","ids":"string","props":[
    {"name":"stock","type":"number","default":7},{"name":"label","type":"string"}]}]})");
  Op restore = LabelOp(OpKind::kRestore);
  restore.of = TestUuid(7);
  const auto decode = [&] {
    return DecodeMutation(newer, EncodeMutation(LogSchema(), OneOp(restore))).value().ops[0].set;
  };
  restore.created_at = 5;
  CHECK(decode()[0] == PropValue{0, Value::Number(7)});
  // Of a row that its writer never saw it says nothing.
  restore.created_at.reset();
  restore.set.clear();
  CHECK(decode().empty());
}

TEST_CASE("keeps props that a logged create's writer did not know, unless the row is new") {
  const Schema newer = OtherSchema(R"({"version":4,"tables":[{"name":"tags","ids":"string","props":[
    {"name":"stock","type":"number","default":7},{"name":"label","type":"string"}]}]})");
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.ops = {LabelOp(OpKind::kCreate)};
  step.ops[0].realm = "A";
  bool left_out = false;
  const Result<Vector<Step>> steps =
      DecodeSteps(newer, EncodeSteps(LogSchema(), {step}), &left_out);
  REQUIRE(steps.ok());
  const ObjectKey key{0, step.ops[0].id};
  const auto stock_after = [&](RowMap rows) {
    TouchedKeys touched;
    REQUIRE(ApplySteps(newer, steps.value(), &rows, &touched).ok());
    return rows.GetBase("A", key)->props[0];
  };
  CHECK(stock_after(RowMap()) == Value::Number(7));
  RowMap rows;
  Row row;
  row.realm = "A";
  row.props = {Value::Number(9), Value::String("there")};
  rows.PutBase(key, row);
  CHECK(stock_after(rows) == Value::Number(9));
}

TEST_CASE("ignores a page with an unknown filter; keeps all rows for a scope with one") {
  Step page;
  page.kind = StepKind::kPage;
  page.page = {kTags, Where(R"(["=","label","x"])"), "", std::nullopt, {}, {}};
  Step keep;
  keep.kind = StepKind::kKeepScopes;
  keep.scopes = {{kCities, Where(R"(["true"])")}, {kTags, Where(R"(["=","label","x"])")}};
  bool left_out = false;
  const Result<Vector<Step>> decoded =
      DecodeSteps(OtherSchema(R"({"version":4,"tables":[
    {"name":"tags","ids":"string","props":[{"name":"uses","type":"number"}]}]})"),
                  EncodeSteps(LogSchema(), {page, keep}), &left_out);
  REQUIRE(decoded.ok());
  CHECK(left_out);
  REQUIRE(decoded.value().size() == 1);
  CHECK(decoded.value()[0].scopes == Vector<ScopeFilter>{{0, Where(R"(["true"])")}});
}

}  // namespace
}  // namespace skerry::test
