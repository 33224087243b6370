#include "test/core/log/log_fixture.h"

#include <cstdio>
#include <utility>

#include "base/vector.h"

namespace skerry::test {
namespace {

constexpr char kDescription[] = R"({"version":3,"accepts":[2],"tables":[
  {"name":"groups","ids":"uuid","props":[
    {"name":"name","type":"string"},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"groups","onDelete":"cascade"}}]},
  {"name":"cities","ids":"uuid","props":[
    {"name":"name","type":"string"},
    {"name":"population","type":"number","optional":true},
    {"name":"visits","type":"number","optional":true},
    {"name":"capital","type":"boolean","optional":true},
    {"name":"founded","type":"date","optional":true},
    {"name":"flag","type":"bytes","optional":true},
    {"name":"size","type":"enum","optional":true,"enum":{"type":null,"values":["s","m","l"]}},
    {"name":"info","type":"json","optional":true},
    {"name":"price","type":"class","optional":true,"class":{"type":"Money","version":1}},
    {"name":"group","type":"ref","optional":true,"ref":{"table":"groups","onDelete":"setNull"}}]},
  {"name":"members","ids":"uuid","props":[
    {"name":"group","type":"ref","ref":{"table":"groups","onDelete":"cascade","touch":true}},
    {"name":"city","type":"ref","optional":true,"ref":{"table":"cities","onDelete":"setNull"}},
    {"name":"points","type":"number","optional":true}]},
  {"name":"tags","ids":"string","props":[
    {"name":"label","type":"string","default":"none"},
    {"name":"uses","type":"number","optional":true},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"tags","onDelete":"cascade"}}]}]})";

Schema MakeSchema() {
  Result<Data> description = ParseJson(kDescription);
  Result<Schema> schema = Schema::Parse(description.value());
  return std::move(schema.value());
}

constexpr const char* kTexts[] = {"", "Åre", "Sto%", "a\"b\\c", "日本", "line\nbreak", "city"};

}  // namespace

const Schema& LogSchema() {
  static const Schema schema = MakeSchema();
  return schema;
}

std::string TestUuid(uint32_t number) {
  char text[40];
  std::snprintf(text, sizeof text, "01890000-0000-7000-8000-%012x", number);
  return text;
}

PropIndex PropOf(TableIndex table, std::string_view name) {
  return LogSchema().table(table).FindProp(name);
}

std::string SeedText(uint64_t seed) { return "seed " + std::to_string(seed); }

std::string OpMaker::AnyId(TableIndex table, bool fresh) {
  const auto number = static_cast<uint32_t>(random_->Below(2)) + (fresh ? 100 : 0);
  if (LogSchema().table(table).custom_ids) return "tag-" + std::to_string(number);
  return TestUuid(number + 1000u * table);
}

Value OpMaker::AnyValue(const PropDef& prop) {
  if (prop.optional && random_->Below(4) == 0) return Value::Null();
  switch (prop.type) {
    case PropType::kNumber:
      // Integers that stay exact in any sum, so that the order of additions has no effect.
      return Value::Number(static_cast<double>(random_->Below(2000)) - 1000);
    case PropType::kBoolean:
      return Value::Bool(random_->Below(2) == 1);
    case PropType::kDate:
      return Value::Date(1.7e12 + static_cast<double>(random_->Below(1'000'000)));
    case PropType::kBytes:
      return Value::Bytes(std::string("\x00\xff\x10", 3) + static_cast<char>(random_->Below(256)));
    case PropType::kEnum:
      return Value::String(prop.enum_values[random_->Below(prop.enum_values.size())]);
    case PropType::kRef:
      return Value::String(AnyId(prop.ref_table, random_->Below(2) == 0));
    case PropType::kJson:
      return Value::Json(R"({"a":[1,2.5,null,{"$type":"date","v":)" +
                         std::to_string(random_->Below(9)) + "}]}");
    case PropType::kClass:
      return Value::Json(R"({"$type":"Money","v":)" + std::to_string(random_->Below(9)) +
                         R"(,"version":1})");
    default:
      return Value::String(kTexts[random_->Below(std::size(kTexts))]);
  }
}

Op OpMaker::Base(OpKind kind, TableIndex table, std::string id, std::string realm) {
  Op op;
  op.kind = kind;
  op.table = table;
  op.id = std::move(id);
  op.realm = std::move(realm);
  op.by = {0};
  return op;
}

Op OpMaker::Create(TableIndex table, std::string id, std::string realm) {
  Op op = Base(OpKind::kCreate, table, std::move(id), std::move(realm));
  const TableDef& def = LogSchema().table(table);
  for (size_t i = 0; i < def.props.size(); ++i) {
    if (def.props[i].optional && random_->Below(2) == 0) continue;
    op.set.push_back({static_cast<PropIndex>(i), AnyValue(def.props[i])});
  }
  return op;
}

Op OpMaker::Update(TableIndex table, std::string id, std::string realm) {
  Op op = Base(OpKind::kUpdate, table, std::move(id), std::move(realm));
  const TableDef& def = LogSchema().table(table);
  for (size_t i = 0; i < def.props.size(); ++i) {
    if (random_->Below(3) == 0)
      op.set.push_back({static_cast<PropIndex>(i), AnyValue(def.props[i])});
  }
  return op;
}

