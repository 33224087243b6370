#include "log/creation_order.h"

#include <utility>

#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

std::string KeyOfRow(const std::string& realm, const std::string& table, const std::string& id) {
  return realm + '\0' + table + '\0' + id;
}

}  // namespace

void CreationOrder::Add(const Data& op) {
  Item& item = items_.emplace_back();
  item.realm = op["realm"].as_string();
  item.bytes = WriteJson(op).size();
  const std::string& name = op["table"].as_string();
  item.key = KeyOfRow(item.realm, name, op["id"].as_string());
  waiting_.try_emplace(item.key, items_.size() - 1);
  const TableIndex table = schema_->FindTable(name);
  if (table == kNone) return;
  for (const PropDef& prop : schema_->table(table).props) {
    const Data& target = op["set"][prop.name];
    if (prop.ref_table == kNone || !target.is_string()) continue;
    const std::string& parents = schema_->table(prop.ref_table).name;
    item.parents.push_back(KeyOfRow(item.realm, parents, target.as_string()));
  }
}

// With a stack of its own: a chain of refs may be longer than the call stack is deep.
Vector<uint32_t> CreationOrder::ParentsFirst() {
  constexpr uint32_t kEntered = 1u << 31;  // the row's parents have come
  Vector<uint32_t> ordered;
  Vector<uint32_t> path;
  for (uint32_t first = 0; first < items_.size(); ++first) {
    path.push_back(first);
    while (!path.empty()) {
      const uint32_t place = path.back();
      path.pop_back();
      if ((place & kEntered) != 0) {
        ordered.push_back(place ^ kEntered);
        continue;
      }
      const Item& item = items_[place];
      if (waiting_.erase(item.key) == 0) continue;
      path.push_back(place | kEntered);
      for (const std::string& parent : item.parents) {
        const auto found = waiting_.find(parent);
        if (found != waiting_.end()) path.push_back(static_cast<uint32_t>(found->second));
      }
    }
  }
  return ordered;
}

Data CreationOrder::Take() {
  Data mutations = Data::MakeArray();
  Data mutation = Data::MakeArray();
  size_t bytes = 0;
  Set<std::string> realms;
  for (const uint32_t place : ParentsFirst()) {
    const Item& item = items_[place];
    realms.insert(item.realm);
    bytes += item.bytes;
    const size_t count = mutation.items().size();
    const bool is_full =
        count == kMaxCreates || bytes > kMaxCreateBytes || realms.size() > kMaxCreateRealms;
    if (is_full && count > 0) {
      mutations.Push(std::exchange(mutation, Data::MakeArray()));
      bytes = item.bytes;
      realms.clear();
      realms.insert(item.realm);
    }
    mutation.Push(place);
  }
  if (!mutation.items().empty()) mutations.Push(std::move(mutation));
  items_.clear();
  return mutations;
}

}  // namespace skerry
