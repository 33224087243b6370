// Rows in a map, in place of the server's SQL.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_STORED_ROWS_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_STORED_ROWS_H_

#include <map>

#include "authority/admission.h"

namespace skerry::test {

// Gives the authority the rows that it needs, found by looking at all of them.
void LoadNeeded(const std::map<ObjectKey, StoredRow>& stored, const Needs& needs, WorkingSet* rows);

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_STORED_ROWS_H_
