// FakeStorage: IndexedDB as the cores use it (docs/internals.md, section 4), in memory. It
// interprets `transact` effects. Stores are ordered maps; numbers sort before texts, as in
// IndexedDB. A transaction is atomic: its writes are applied together or not at all. A test
// requests each fault. The tests of the sync worker share it; it makes no decision of the core.
#ifndef SKERRY_TEST_CORE_SYNC_FAKE_STORAGE_H_
#define SKERRY_TEST_CORE_SYNC_FAKE_STORAGE_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::sync_test {

struct StoreKey {
  bool text = false;
  double number = 0;
  std::string name;
  static bool IsKey(const Data& key);  // else a write fails, as it does in IndexedDB (DataError)
  StoreKey() = default;
  explicit StoreKey(const Data& key);
  Data ToData() const;
  friend auto operator<=>(const StoreKey&, const StoreKey&) = default;
};

// The core inside a transaction: handles an event, returns the effects.
class TransactionCaller {
 public:
  virtual ~TransactionCaller() = default;
  virtual Data Call(Data event) = 0;
};

class FakeStorage {
 public:
  using Store = std::map<StoreKey, Data>;

  // Runs the transaction of a `transact` effect: reads, calls, writes. Returns the next event,
  // "done" or "failed", without handling it, so that a test can delay or lose it.
  Data Run(const Data& transact, TransactionCaller* caller);

  // The next transaction with a write fails with this DOM name, and stores nothing.
  void FailNextWrite(std::string name) { fail_ = std::move(name); }
  // Every transaction with a write fails, until the name is empty.
  void FailWrites(std::string name) { fail_all_ = std::move(name); }

  // For set-up and checks, outside of transactions.
  Store& store(const std::string& name) { return stores_[name]; }
  Data Get(const std::string& name, const Data& key) const;
  // The values of all keys from `from` to `to`, ascending.
  Vector<Data> Between(const std::string& name, const Data& from, const Data& to) const;
  void Put(const std::string& name, const Data& key, Data value);
  double Add(const std::string& name, Data value);
  size_t Count(const std::string& name) const;
  uint64_t transactions() const { return transactions_; }

 private:
  Data Read(const Data& read) const;
  void Write(const Data& write, Data* keys);

  std::map<std::string, Store> stores_;
  std::map<std::string, double> last_key_;
  std::string fail_;
  std::string fail_all_;
  uint64_t transactions_ = 0;
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_FAKE_STORAGE_H_
