// RuleReader answers what the application's rules read while an action is judged: queries as a window
// has them (docs/internals.md, section 7), over the rows of the action's realms and no others, as they
// are after the action, or as they were before it. What is not loaded yet becomes a need.
#ifndef SKERRY_AUTHORITY_RULE_READER_H_
#define SKERRY_AUTHORITY_RULE_READER_H_

#include <memory>
#include <string>
#include <utility>

#include "authority/working_set.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/wire/rule_steps.h"
#include "model/query.h"
#include "model/schema.h"

namespace skerry {

class RuleReader final : private Tables {
 public:
  RuleReader(const Schema* schema, WorkingSet* rows, Set<std::string> realms)
      : schema_(schema), rows_(rows), realms_(std::move(realms)) {}

  // The value of a read: rows with those that they include, `[{"row","with":[[..]..]}..]`, a number, or a
  // value in its plain form. It must not be used if the working set has needs afterwards. Errors as of
  // ParseQuery, and kLimit.
  Result<Data> Read(const wire::RuleRead& read);

 private:
  RowStore& store(TableIndex table) override;
  // Puts the rows into the stores that the query, or a part of it, may look at: at least these. `where`
  // and `include` are the query's.
  Status Gather(TableIndex table, const Data& where, const Data& include);
  Status GatherInner(TableIndex table, const Data& filter, const Vector<const Row*>& found,
                     const Vector<std::string>& ids);
  Status GatherIncluded(TableIndex table, const Data& include, const Vector<const Row*>& found,
                        const Vector<std::string>& ids);
  Data RowsOf(const Query& query, const Vector<uint32_t>& stream, size_t* at);

  const Schema* schema_;
  WorkingSet* rows_;
  Set<std::string> realms_;
  When when_ = When::kNow;
  Map<TableIndex, std::unique_ptr<RowStore>> stores_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_RULE_READER_H_
