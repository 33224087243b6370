#include "test/core/sync/sync_fixture.h"

#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/mutation_record.h"
#include "log/sync_record.h"
#include "test/core/sync/fake_storage.h"

namespace skerry::sync_test {
namespace {

constexpr PropIndex kN = 0;
constexpr PropIndex kName = 1;
constexpr PropIndex kParent = 2;

Op Item(OpKind kind, std::string id, std::string realm) {
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

std::string SyncUuid(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "00000000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

Op CreateChild(std::string id, std::string realm, std::string_view parent) {
  Op op = Item(OpKind::kCreate, std::move(id), std::move(realm));
  op.set.push_back({kParent, Value::String(std::string(parent))});
  return op;
}

Op CreateItem(std::string id, std::string realm, double n, std::string_view name) {
  Op op = Item(OpKind::kCreate, std::move(id), std::move(realm));
  op.set.push_back({kN, Value::Number(n)});
  if (!name.empty()) op.set.push_back({kName, Value::String(std::string(name))});
  return op;
}

Op UpdateItem(std::string id, std::string realm, std::string_view name) {
  Op op = Item(OpKind::kUpdate, std::move(id), std::move(realm));
  op.set.push_back({kName, Value::String(std::string(name))});
  return op;
}

Op IncItem(std::string id, std::string realm, double by) {
  Op op = Item(OpKind::kInc, std::move(id), std::move(realm));
  op.add.push_back({kN, by});
  return op;
}

Op DeleteItem(std::string id, std::string realm) {
  return Item(OpKind::kDelete, std::move(id), std::move(realm));
}

Op AppendTo(std::string stream, std::string realm) {
  Op op;
  op.kind = OpKind::kAppend;
  op.stream = std::move(stream);
  op.realm = std::move(realm);
  op.by = {0};
  return op;
}

Op MoveItem(std::string id, std::string realm, std::string to) {
  Op op = Item(OpKind::kMove, std::move(id), std::move(realm));
  op.to = std::move(to);
  return op;
}

bool GiveBack(FakeStorage* storage) {
  SyncProgress sync = SyncProgress::Read(storage->Get("sync", "sync"));
  bool is_any = false;
  for (auto& [realm, place] : sync.lost_at) {
    is_any = is_any || place.offered == false;
    if (place.offered.has_value()) place.offered = true;
  }
  if (is_any) storage->Put("sync", "sync", sync.Write());
  return is_any;
}

Data MutationRecord(std::string_view id, const Vector<Op>& ops, double at) {
  Mutation mutation;
  mutation.action = {std::string(id), "change", "null", at};
  mutation.ops = ops;
  for (const std::string& realm : RealmsOf(ops)) mutation.base.emplace_back(realm, 0);
  return MakeMutationRecord(SyncSchema(), mutation).Write();
}

}  // namespace skerry::sync_test
