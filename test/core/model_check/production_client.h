// ProductionClient: the sync worker's rules of src/sync over the simplest storage, with base
// folded from the records as in a window. Every method is one transaction. It can be copied, so
// that a profile can be restored from an older copy of itself.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_CLIENT_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_CLIENT_H_

#include <map>
#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/vector.h"
#include "sync/pull.h"
#include "test/core/log/row_map.h"
#include "test/core/model_check/base_check.h"
#include "test/core/model_check/check_schema.h"

namespace skerry::test {

class ProductionClient {
 public:
  ProductionClient(const Schema* schema, const std::string& identity, CheckScopes scopes);

  struct Sent {
    std::string client;
    Vector<std::string> ids;
    Vector<Data> updates;  // as in the body
  };

  // The action's id.
  std::string Mutate(const Vector<naive::Op>& ops, double now, UuidGenerator* ids);
  void Group(size_t most, double now, UuidGenerator* ids);
  Sent Send();
  void Answered(const Vector<std::string>& asked, const Data& results, double now,
                UuidGenerator* ids);
  PullRequest Ask(uint64_t limit) const;
  // False: the answer is discarded.
  bool Pulled(const PullRequest& request, const PullAnswer& answer, double now);

  // Drops one of the scopes, or adds it again.
  void ToggleScope(size_t index);

  naive::Rows Visible() const;
  const RowMap& base() const { return base_; }
  const Data& sync() const { return sync_; }
  const CheckScopes& scopes() const { return scopes_; }  // all that it ever wants
  Replica replica() const { return {scopes_, sync_, base_}; }
  bool IsIdle() const { return mutations_.empty() && outbox_.empty(); }
  naive::Names PendingActions() const;
  naive::Names InboxActions() const;
  uint64_t KeyOfAction(const std::string& action) const;  // 0: not of this client
  // How many pending mutations there are up to that of the action.
  size_t CountUpTo(const std::string& action) const;
  const Vector<Data>& conflicts() const { return conflicts_; }

  int generation = 0;

 private:
  Data Range(const std::map<double, Data>& store, size_t most) const;
  Vector<OutboxRecord> Outbox() const;
  void Write(const Data::Array& writes);
  void ApplyRecord(const UpdateRecord& record);

  const Schema* schema_;
  CheckScopes scopes_;
  std::map<double, Data> mutations_;
  std::map<std::string, Data> outbox_;
  Vector<Data> conflicts_;
  Data sync_;
  double last_key_ = 0;
  uint64_t n_ = 0;
  std::map<std::string, uint64_t> keys_;
  RowMap base_;
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_PRODUCTION_CLIENT_H_
