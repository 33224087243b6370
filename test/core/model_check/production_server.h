// ProductionServer: the authority of src/authority over the simplest database: rows, log, changes,
// chains and actions in maps, read by scanning everything. It replaces the server's SQL, so that
// histories run thousands of times faster. The JSON between the two is tested in
// test/core/authority.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "authority/admission.h"
#include "authority/pull.h"
#include "base/data.h"
#include "base/vector.h"
#include "sync/pull.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test {

class ProductionServer {
 public:
  ProductionServer(const Schema* schema, const naive::Names& realms);

  // One request of a user who has these rights; the results, in order.
  Data::Array Push(const std::string& client, const Vector<Data>& updates, double now,
                   const naive::Rights& rights = {});
  // The answer to a request's body (JSON), as the client reads it. Pages have `page_rows` rows.
  // What the server reads of a range: everything; only one entry per realm; that entry without its
  // changes; or without the ops of own updates, too.
  enum class Reads { kAll, kOneEntry, kNoChanges, kNoOps };
  PullAnswer Pull(const Data& request, Reads reads, size_t page_rows, double now,
                  const naive::Rights& rights = {});

  struct Head {
    uint64_t head = 0;
    double at = 0;
  };
  const std::map<std::string, Head>& heads() const { return heads_; }
  const std::map<ObjectKey, StoredRow>& rows() const { return rows_; }  // tombstones too

 private:
  struct Entry {
    PulledEntry pulled;
    Vector<Op> ops;
  };
  struct Change {
    uint64_t revision = 0;
    std::optional<Row> before;
  };

  Admission::Input InputOf(const std::string& client, const Vector<Data>& updates,
                           const Set<std::string>& locked, double now,
                           const naive::Rights& rights) const;
  void LoadChains(const std::string& client, Admission* admission) const;
  void Store(const Admission& admission);
  void Answer(const PullInput& request, const PullNeeds& needs, Reads reads, size_t page_rows,
              class Pull* pull) const;
  PulledPage PageOf(const Scope& scope, const Vector<std::string>& realms, size_t page_rows) const;
  std::optional<Row> RowAfter(const RealmKey& key, uint64_t revision) const;
  PullAnswer AnswerOf(const PullInput& request, const PullResult& result, double now) const;

  const Schema* schema_;
  std::map<std::string, Head> heads_;
  std::map<ObjectKey, StoredRow> rows_;
  std::map<std::string, Vector<Entry>> log_;                        // by realm; revision 1 is at 0
  std::map<RealmKey, Vector<Change>> changes_;                      // by revision
  std::map<std::pair<std::string, std::string>, ChainRow> chains_;  // realm, client
  std::map<std::pair<std::string, std::string>, Data> applied_;     // client, update
  Vector<LogAction> actions_;
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_
