#include "test/sim/window_rules.h"

#include <utility>

#include "base/fields.h"

namespace skerry::sim {
namespace {

bool IsWrong(const TableDef& table, const Row& row) {
  const PropIndex n = table.FindProp("n");
  const PropIndex u = table.FindProp("u");
  return n != kNone && u != kNone && !row.props[n].is_null() && row.props[n] == row.props[u];
}

Data NameOf(const Schema& schema, const ObjectKey& key) {
  Data name = Fields{{"table", schema.table(key.table).name}, {"id", key.id}};
  if (!key.realm.empty()) name.Set("realm", key.realm);
  return name;
}

}  // namespace

Data WindowRules::Judge(Client& client, const Data& validate, std::string* problem) {
  const Schema& schema = client.schema();
  std::set<ObjectKey> named;
  for (const Data& row : validate["rows"].items()) {
    const TableIndex table = schema.FindTable(row["table"].as_string());
    named.insert({table, row["id"].as_string(), row["realm"].as_string()});
  }
  std::set<ObjectKey> all;
  wrong_.clear();
  Data list = Data::MakeArray();
  for (const TableDef& table : schema.tables()) {
    const RowStore& store = client.view().rows(table.index);
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (!store.IsLive(slot)) continue;
      const Row row = store.Get(slot);
      if (!IsWrong(table, row)) continue;
      const ObjectKey key = store.Key(slot);
      all.insert(key);
      if (!validate["all"].as_bool() && !named.contains(key) && !known_.contains(key))
        *problem = "a row has become wrong, and nobody asks about it: " + key.id;
      if (!client.view().IsPending(key)) continue;
      wrong_.push_back({key, row.realm});
      list.Push(NameOf(schema, key));
    }
  }
  known_ = std::move(all);
  return Fields{{"type", "judge"}, {"wrong", std::move(list)}};
}

}  // namespace skerry::sim
