// Database: the one database behind all server nodes: rows, log, changes, chains and actions in
// maps, read by looking at everything. It stands where the server's SQL stands; the rules are the
// production authority's. A push is admitted in a transaction that is seen by nobody before Commit.
#ifndef SKERRY_TEST_SIM_DATABASE_H_
#define SKERRY_TEST_SIM_DATABASE_H_

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "authority/admission.h"
#include "authority/pull.h"
#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"

namespace skerry::sim {

class ServerImages;

// What an answer to a pull may hold.
struct PullLimits {
  size_t page_rows = 0;
  size_t bytes = 0;  // 0: as many as there are
};

class Database {
 public:
  explicit Database(const Schema* schema);

  // Admits requests, in order, in one transaction. REQUIRES: no other transaction is open.
  std::unique_ptr<Admission> Admit(const Vector<Admission::Request>& requests, double now) const;
  void Commit(const Admission& admission);
  // The answer (JSON) to a pull's body, read in one snapshot. One that is too large is made again
  // with less: an entry a realm, then without what it changed, then without all that own updates
  // changed. `images`: of realms that count as large; null: none does. Empty: 410.
  String Pull(const Data& request, const PullLimits& limits, double now,
              ServerImages* images) const;
  // Forgets the log up to this revision; own updates are still found by their ids. No server does
  // so yet: what is checked is the authority's answer to a log that does not reach back.
  void CutLog(const String& realm, uint64_t revision);
  bool HasEntry(const String& realm, uint64_t revision) const;  // it was not cut

  struct Head {
    uint64_t head = 0;
    double at = 0;
  };
  const std::map<String, Head>& heads() const { return heads_; }
  const std::map<ObjectKey, StoredRow>& rows() const { return rows_; }  // tombstones too
  const Set<String>& action_ids() const { return action_ids_; }
  bool HasAction(const String& action) const { return action_ids_.contains(action); }

 private:
  struct Change {
    uint64_t revision = 0;
    std::optional<Row> before;
  };

  // Names in locks() what must be locked, too.
  std::unique_ptr<Admission> TryToAdmit(const Vector<Admission::Request>& requests,
                                        const Set<String>& locked, double now) const;
  // How much a pull reads, from the most to the least.
  enum class Reads { kAll, kOneEntry, kNoChanges, kNoOps };

  String PullOnce(const Data& request, Reads reads, size_t page_rows, double now,
                  ServerImages* images) const;
  Data Read(const Data& needs, Reads reads, size_t page_rows, ServerImages* images) const;
  void ReadLog(const Data& needs, Reads reads, Data* found) const;
  Data TablesOf(const String& realm, uint64_t from, uint64_t upto) const;
  Data ReadPage(const Data& page, size_t page_rows) const;
  Data RowAfter(const Data& need) const;

  const Schema* schema_;
  std::map<String, Head> heads_;
  std::map<ObjectKey, StoredRow> rows_;
  std::map<String, uint64_t> cut_;                        // by realm
  std::map<String, Vector<Data>> log_;                    // by realm; revision 1 is at 0
  std::map<RealmKey, Vector<Change>> changes_;            // by revision
  std::map<std::pair<String, String>, ChainRow> chains_;  // realm, client
  std::map<std::pair<String, String>, Data> applied_;     // client, update
  Vector<LogAction> actions_;
  Set<String> action_ids_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_DATABASE_H_
