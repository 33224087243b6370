#include "test/core/sync/sync_fixture.h"

#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/fold.h"

namespace skerry::sync_test {
namespace {

constexpr PropIndex kN = 0;
constexpr PropIndex kName = 1;
constexpr PropIndex kParent = 2;

Op Item(OpKind kind, String id, String realm) {
  Op op;
  op.kind = kind;
  op.table = 0;
  op.id = std::move(id);
  op.realm = std::move(realm);
  op.by = {0};
  return op;
}

}  // namespace

Data Json(std::string_view text) {
  Result<Data> parsed = ParseJson(text);
  SKERRY_CHECK(parsed.ok());
  return std::move(parsed.value());
}

Data SyncSchemaDescription() {
  return Json(
      R"({"version":1,"accepts":[],"tables":[{"name":"items","ids":"string","autosubscribe":false,"props":[
    {"name":"n","type":"number","optional":true,"index":false,"unique":false},
    {"name":"name","type":"string","optional":true,"index":false,"unique":false},
    {"name":"parent","type":"ref","ref":{"table":"items","onDelete":"cascade"},"optional":true,"index":false,"unique":false}]}]})");
}

const Schema& SyncSchema() {
  static const Schema schema = [] {
    Result<Schema> parsed = Schema::Parse(SyncSchemaDescription());
    SKERRY_CHECK(parsed.ok());
    return std::move(parsed.value());
  }();
  return schema;
}

String SyncUuid(uint64_t number) {
  const String digits = std::to_string(number);
  return "00000000-0000-7000-8000-" + String(12 - digits.size(), '0') + digits;
}

Op CreateChild(String id, String realm, std::string_view parent) {
  Op op = Item(OpKind::kCreate, std::move(id), std::move(realm));
  op.set.push_back({kParent, Value::String(String(parent))});
  return op;
}

Op CreateItem(String id, String realm, double n, std::string_view name) {
  Op op = Item(OpKind::kCreate, std::move(id), std::move(realm));
  op.set.push_back({kN, Value::Number(n)});
  if (!name.empty()) op.set.push_back({kName, Value::String(String(name))});
  return op;
}

Op UpdateItem(String id, String realm, std::string_view name) {
  Op op = Item(OpKind::kUpdate, std::move(id), std::move(realm));
  op.set.push_back({kName, Value::String(String(name))});
  return op;
}

Op IncItem(String id, String realm, double by) {
  Op op = Item(OpKind::kInc, std::move(id), std::move(realm));
  op.add.push_back({kN, by});
  return op;
}

Op DeleteItem(String id, String realm) {
  return Item(OpKind::kDelete, std::move(id), std::move(realm));
}

Op MoveItem(String id, String realm, String to) {
  Op op = Item(OpKind::kMove, std::move(id), std::move(realm));
  op.to = std::move(to);
  return op;
}

Data MutationRecord(std::string_view id, const Vector<Op>& ops, double at) {
  Mutation mutation;
  mutation.action = {String(id), "change", "null", at};
  mutation.ops = ops;
  Data realms = Data::MakeArray();
  for (const String& realm : RealmsOf(ops)) {
    realms.Push(realm);
    mutation.base.emplace_back(realm, 0);
  }
  Data keys = Data::MakeArray();
  for (const Op& op : ops) {
    const String key = "items" + String(1, '\0') + op.id;
    bool there = false;
    for (const Data& other : keys.items()) there = there || other.as_string() == key;
    if (!there) keys.Push(key);
  }
  Data record = Data::MakeObject();
  record.Set("v", 1)
      .Set("id", id)
      .Set("name", "change")
      .Set("at", at)
      .Set("state", "pending")
      .Set("update", nullptr);
  record.Set("held", false)
      .Set("known", nullptr)
      .Set("realms", std::move(realms))
      .Set("keys", std::move(keys));
  record.Set("body", Data::Bytes(EncodeMutation(SyncSchema(), mutation)));
  return record;
}

}  // namespace skerry::sync_test
