// Database: the one database behind all server nodes: rows, log, changes, chains and actions in
// maps, without indexes. It replaces the server's SQL; the rules are the production authority's. A
// push is admitted in a transaction that no other reader sees before Commit.
#ifndef SKERRY_TEST_SIM_DATABASE_H_
#define SKERRY_TEST_SIM_DATABASE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "authority/admission.h"
#include "authority/pull.h"
#include "base/data.h"
#include "base/vector.h"

namespace skerry::sim {

class ServerImages;

// The limits of an answer to a pull.
struct PullLimits {
  size_t page_rows = 0;
  size_t bytes = 0;  // 0: no limit
};

class Database {
 public:
  explicit Database(const Schema* columns);

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
  const Schema& columns() const { return *columns_; }

  // Admits requests, in order, in one transaction. REQUIRES: no other transaction is open.
  std::unique_ptr<Admission> Admit(const Schema& served, const Vector<Admission::Request>& requests,
                                   double now) const;
  void Commit(const Schema& served, const Admission& admission);
  // The answer (JSON) to a pull's body, read in one snapshot. If it is too large, it is made again
  // from fewer reads: one entry for each realm, then without its changes, then without the ops of
  // own updates. `images`: null if no realm counts as large. Empty: 410.
  std::string Pull(const Schema& served, const Data& request, const PullLimits& limits, double now,
                   ServerImages* images) const;
  // Forgets the log up to this revision; own updates are still found by their ids. No server does
  // so yet. It tests the authority's answer if the log does not reach back to a cursor.
  void CutLog(const std::string& realm, uint64_t revision);
  bool HasEntry(const std::string& realm, uint64_t revision) const;  // false if it was cut off

  struct Head {
    uint64_t head = 0;
    double at = 0;
  };
  const std::map<std::string, Head>& heads() const { return heads_; }
  using Rows = std::map<ObjectKey, StoredRow>;
  const Rows& rows() const { return rows_; }  // with tombstones; with the props of columns()
  // The rows with the props of `served`: rows() itself if these are the same, else a copy in
  // `space`.
  const Rows& RowsOf(const Schema& served, Rows* space) const;
  const Set<std::string>& action_ids() const { return action_ids_; }
  bool HasAction(const std::string& action) const { return action_ids_.contains(action); }

 private:
  struct Change {
    uint64_t revision = 0;
    Data before;  // with the props of the writer's schema
  };
  struct Place {
    std::string realm, table, id;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  // The database as one pull sees it.
  struct Reading {
    const Schema* schema = nullptr;
    const Rows* rows = nullptr;
    size_t page_rows = 0;
    ServerImages* images = nullptr;
  };

  // Its locks() then name the realms that must be locked as well.
  std::unique_ptr<Admission> TryToAdmit(const Schema& served, const Rows& rows,
                                        const Vector<Admission::Request>& requests,
                                        const Set<std::string>& locked, double now) const;
  // The parts of the log that a pull reads, from the most to the least.
  enum class Reads { kAll, kOneEntry, kNoChanges, kNoOps };

  std::string PullOnce(const Reading& reading, const Data& request, Reads reads, double now) const;
  Data Read(const Reading& reading, const Data& needs, Reads reads) const;
  void ReadLog(const Data& needs, Reads reads, Data* found) const;
  Data TablesOf(const std::string& realm, uint64_t from, uint64_t upto) const;
  Data ReadPage(const Reading& reading, const Data& page) const;
  Data RowAfter(const Reading& reading, const Data& need) const;
  ObjectKey KeyOf(const Schema& served, const ObjectKey& key) const;
  void Write(const Schema& served, const StoredRow& row);
  void Log(Data entry);
  void Correct(const TableDef& table, const Vector<PropIndex>& unsure, double now,
               Vector<Corrected>* corrected);

  const Schema* columns_;
  const Schema* newest_ = nullptr;
  std::map<std::pair<TableIndex, PropIndex>, Value> defaults_;  // of the columns
  std::map<std::string, Head> heads_;
  Rows rows_;
  std::map<std::string, uint64_t> cut_;                             // by realm
  std::map<std::string, Vector<Data>> log_;                         // by realm; revision 1 is at 0
  std::map<Place, Vector<Change>> changes_;                         // by revision
  std::map<std::pair<std::string, std::string>, ChainRow> chains_;  // realm, client
  std::map<std::pair<std::string, std::string>, Data> applied_;     // client, update
  Vector<LogAction> actions_;
  Set<std::string> action_ids_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_DATABASE_H_
