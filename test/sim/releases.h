// Releases: the simulated application with two versions of its schema. The newer version adds a
// table and a required prop, drops a prop, changes a default, and has its tables and props in
// another order. A run without releases uses only the schema of the model check.
#ifndef SKERRY_TEST_SIM_RELEASES_H_
#define SKERRY_TEST_SIM_RELEASES_H_

#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::sim {

enum class Release : uint8_t { kOnly, kOlder, kNewer };

const Data& DescriptionOf(Release release);
const Schema& SchemaOf(Release release);
Release ReleaseOf(bool has_releases, uint64_t version);
// The schema that a node of the older release serves when the newer one is deployed
// (server/src/sql/newest-schema.ts).
const Schema& WidenedSchema();
// Every prop that a database with both releases has a column for; all of them may be null.
const Schema& ColumnsSchema();

// The models know props by their first names (test::NameOf), whatever the release of a client is.
void UseFirstNames(test::naive::Update* update);

const test::naive::Tables& NaiveTables();
test::naive::Defaults DefaultsOf(const Schema& schema);
bool Knows(const Schema& schema, const test::naive::Update& update);

// One random op of a person who uses this release.
test::naive::Op AnyOpOf(Release release, const test::naive::Rows& visible,
                        const test::naive::Names& realms, double moves, Random* random,
                        uint64_t* serial);
// A scope that only clients of the newer release can ask for.
test::CheckScope NewerScope();
// The scope of all memberships, which every client of a run with rights has.
test::CheckScope MembersScope();

// Reduces rows to the part that is compared with a client of this release: the tables and props
// that it knows, without the prop that the newer release drops. Clients of the older release may or
// may not get values of that prop.
using KnownRows = test::naive::Rows (*)(const test::naive::Rows&);
KnownRows KnownTo(Release release);  // null: rows are compared whole
Row WithoutDropped(Release release, const ObjectKey& key, Row row);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_RELEASES_H_
