// The small application of the model check, in both forms: the production's schema and the naive
// model's tables, random ops, scopes as filters and as predicates, and rows translated for
// comparison. Its tables:
//
//   items: ids k0..k5 and total; numbers n and x; unique number u; parent -> items (cascade);
//          friend -> items (setNull)
//   notes: ids UUIDs; text; item -> items (cascade, touch)
//   pins:  ids p0, p1; item -> items (restrict)
//   boxes: ids UUIDs; number n; unique number u; parent -> boxes (cascade); friend -> boxes (setNull)
//   cards: ids UUIDs; text; box -> boxes (cascade, touch)
// Boxes move, with what they contain. The others belong to their realm, or are children of such.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_CHECK_SCHEMA_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_CHECK_SCHEMA_H_

#include <string>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test {

Data CheckDescription();  // as js/api would give it
const Schema& CheckSchema();
const naive::Tables& CheckTables();
const naive::Names& CheckRealms();  // A, B
const naive::Names& ThreeRealms();  // and C

// The id of a new row.
std::string FreshUuid(uint64_t* serial);

// One random op on the rows that a user sees. `moves`: the chance of a move.
naive::Op AnyOp(const naive::Rows& visible, const naive::Names& realms, double moves,
                Random* random, uint64_t* serial);

// Several scopes of a table may overlap.
struct CheckScope {
  std::string table;
  std::string where;  // JSON
  naive::Scope holds;
};
using CheckScopes = Vector<CheckScope>;
const Vector<CheckScopes>& ScopeChoices();

// The models know what a release has renamed by the name that it had first.
template <typename Def>
std::string NameOf(const Def& def) {
  return std::string(def.former.First(def.name));
}

skerry::Op OpOf(const naive::Op& op, const Schema& schema = CheckSchema());
naive::Key KeyOf(const ObjectKey& key, const std::string& realm,
                 const Schema& schema = CheckSchema());
naive::Row NaiveRowOf(const ObjectKey& key, const skerry::Row& row,
                      const Schema& schema = CheckSchema());

// Describes how the two rows differ.
std::string DifferenceOf(const naive::Row& a, const naive::Row& b);

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_CHECK_SCHEMA_H_
