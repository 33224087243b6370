#include "test/core/sync/fake_storage.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace skerry::sync_test {
namespace {

constexpr int kMaxRounds = 100000;

bool Names(const Data& stores, const std::string& store) {
  for (const Data& name : stores.items()) {
    if (name.as_string() == store) return true;
  }
  return false;
}

Data Event(std::string_view type, const Data& id) {
  Data event = Data::MakeObject();
  event.Set("type", type).Set("id", id);
  return event;
}

Data FailedEvent(const Data& id, std::string_view name) {
  Data error = Data::MakeObject();
  error.Set("name", name).Set("message", "as the test asked");
  return Event("failed", id).Set("error", std::move(error));
}

}  // namespace

bool StoreKey::IsKey(const Data& key) {
  return key.is_string() || (key.is_number() && !std::isnan(key.as_number()));
}

StoreKey::StoreKey(const Data& key) {
  SKERRY_CHECK(key.is_string() || key.is_number());
  text = key.is_string();
  if (text) name = key.as_string();
  if (!text) number = key.as_number();
}

Data StoreKey::ToData() const { return text ? Data(name) : Data(number); }

Data FakeStorage::Get(const std::string& name, const Data& key) const {
  const auto store = stores_.find(name);
  if (store == stores_.end()) return nullptr;
  const auto it = store->second.find(StoreKey(key));
  return it == store->second.end() ? Data() : it->second;
}

Vector<Data> FakeStorage::Between(const std::string& name, const Data& from, const Data& to) const {
  Vector<Data> values;
  const auto store = stores_.find(name);
  if (store == stores_.end()) return values;
  const auto end = store->second.upper_bound(StoreKey(to));
  for (auto it = store->second.lower_bound(StoreKey(from)); it != end; ++it)
    values.push_back(it->second);
  return values;
}

void FakeStorage::Put(const std::string& name, const Data& key, Data value) {
  stores_[name][StoreKey(key)] = std::move(value);
}

double FakeStorage::Add(const std::string& name, Data value) {
  const double key = ++last_key_[name];
  Put(name, key, std::move(value));
  return key;
}

size_t FakeStorage::Count(const std::string& name) const {
  const auto store = stores_.find(name);
  return store == stores_.end() ? 0 : store->second.size();
}

Data FakeStorage::Read(const Data& read) const {
  const std::string& name = read["store"].as_string();
  if (read.Find("get") != nullptr) return Get(name, read["get"]);
  if (read["count"].as_bool()) return Data(static_cast<uint64_t>(Count(name)));
  Data rows = Data::MakeArray();
  const auto store = stores_.find(name);
  if (store == stores_.end()) return rows;
  const Data& range = read["range"];
  Vector<std::pair<StoreKey, Data>> found;
  for (const auto& [key, value] : store->second) {
    if (!range["above"].is_null() && key <= StoreKey(range["above"])) continue;
    if (!range["from"].is_null() && key < StoreKey(range["from"])) continue;
    if (!range["to"].is_null() && StoreKey(range["to"]) < key) break;
    found.emplace_back(key, value);
  }
  if (range["last"].as_bool()) std::reverse(found.begin(), found.end());
  for (const auto& [key, value] : found) {
    if (!range["limit"].is_null() && rows.items().size() >= range["limit"].as_u64()) break;
    Data row = Data::MakeObject();
    rows.Push(std::move(row.Set("key", key.ToData()).Set("value", value)));
  }
  return rows;
}

void FakeStorage::Write(const Data& write, Data* keys) {
  const std::string& name = write["store"].as_string();
  if (write.Find("put") != nullptr) {
    Put(name, write["key"], write["put"]);
  } else if (write.Find("add") != nullptr) {
    keys->Push(Add(name, write["add"]));
  } else if (write.Find("delete") != nullptr) {
    stores_[name].erase(StoreKey(write["delete"]));
  } else {
    const Data& range = write["deleteRange"];
    SKERRY_CHECK(range.is_object());
    erase_if(stores_[name], [&](const auto& row) {
      return (range["from"].is_null() || !(row.first < StoreKey(range["from"]))) &&
             (range["to"].is_null() || !(StoreKey(range["to"]) < row.first));
    });
  }
}

Data FakeStorage::Run(const Data& transact, TransactionCaller* caller) {
  const Data& id = transact["id"];
  const bool may_write = transact["mode"].as_string() == "readwrite";
  ++transactions_;
  Data reads = transact["reads"];
  for (int round = 0; round < kMaxRounds; ++round) {
    Data results = Data::MakeArray();
    for (const Data& read : reads.items()) {
      SKERRY_CHECK(Names(transact["stores"], read["store"].as_string()));
      results.Push(Read(read));
    }
    const Data effects = caller->Call(Event("read", id).Set("results", std::move(results)));
    SKERRY_CHECK(effects.items().size() == 1);
    const Data& reply = effects.items()[0];
    SKERRY_CHECK(reply["id"] == id);
    if (reply["type"].as_string() == "more") {
      reads = reply["reads"];
      continue;
    }
    if (reply["type"].as_string() == "abort") return FailedEvent(id, "AbortError");
    SKERRY_CHECK(reply["type"].as_string() == "write");
    const Data::Array& writes = reply["writes"].items();
    if (!writes.empty() && !fail_all_.empty()) return FailedEvent(id, fail_all_);
    if (!writes.empty() && !fail_.empty())
      return FailedEvent(id, std::exchange(fail_, std::string()));
    for (const Data& write : writes) {
      const Data* key = write.Find("delete") != nullptr ? &write["delete"] : &write["key"];
      const bool keyed = write.Find("put") != nullptr || write.Find("delete") != nullptr;
      if (keyed && !StoreKey::IsKey(*key)) return FailedEvent(id, "DataError");
    }
    Data keys = Data::MakeArray();
    for (const Data& write : writes) {
      SKERRY_CHECK(may_write && Names(transact["stores"], write["store"].as_string()));
      Write(write, &keys);
    }
    return Event("done", id).Set("keys", std::move(keys));
  }
  SKERRY_CHECK(false);
  return nullptr;
}

}  // namespace skerry::sync_test
