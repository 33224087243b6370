// Database: the one database behind all server nodes, of one or two releases: a MemoryDatabase
// whose rows have the columns of all releases, and which a node reads and writes under the schema
// that it serves. The rules are the production authority's. A push is admitted in a transaction
// that no other reader sees before Commit.
#ifndef SKERRY_TEST_SIM_DATABASE_H_
#define SKERRY_TEST_SIM_DATABASE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "model/value.h"
#include "test/core/database/memory_database.h"
#include "test/sim/rights.h"
#include "test/sim/user_rights.h"

namespace skerry::sim {

class ServerImages;

// The limits of an answer to a pull.
struct PullLimits {
  size_t page_rows = 0;
  size_t bytes = 0;  // 0: no limit
};

// What the server's reducer makes of a stream: snapshots; or none, because it fails; or none, and no
// more actions are taken, because its state is too large.
enum class Fold : uint8_t { kWorks, kFails, kIsFull };

class Database final : public test::MemoryDatabase {
 public:
  Database(const Schema* columns, const test::naive::Names& realms);

  // Does what a server does when it starts with this schema (server/src/sql/apply-schema.ts),
  // unless a newer schema was served before. Returns the entries by which it logged rows as
  // changed.
  struct Corrected {
    std::string realm;
    double at = 0;
    Vector<ObjectKey> keys;
  };
  Vector<Corrected> Deploy(const Schema& schema, double now);
  const Schema* newest() const { return newest_; }  // the newest schema that was ever served
  const Schema& columns() const { return schema(); }

  // A request to push: {client, updates}.
  struct Pushed {
    Data body;
    Caller author;
  };
  // The updates that append to a stream that is full, as {client, id, code, detail}; none of whoever
  // may not write there (server/src/push/full-streams.ts).
  Data RefusedOf(const Vector<Pushed>& requests) const;
  // Admits requests, in order, in one transaction. REQUIRES: no other transaction is open.
  // `has_rule`: by the rule of the application, too (app_rule.h).
  Admitted AdmitAll(const Schema& served, const Vector<Pushed>& requests, const Data& refused,
                    double now, bool has_rule) const;
  // `serial`: makes the versions of rights unique, in all histories.
  void Commit(const Schema& served, const Admitted& admitted, uint64_t* serial);

  struct Pulled {
    std::string text;           // JSON; empty: 410
    Vector<std::string> owned;  // realms for UserRights::RecordOwner
  };
  // The answer to a pull's body, read in one snapshot. If it is too large, it is made again from
  // fewer reads: one entry for each realm, then without its changes, then without the ops of own
  // updates. `images`: null if no realm counts as large.
  Pulled PullText(const Schema& served, const Caller& caller, const Data& request,
                  const PullLimits& limits, double now, ServerImages* images) const;

  // What the caller may read, and the highest right in each: "read", "write" or "own".
  std::map<std::string, std::string> ReadableBy(const Caller& caller) const;
  UserRights& user_rights() { return user_rights_; }

  Fold FoldOf(const std::string& realm, const std::string& stream) const;
  void SetFold(const std::string& realm, const std::string& stream, Fold fold);

  bool HasAction(const std::string& action) const { return actions().contains(action); }

  const Rows& RowsOf(const Schema& served, Rows* space) const override;

 protected:
  void Write(const Schema& served, const StoredRow& row) override;
  const StoredRow* BeforeMove(const PlacedKey& key, const StoredRow& row) const;

 private:
  std::map<std::string, std::string> RolesOf(const std::string& user) const;
  // Memberships that the user has not accepted.
  Data InvitationsOf(const std::string& user) const;
  void Correct(const TableDef& table, const Vector<PropIndex>& unsure, double now,
               Vector<Corrected>* corrected);

  const Schema* newest_ = nullptr;
  std::map<std::pair<TableIndex, PropIndex>, Value> defaults_;  // of the columns
  UserRights user_rights_;
  std::map<std::pair<std::string, std::string>, Fold> folds_;  // by realm and stream
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_DATABASE_H_
