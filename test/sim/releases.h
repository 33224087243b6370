// Releases: the simulated application in two versions of its schema. The newer has a table more and
// a prop more that is never null, lacks a prop, has another default, and puts tables and props into
// another order. A run without releases has the schema of the model check alone.
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
// What a node of the older release serves where the newer one rules
// (server/src/sql/newest-schema.ts).
const Schema& WidenedSchema();
// Every prop that a database with releases may have a column for; all of them may be null.
const Schema& ColumnsSchema();

const test::naive::Tables& NaiveTables();
test::naive::Defaults DefaultsOf(const Schema& schema);
bool Knows(const Schema& schema, const test::naive::Update& update);

// One random op of a person who uses this release.
test::naive::Op AnyOpOf(Release release, const test::naive::Rows& visible, double moves,
                        Random* random, uint64_t* serial);
// A scope that only clients of the newer release can ask for.
test::CheckScope NewerScope();

// What is compared of rows with what a client of this release has: what it knows, without the prop
// that the newer release drops. Of that, clients of the older one that are served beside it may be
// told, or not.
using KnownRows = test::naive::Rows (*)(const test::naive::Rows&);
KnownRows KnownTo(Release release);  // null: all
Row WithoutDropped(Release release, const ObjectKey& key, Row row);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_RELEASES_H_
