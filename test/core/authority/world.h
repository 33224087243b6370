// World: a naive server around the authority, in memory, with rows, log, changes and chains. It
// answers `needs` by scanning everything, keeps every state that a realm ever had, and uses the
// JSON of docs/authority.md, so that these tests check that contract, too.
#ifndef SKERRY_TEST_CORE_AUTHORITY_WORLD_H_
#define SKERRY_TEST_CORE_AUTHORITY_WORLD_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "model/schema.h"

namespace skerry::authority_test {

Data Json(std::string_view text);  // REQUIRES: it parses
// A step's answer; the rows of `done` are one list over all tables.
Data ReadStep(std::string_view text);
// A UUID that ends in `number`.
std::string Id(uint64_t number);

// Tables, all with ids of the application's own: groups; members (group: cascade and touch, person:
// setNull, role with a default); people (email unique); countries; cities (country: restrict,
// population); items (parent: cascade within the table, n, u unique, note); logs (item: cascade and
// touch, so that a touch goes on to the member's group).
const Schema& WorldSchema();
const Data& WorldSchemaData();  // its description, as clients get it

// Whether a stored row is not deleted.
inline bool IsLive(const Data& row) { return row["deletedAt"].is_null(); }

class World {
 public:
  using Key = std::pair<std::string, std::string>;  // table, id
  using Rows = std::map<Key, Data>;

  World();

  void AddRealm(const std::string& realm);
  // `right`: write, read or none.
  void Grant(const std::string& user, const std::string& realm, const std::string& right);

  struct Request {
    std::string client, user;
    Data::Array updates;
    std::string token = {};  // the user whose rights count; empty: `user`
  };
  // One group commit. Returns `done.results`.
  Data Commit(const Vector<Request>& requests, const Data& refuse = Data());
  // One update of one client; its result.
  Data Push(const std::string& client, const std::string& user, const Data& update);

  // A pull's answer, or {"error"}.
  Data Pull(const std::string& user, const Data& request);

  // The live row, or null.
  const Data& Row(const std::string& table, const std::string& id) const;
  // The live rows of a realm at a revision.
  const Rows& StateAt(const std::string& realm, uint64_t revision) const;
  uint64_t head(const std::string& realm) const { return heads_.at(realm).head; }
  std::string cursor(const std::string& realm, uint64_t revision) const;
  const Data::Array& entries() const { return entries_; }
  const Data::Array& changes() const { return changes_; }
  const Data& tombstone(const std::string& table, const std::string& id) const;
  const Data& last_done() const { return done_; }
  int last_rounds() const { return rounds_; }

  double now = 1'000'000;
  size_t page_rows = 2;         // of a fill page, for every limit of the authority
  uint64_t rows_for_image = 0;  // a realm's size as the server reports it; 0: the true one
  std::map<std::string, uint64_t> most_entries;  // of a range, by realm
  // Realms of which the next entry's changes, or all rows, are too large to send: pulls do not read
  // them. `tells_nothing`: nor the ops of own updates.
  std::set<std::string> untold;
  bool tells_nothing = false;
  std::set<std::string> pages_left_out;  // tables whose pages do not fit into an answer

 private:
  struct Head {
    uint64_t head = 0;
    double at = 0;
  };
  Data StartInput(const Vector<Request>& requests, const Data& refuse) const;
  Data Answer(const Data& needs) const;
  void Store(const Data& done, const Data& locked);
  Data Page(const Data& need) const;
  Data EntryTables(const std::string& realm, uint64_t from, uint64_t upto) const;
  Data RowAfter(const Data& need) const;
  Data PullRead(const Data& needs, bool rows_along) const;
  Data RunPull(Data in, bool rows_along);
  // Checks that an admission which gets the rows of all ops at once has the same result.
  void CheckGivenRows(const Vector<Request>& requests, const Data& refuse, const Data& done) const;

  std::map<std::string, Head> heads_;
  std::map<std::string, std::map<std::string, std::string>> rights_;
  std::set<std::string> locked_;
  Rows rows_;  // and tombstones
  Data::Array entries_, changes_, actions_;
  std::map<std::pair<std::string, std::string>, Data> chains_;
  std::map<std::string, Vector<Rows>> states_;
  Data done_;
  int rounds_ = 0;
};

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_WORLD_H_
