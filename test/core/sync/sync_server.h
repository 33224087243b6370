// SyncServer: the server of the worker's tests: the real authority over a MemoryDatabase. It is the
// server of a single client, which may write in every realm that it names; another program writes
// by Foreign. Copy it to back it up.
#ifndef SKERRY_TEST_CORE_SYNC_SYNC_SERVER_H_
#define SKERRY_TEST_CORE_SYNC_SYNC_SERVER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/database/memory_database.h"

namespace skerry::sync_test {

class SyncServer {
 public:
  SyncServer();

  // Answer POST /push and /pull. {error}: the request is refused as a whole.
  Data Push(const Data& request);
  Data Pull(const Data& request);
  // The status and the body of an answer to GET.
  std::pair<int, std::string> Get(const std::string& path) const;

  // Creates or changes a row as another program.
  void Foreign(const std::string& key, const std::string& realm, std::string_view name);
  // Appends an action to a stream, as another user.
  void ForeignAppend(const std::string& stream, const std::string& realm, std::string_view arg);
  // Takes the state of an older copy. Its clock goes on, and no realm disappears.
  void Restore(const SyncServer& copy);

  // Knobs.
  uint64_t entries_a_pull = 1000;  // a range may end before the head
  size_t actions_a_pull = 1000;    // of a stream of a realm
  bool omits_actions = false;      // no answer has room for streams
  std::string state;               // not empty: the answer instead of a snapshot's state
  size_t snapshot_saves = 3;       // one is offered if it saves so many actions
  bool knows_streams = true;
  std::set<std::string> write_only;  // realms that the client may not read
  std::set<std::string> revoked;     // realms that the client may no longer read, nor write
  std::set<std::string> lost;        // those of them that a restored backup does not have
  bool says_known = true;            // whether a pull's answer has `known`
  bool forks = false;                // every update is answered `forked`
  std::set<std::string> held;        // updates that are answered `held` despite the chain

  std::map<std::string, StoredRow> rows() const;  // live ones, by id; one of those with the same id
  const test::MemoryDatabase& database() const { return database_; }
  test::MemoryDatabase* mutable_database() { return &database_; }
  double n(const std::string& id) const;  // of the row, or -1
  const Vector<Data>& log(const std::string& realm) const;
  // The client's actions in the log of a realm, of the entries after a revision.
  Vector<std::string> ActionsAfter(const std::string& realm, uint64_t revision) const;
  // How often each action of the client is in the logs, by realm.
  std::map<std::pair<std::string, std::string>, int> ActionCounts() const;
  // The pushes: the different bodies of each update, by its id.
  std::map<std::string, std::set<std::string>> bodies;

 private:
  void Admit(const std::string& client, const Vector<Data>& updates, Data* out);
  void AdmitForeign(const std::string& realm, Data op, const Data& arg);
  void AddRealm(const std::string& realm);
  bool IsReadable(const std::string& realm) const;

  test::MemoryDatabase database_;
  double time_ = 1'000'000;
  uint64_t foreign_ = 0;
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_SYNC_SERVER_H_
