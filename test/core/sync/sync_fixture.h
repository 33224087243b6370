// Shared by the tests of src/sync: a small schema, and mutations as a window logs them.
#ifndef SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_
#define SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry::sync_test {

class FakeStorage;

// One table, `items` (ids of the application's own), with optional props: number n, string name,
// parent -> items (cascade).
Data SyncSchemaDescription();
const Schema& SyncSchema();

std::string SyncUuid(uint64_t number);

// Ops on `items`.
Op CreateChild(std::string id, std::string realm, std::string_view parent);
Op CreateItem(std::string id, std::string realm, double n, std::string_view name = "");
Op UpdateItem(std::string id, std::string realm, std::string_view name);
Op IncItem(std::string id, std::string realm, double by);
Op DeleteItem(std::string id, std::string realm);
Op AppendTo(std::string stream, std::string realm);
Op MoveItem(std::string id, std::string realm, std::string to);

// A record of the store `mutations`.
Data MutationRecord(std::string_view id, const Vector<Op>& ops, double at = 1000);

// As a window that gives back the rows of all lost realms that the server has again. Returns whether
// there was one.
bool GiveBack(FakeStorage* storage);

// REQUIRES: `text` parses.
Data Json(std::string_view text);

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_
