// AuthorityWorld: the authority over a MemoryDatabase, with users and their rights, which also keeps every
// state that a realm ever had. It does each push and pull in the two ways that the contract allows,
// and checks that the results are the same.
#ifndef SKERRY_TEST_CORE_AUTHORITY_WORLD_H_
#define SKERRY_TEST_CORE_AUTHORITY_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "model/schema.h"
#include "test/core/database/memory_database.h"

namespace skerry::authority_test {

Data Json(std::string_view text);  // REQUIRES: it parses
using test::ReadStep;
// A UUID that ends in `number`.
std::string Id(uint64_t number);

// Tables, all with ids of the application's own: groups; members (group: cascade and touch, person:
// setNull, role with a default); people (email unique); countries; cities (country: restrict,
// population); items (parent: cascade within the table, n, u unique, note); logs (item: cascade and
// touch, so that a touch goes on to the member's group); and $members, the memberships of realms.
const Schema& WorldSchema();
const Data& WorldSchemaData();  // its description, as clients get it

class AuthorityWorld {
 public:
  using Key = std::pair<std::string, std::string>;  // table, id
  using Rows = std::map<Key, Data>;

  AuthorityWorld();

  void AddRealm(const std::string& realm);
  // `right`: write, read or none.
  void Grant(const std::string& user, const std::string& realm, const std::string& right);

  struct Request {
    std::string client, user;
    Data::Array updates;
    std::string token = {};        // the user whose rights count; empty: `user`
    Data seen = {}, follows = {};  // as pushed
    bool is_older = false;         // of an earlier release
  };
  // One group commit. Returns `done.results`.
  Data Commit(const Vector<Request>& requests, const Data& refuse = Data());
  // One update of one client; its result.
  Data Push(const std::string& client, const std::string& user, const Data& update);

  // One transaction of another program, as ops (a JSON array) without anything of clients.
  void WriteForeign(std::string_view ops);
  // Follows up at most so many rows that other programs have written. False: nothing is owed.
  bool FollowUp(size_t most = ~size_t{0});

  // Forgets what the log of the realm has of the time before.
  void Forget(const std::string& realm, double before) { database_.Forget(realm, before); }
  bool HasEntry(const std::string& realm, uint64_t revision) const {
    return database_.HasEntry(realm, revision);
  }

  // A pull's answer, {"gone"} or {"error"}.
  Data Pull(const std::string& user, const Data& request);

  // The live row, or null, in whatever realm.
  Data Row(const std::string& table, const std::string& id) const;
  // The live rows of a realm at a revision.
  const Rows& StateAt(const std::string& realm, uint64_t revision) const;
  uint64_t head(const std::string& realm) const { return database_.heads().at(realm).head; }
  std::string cursor(const std::string& realm, uint64_t revision) const;
  // All that was ever written, in order.
  const Data::Array& entries() const { return entries_; }
  const Data::Array& changes() const { return changes_; }
  Data tombstone(const std::string& table, const std::string& id) const;
  const Data& last_done() const { return done_; }
  int last_rounds() const { return rounds_; }

  double now = 1'000'000;
  std::function<Data(const Data& question)> rules;  // of the application
  bool asks_consent = false;                        // the invited accept their memberships
  uint64_t rows_for_image = 0;        // a realm's size as the server reports it; 0: the true one
  test::MemoryDatabase::Reads reads;  // what pulls read

 private:
  test::MemoryDatabase::Push PushOf(const Vector<Request>& requests, const Data& refuse) const;
  void Remember(const Data& done);
  Data RunPull(const Data& request, const Data& realms, bool rows_along);
  const StoredRow* Find(const std::string& table, const std::string& id) const;

  test::MemoryDatabase database_;
  std::map<std::string, Data> rights_;  // of each user
  Data::Array entries_, changes_;
  std::map<std::string, Vector<Rows>> states_;
  Data done_;
  int rounds_ = 0;
};

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_WORLD_H_
