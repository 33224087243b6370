#include "test/fuzz/snapshot.h"

#include <utility>

namespace skerry::fuzz {
namespace {

constexpr const char* kStores[] = {"sync",      "updates", "mutations", "outbox",
                                   "conflicts", "actions", "streams"};

Data Pair(Data key, Data value) {
  Data pair = Data::MakeArray();
  return pair.Push(std::move(key)).Push(std::move(value));
}

}  // namespace

Data TakeSnapshot(sync_test::FakeStorage* storage, const Images& images) {
  Data snapshot = Data::MakeObject();
  for (const char* store : kStores) {
    Data rows = Data::MakeArray();
    for (const auto& [key, value] : storage->store(store)) rows.Push(Pair(key.ToData(), value));
    snapshot.Set(store, std::move(rows));
  }
  Data files = Data::MakeObject();
  for (const auto& [generation, parts] : images) {
    Data list = Data::MakeArray();
    for (const std::string& part : parts) list.Push(Data::Bytes(part));
    files.Set(generation, std::move(list));
  }
  return snapshot.Set("images", std::move(files));
}

void PutSnapshot(const Data& snapshot, sync_test::FakeStorage* storage, Images* images) {
  for (const char* store : kStores) {
    sync_test::FakeStorage::Store& rows = storage->store(store);
    rows.clear();
    for (const Data& pair : snapshot[store].items()) {
      if (pair.items().size() != 2 || !sync_test::StoreKey::IsKey(pair.items()[0])) continue;
      rows.emplace(sync_test::StoreKey(pair.items()[0]), pair.items()[1]);
    }
  }
  images->clear();
  for (const auto& [generation, parts] : snapshot["images"].members()) {
    Vector<std::string>& files = (*images)[generation];
    for (const Data& part : parts.items()) files.push_back(part.as_bytes());
  }
}

Vector<Data> Untouched(const Data& whole, sync_test::FakeStorage* storage) {
  Vector<Data> same;
  for (const Data& row : whole["mutations"].items()) {
    if (storage->Get("mutations", row.items()[0]) == row.items()[1]) same.push_back(row);
  }
  return same;
}

bool IsKept(sync_test::FakeStorage* storage, const Data& mutation) {
  for (const auto& [key, value] : storage->store("mutations")) {
    if (value["id"] == mutation["id"] && value["body"] == mutation["body"]) return true;
  }
  for (const auto& [key, value] : storage->store("conflicts")) {
    if (value["mutation"]["id"] == mutation["id"]) return true;
  }
  return false;
}

}  // namespace skerry::fuzz