Op OpMaker::Inc(TableIndex table, std::string id, std::string realm) {
  Op op = Base(OpKind::kInc, table, std::move(id), std::move(realm));
  const TableDef& def = LogSchema().table(table);
  Vector<PropIndex> numbers;
  for (size_t i = 0; i < def.props.size(); ++i) {
    if (def.props[i].type == PropType::kNumber) numbers.push_back(static_cast<PropIndex>(i));
  }
  for (const PropIndex prop : numbers) {
    if (random_->Below(3) == 0) continue;
    op.add.push_back({prop, static_cast<double>(random_->Below(20)) - 10});
  }
  return op;
}

Op OpMaker::Delete(TableIndex table, std::string id, std::string realm) {
  return Base(OpKind::kDelete, table, std::move(id), std::move(realm));
}

Op OpMaker::Move(TableIndex table, std::string id, std::string realm, std::string to) {
  Op op = Base(OpKind::kMove, table, std::move(id), std::move(realm));
  op.to = std::move(to);
  return op;
}

Row OpMaker::AnyRow(TableIndex table, std::string realm) {
  const TableDef& def = LogSchema().table(table);
  Row row;
  row.realm = std::move(realm);
  row.created_at = 1000 + static_cast<double>(random_->Below(1000));
  row.modified_at = row.created_at + static_cast<double>(random_->Below(1000));
  row.revision = 1 + random_->Below(100);
  for (const PropDef& prop : def.props) row.props.push_back(AnyValue(prop));
  return row;
}

Change OpMaker::AnyChange() {
  Change change;
  change.kind = static_cast<ChangeKind>(1 + random_->Below(5));
  change.key.table = static_cast<TableIndex>(random_->Below(4));
  change.key.id = AnyId(change.key.table, random_->Below(2) == 0);
  change.realm = "public";
  change.revision = 1 + random_->Below(1000);
  if (change.kind == ChangeKind::kDelete || change.kind == ChangeKind::kLeave) return change;
  if (change.kind == ChangeKind::kMove) change.to = "team-1";
  change.created_at = 1.7e12 + static_cast<double>(random_->Below(1000));
  change.modified_at = change.created_at + static_cast<double>(random_->Below(1000));
  const bool whole = change.kind == ChangeKind::kCreate;
  change.set = (whole ? Create(change.key.table, "", "") : Update(change.key.table, "", "")).set;
  if (whole) erase_if(change.set, [](const PropValue& set) { return set.value.is_null(); });
  return change;
}

void OpMaker::Undo(Op* op) {
  op->of = TestUuid(static_cast<uint32_t>(6000 + random_->Below(3)));
  const TableDef& table = LogSchema().table(op->table);
  if (op->kind == OpKind::kUpdate && random_->Below(4) > 0) {
    for (const PropValue& set : op->set)
      op->was.push_back({set.prop, AnyValue(table.props[set.prop])});
  }
  if (op->kind != OpKind::kCreate || random_->Below(2) == 0) return;
  op->kind = OpKind::kRestore;
  if (random_->Below(3) == 0) {
    op->set.clear();
  } else {
    op->created_at = 1.7e12 + static_cast<double>(random_->Below(1000));
  }
}

skerry::Update OpMaker::AnyUpdate() {
  skerry::Update update;
  update.id = TestUuid(static_cast<uint32_t>(random_->Below(1u << 30)));
  update.after = {{"public", {}}, {"team-1", {7, TestUuid(77)}}};
  update.base = {{"public", random_->Below(100)}};
  update.at = 1.76e12;
  const auto actions = static_cast<uint32_t>(1 + random_->Below(3));
  for (uint32_t i = 0; i < actions; ++i) {
    update.actions.push_back({TestUuid(5000 + i), "rename",
                              R"({"name":"Åre","n":)" + std::to_string(i) + "}", 1.75e12 + i});
  }
  const uint64_t count = 1 + random_->Below(5);
  for (uint64_t i = 0; i < count; ++i) {
    const auto table = static_cast<TableIndex>(1 + random_->Below(3));
    const std::string id = AnyId(table, false);
    Op op;
    switch (random_->Below(7)) {
      case 0:
        op = Create(table, id, "public");
        break;
      case 1:
        op = Update(table, id, "public");
        break;
      case 2:
        op = Inc(table, id, "public");
        break;
      case 3:
        op = Move(table, id, "public", "team-1");
        break;
      case 4:
        op = Delete(table, id, "public");
        break;
      case 5:
        op = Create(table, id, "public");
        op.kind = OpKind::kOffer;
        break;
      default:
        op = Op{};
        op.kind = OpKind::kAppend;
        op.stream = "chat-" + std::to_string(update.ops.size());
        op.realm = "team-1";
    }
    op.by.clear();
    if (op.Has(kOnStream)) op.by = {static_cast<uint32_t>(random_->Below(actions))};
    for (uint32_t j = 0; j < actions && !op.Has(kOnStream); ++j) {
      if (op.by.empty() ? j + 1 == actions || random_->Below(2) == 0 : random_->Below(2) == 0)
        op.by.push_back(j);
    }
    if (random_->Below(4) == 0 && op.kind != OpKind::kAppend) op.if_revision = random_->Below(100);
    if (random_->Below(3) == 0 && op.Has(kOnRow)) Undo(&op);
    update.ops.push_back(std::move(op));
  }
  return update;
}

}  // namespace skerry::test
