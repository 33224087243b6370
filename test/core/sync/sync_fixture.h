// What the tests of the sync room share: a small schema, and mutations as a window would log them.
#ifndef SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_
#define SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_

#include <string_view>

#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry::sync_test {

// One table, `items` (ids of the application's own): n number, name string; both optional.
Data SyncSchemaDescription();
const Schema& SyncSchema();

String SyncUuid(uint64_t number);

// Ops on `items`.
Op CreateChild(String id, String realm, std::string_view parent);
Op CreateItem(String id, String realm, double n, std::string_view name = "");
Op UpdateItem(String id, String realm, std::string_view name);
Op IncItem(String id, String realm, double by);
Op DeleteItem(String id, String realm);
Op MoveItem(String id, String realm, String to);

// A record of the store `mutations`.
Data MutationRecord(std::string_view id, const Vector<Op>& ops, double at = 1000);

// Parsed JSON; the text must be right.
Data Json(std::string_view text);

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_SYNC_FIXTURE_H_
