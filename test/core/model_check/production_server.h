// ProductionServer: the authority of src/authority over a MemoryDatabase, in the terms of the
// model check.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_

#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "sync/pull.h"
#include "test/core/database/memory_database.h"
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

  const MemoryDatabase& database() const { return database_; }

 private:
  MemoryDatabase database_;
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_SERVER_H_
