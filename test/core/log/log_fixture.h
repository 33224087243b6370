// Shared by the tests of src/log: a schema with every prop type and both kinds of ids, and random
// ops over few objects, props and realms, so that they meet often. All randomness comes from the
// seed that a test prints.
#ifndef SKERRY_TEST_CORE_LOG_LOG_FIXTURE_H_
#define SKERRY_TEST_CORE_LOG_LOG_FIXTURE_H_

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/random.h"
#include "log/op.h"
#include "log/record.h"
#include "model/schema.h"

namespace skerry::test {

// Tables: groups (UUIDs), cities (UUIDs, every prop type), members (UUIDs; refs that cascade and
// that are set to null), tags (ids of the application's own; a ref that cascades within the table).
const Schema& LogSchema();

inline constexpr TableIndex kGroups = 0;
inline constexpr TableIndex kCities = 1;
inline constexpr TableIndex kMembers = 2;
inline constexpr TableIndex kTags = 3;

// A UUID that ends in `number`.
std::string TestUuid(uint32_t number);

PropIndex PropOf(TableIndex table, std::string_view name);
inline const PropIndex kName = PropOf(kCities, "name");
inline const PropIndex kPopulation = PropOf(kCities, "population");

// Bytes of a seed for Random.
std::string SeedText(uint64_t seed);

class OpMaker {
 public:
  explicit OpMaker(Random* random) : random_(random) {}

  // A value that fits the prop; sometimes null, if the prop may be null.
  Value AnyValue(const PropDef& prop);
  // A create with every required prop; an update of some props.
  Op Create(TableIndex table, std::string id, std::string realm);
  Op Update(TableIndex table, std::string id, std::string realm);
  // An inc of one or two number props. REQUIRES: the table has one.
  Op Inc(TableIndex table, std::string id, std::string realm);
  Op Delete(TableIndex table, std::string id, std::string realm);
  Op Move(TableIndex table, std::string id, std::string realm, std::string to);
  // Makes an op on a row one that undoes an action; a create may become a restore.
  void Undo(Op* op);
  // One of few ids. `fresh`: no row has the id before a test's ops.
  std::string AnyId(TableIndex table, bool fresh);
  // A row with a random value in every prop.
  Row AnyRow(TableIndex table, std::string realm);
  Change AnyChange();
  skerry::Update AnyUpdate();

 private:
  Op Base(OpKind kind, TableIndex table, std::string id, std::string realm);
  Random* random_;
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_LOG_LOG_FIXTURE_H_
